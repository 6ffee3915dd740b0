#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compare Documentation/differences.md with the tests.

Each difference that a test names must have an entry there, and each entry must be
named by a test or be listed under "Not checked".
"""

import glob
import os
import re
import sys

from rules import RULES

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENT = os.path.join(TOP, "Documentation", "differences.md")
UNCHECKED = "## Not checked"


def read(path):
    """The text of a file."""
    with open(path, encoding="utf-8") as text:
        return text.read()


def document():
    """Names of all entries, and names that are listed as not checked."""
    entries, _, unchecked = read(DOCUMENT).partition(UNCHECKED)
    return (set(re.findall(r"^\*\*([a-z0-9-]+)\.\*\*", entries, re.M)),
            set(re.findall(r"`([a-z0-9-]+)`", unchecked.partition("\n- ")[2])))


def named_by_programs(entries):
    """Map the differences that programs of tests/system name to the file.

    A name can be passed on through variables, so every string that looks like a name
    counts as one.
    """
    named = {}
    for path in glob.glob(os.path.join(TOP, "tests/system/**/*.[ch]"), recursive=True):
        source = read(path)
        if not re.search(r'#include "(differs|conformance)\.h"', source):
            continue
        strings = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', source))
        strings |= set(re.findall(r'differs_\w+\(\s*"([^"]*)"', source))
        strings |= entries & set(re.findall(r'"([a-z]+)"', source))
        for name in strings:
            named[name] = os.path.relpath(path, TOP)
    return named


def main():
    """Print names without an entry and entries without a check."""
    entries, unchecked = document()
    named = named_by_programs(entries)
    named.update({name: "tests/harness/rules.py" for name in RULES})
    wrong = [f"{named[name]}: no entry {name}" for name in sorted(set(named) - entries)]
    wrong += [f"no check of {name}, and it is not listed as such"
              for name in sorted(entries - set(named) - unchecked)]
    wrong += [f"{name} is listed as not checked, but it is or does not exist"
              for name in sorted(unchecked - (entries - set(named)))]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
