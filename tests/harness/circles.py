#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Circles of files: circles.py OBJECTS [SOURCES [LIMIT]]

A file depends on another one if it uses its functions or variables, according to
the symbols of the object files below OBJECTS; object files of whole kernel modules
are left out. With SOURCES it also depends on the files that it includes, and a file
and its header count as one. Prints each group of files that depend on each other,
and each file below SOURCES with more than LIMIT lines. Fails if there are any.
"""

import os
import re
import subprocess
import sys


def files_below(folder, suffixes):
    """Paths below a folder, relative to it."""
    for path, _, names in os.walk(folder):
        for name in names:
            if name.endswith(suffixes):
                yield os.path.relpath(os.path.join(path, name), folder)


def stem(path):
    """A path without its suffix, which a file and its header have in common."""
    return os.path.splitext(path)[0]


def includes(sources):
    """Map each stem to the stems that its files include."""
    found = {}
    for path in files_below(sources, (".c", ".h")):
        with open(os.path.join(sources, path), encoding="utf-8") as text:
            names = re.findall(r'^#include "([^"]+)\.h"', text.read(), re.M)
        beside = os.path.dirname(path)
        found.setdefault(stem(path), set()).update(
            name for plain in names for name in (plain, os.path.join(beside, plain)))
    return {file: {other for other in others if other in found}
            for file, others in found.items()}


def symbols(path):
    """Names that an object file defines, and those that it uses."""
    defined, used = set(), set()
    out = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        kind, name = line.split()[-2:]
        if kind == "U":
            used.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, used


def is_module(path):
    """Whether an object file is linked from those of a kernel module, or generated for it."""
    return path.endswith(".mod.o") or os.path.exists(stem(path) + ".mod")


def add_calls(uses, objects):
    """Add to `uses` the stems whose symbols each stem uses. Returns how many stems there are."""
    found = {stem(path): symbols(os.path.join(objects, path))
             for path in files_below(objects, (".o",))
             if (not uses or stem(path) in uses)
             and not is_module(os.path.join(objects, path))}
    owner = {name: file for file, (defined, _) in found.items() for name in defined}
    for file, (_, used) in found.items():
        uses.setdefault(file, set()).update(owner[name] for name in used if name in owner)
    return len(found)


def reachable(uses, start):
    """All stems that a stem depends on, including itself only if it is in a circle."""
    seen, todo = set(), [start]
    while todo:
        for other in uses[todo.pop()] - seen:
            seen.add(other)
            todo.append(other)
    return seen


def too_long(sources, limit):
    """Yield a message for each file with more than `limit` lines."""
    for path in files_below(sources, (".c", ".h")):
        with open(os.path.join(sources, path), encoding="utf-8") as text:
            lines = sum(1 for _ in text)
        if lines > limit:
            yield f"{sources}/{path}: {lines} lines are more than {limit}"


def main():
    """Print circles and files that are too long."""
    objects, sources, limit = (sys.argv[1:] + [None, None])[:3]
    uses = includes(sources) if sources else {}
    if not add_calls(uses, objects):
        sys.exit(f"{objects} has no object files")
    for file, others in uses.items():
        others.discard(file)
    reach = {file: reachable(uses, file) for file in uses}
    groups = {tuple(sorted(other for other in reach[file] if file in reach[other]))
              for file in uses if file in reach[file]}
    wrong = [f"{sources or objects}: depend on each other: {' '.join(group)}"
             for group in sorted(groups)]
    if limit:
        wrong += too_long(sources, int(limit))
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
