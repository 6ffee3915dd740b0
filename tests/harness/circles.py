#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Fails if files of a module call one another's functions in a circle.

Usage: circles.py FOLDER...

Each FOLDER has the object files of a module. A file leans on another if it uses a
symbol that the other defines.
"""

import glob
import os
import subprocess
import sys


def symbols(path):
    """The global symbols that an object file defines, and those that it needs."""
    output = subprocess.run(["nm", "--extern-only", "--format=posix", path], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    words = [line.split() for line in output.splitlines()]
    return ({word[0] for word in words if word[1] in "TDBR"},
            {word[0] for word in words if word[1] == "U"})


def graph(folder):
    """{file: the files that it leans on}."""
    files = {os.path.basename(path): symbols(path)
             for path in glob.glob(os.path.join(folder, "*.o"))}
    owners = {symbol: name for name, (defined, _) in files.items() for symbol in defined}
    return {name: {owners[symbol] for symbol in needed & owners.keys()}
            for name, (_, needed) in files.items()}


def without_leaves(edges):
    """What is left when files that lean on no remaining file are taken away."""
    while True:
        rest = {name: others & edges.keys() for name, others in edges.items()
                if others & edges.keys()}
        if rest == edges:
            return edges
        edges = rest


def main():
    """Name the files that are part of a circle, or lean on one."""
    status = 0
    for folder in sys.argv[1:]:
        edges = graph(folder)
        if not edges:
            sys.exit(f"{folder} has no object files")
        for name, others in sorted(without_leaves(edges).items()):
            print(f"{folder}/{name} leans on {', '.join(sorted(others))}")
            status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
