#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Functions without kernel-doc: undocumented.py FILE...

Prints each function of the source files that is not static and does not have a
kernel-doc comment right before it. Fails if there are any.
"""

import re
import sys

FUNCTION = re.compile(r"^(?!static\b)[a-z][\w *\n]*?\b(\w+)\([^;{}]*\)\n\{", re.M)


def is_documented(name, before):
    """Whether the text before a function ends with a kernel-doc comment on it."""
    begin = before.rfind("/**")
    return (before[begin:].startswith(f"/**\n * {name}() - ") and
            before.find("*/\n", begin) == len(before) - len("*/\n"))


def undocumented(path):
    """Yield the names of a file's functions without kernel-doc."""
    with open(path, encoding="utf-8") as source:
        text = source.read()
    for match in FUNCTION.finditer(text):
        if not is_documented(match[1], text[:match.start()]):
            yield match[1]


def main():
    """Print them."""
    wrong = [f"{path}: {name}() has no kernel-doc"
             for path in sys.argv[1:] for name in undocumented(path)]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
