#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Hold two result files of `make bench` against each other.

Usage: compare.py A.json B.json

For each row that both have: p50 in A and in B, and B to A. What lies within the
spread of either is even; what was disturbed in one of them says nothing.
"""

import sys

from report import EVEN, is_disturbed, load, number, table


def differences(old, new):
    """What makes the files hard to compare."""
    found = [f"{key}: {old[key]} and {new[key]}" for key in ("kernel", "quick")
             if old[key] != new[key]]
    return found + [
        f"{key}: {old['machine'].get(key)} and {new['machine'].get(key)}"
        for key in sorted({*old["machine"], *new["machine"]})
        if old["machine"].get(key) != new["machine"].get(key)]


def judge(report, row, other):
    """What became of a row: `row` in A, `other` in B."""
    if is_disturbed(row["spread"]) or is_disturbed(other["spread"]):
        return "disturbed"
    if not row["p50"]:
        return "even" if not other["p50"] else ""
    change = other["p50"] / row["p50"]
    if abs(change - 1) <= max(EVEN, row["spread"], other["spread"]):
        return "even"
    return "better" if (change > 1) == (row["metric"] in report["rates"]) else "worse"


def compare_bench(old, new):
    """A table of one bench, and how often each verdict came."""
    rows = {(row["case"], row["metric"], row["variant"]): row for row in new["rows"]}
    lines, counts = [], {}
    for row in old["rows"]:
        other = rows.get((row["case"], row["metric"], row["variant"]))
        if not other:
            continue
        verdict = judge(old, row, other)
        counts[verdict] = counts.get(verdict, 0) + 1
        lines.append([
            f"{row['case']}: {row['metric']}, {row['unit']}", row["variant"],
            number(row["p50"]), number(other["p50"]),
            f"{other['p50'] / row['p50']:.2f}" if row["p50"] else "", verdict])
    return table(["what", "variant", "A", "B", "B / A", ""], lines), counts


def main():
    """Compare, print."""
    if len(sys.argv) != 3:
        sys.exit("usage: make bench-compare A=old.json B=new.json")
    old, new = map(load, sys.argv[1:])
    for name, path, results in (("A", sys.argv[1], old), ("B", sys.argv[2], new)):
        print(f"{name}: {path}, {results['date']}, commit {results['commit']}")
    for difference in differences(old, new):
        print(f"They differ in {difference}.")
    reports = {report["bench"]: report for report in new["benches"]}
    for report in old["benches"]:
        if report["bench"] in reports:
            text, counts = compare_bench(report, reports[report["bench"]])
            print(f"\n## {report['bench']}\n\n{text}\n\n" + ", ".join(
                f"{count} {verdict or 'without a ratio'}"
                for verdict, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
