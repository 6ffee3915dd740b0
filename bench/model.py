# SPDX-License-Identifier: GPL-2.0
"""What the counts of instructions and exits come to on a processor.

Bochs gives every instruction the same time and an exit none of its own. A
processor takes some time for each exit, whatever is done in it. So what an
operation takes there is at least its instructions at the processor's pace, and
its exits beside them.
"""

# Of Bochs, unless a bench asks for more: MIPS of tests/harness/acrn.py
INSTRUCTIONS_PER_US = 50
# Of a processor, a guess: 3 GHz, one instruction a cycle
PROCESSOR_PER_US = 3000
# Of an exit on a processor, from the guest's last instruction to its next, and
# what it leaves cold; performance.md says where from.
EXIT_US = (1, 2)


def project(us, exits):
    """From the time in Bochs and the exits to those on a processor, least and most."""
    instructions = us * INSTRUCTIONS_PER_US / PROCESSOR_PER_US
    return [instructions + exits * each for each in EXIT_US]


def microseconds(report, row):
    """What an operation takes, by a metric of time or of a rate."""
    if row["metric"] in report["rates"]:
        return 1e6 / row["p50"]
    return row["p50"] / 1000 if row["unit"] == "ns" else row["p50"]


def projections(report):
    """[case, variant, time in Bochs, exits, least, most] of what has both counts."""
    exits = {(row["case"], row["variant"]): row["p50"] for row in report["rows"]
             if row["metric"] == "exits"}
    found = []
    for row in report["rows"]:
        count = exits.get((row["case"], row["variant"]))
        if row["metric"] in report["operation"] and count is not None:
            us = microseconds(report, row)
            found.append([row["case"], row["variant"], us, count, *project(us, count)])
    return found
