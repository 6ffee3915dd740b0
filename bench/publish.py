#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make Documentation/performance.md from the results of a full run.

Usage: publish.py [RESULTS.json]

Without a name they are those of the last run, which has to be one of all benches,
not quick, of a commit. What stands between the two marks of the file is made anew;
what is around them, the words about the figures, stays. The plots go into
Documentation/performance/.
"""

import os
import shutil
import sys

from benches import BENCHES
from plot import plot
from report import bench_markdown, load, machine_line

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAST = os.path.join(TOP, "build", "bench", "results.json")
PAGE = os.path.join(TOP, "Documentation", "performance.md")
PLOTS = os.path.join(TOP, "Documentation", "performance")
BEGIN = "<!-- made by make bench-publish: begin -->"
END = "<!-- made by make bench-publish: end -->"

FRAME = f"""# Performance

The latest full run of `make bench`, on the fixture: QEMU's software emulation,
where ratios within a run say how much work is saved, and absolute times little
about a processor.

{BEGIN}
{END}
"""


def flaws(results):
    """What a full run of a commit does not have."""
    found = ["quick"] if results["quick"] else []
    if results["commit"] == "unknown" or results["commit"].endswith("-dirty"):
        found.append(f"of commit {results['commit']}")
    measured = {report["bench"] for report in results["benches"]} - set(results["failed"])
    missing = [bench.name for bench in BENCHES if bench.name not in measured]
    if missing:
        found.append(f"without {', '.join(missing)}")
    return found


def figures(results):
    """Tables and plots of all benches, as Markdown."""
    shutil.rmtree(PLOTS, ignore_errors=True)
    os.makedirs(PLOTS)
    text = [machine_line(results), "",
            "    make bench" + (" QUICK=1" if results["quick"] else "")
            + f" KVER={'.'.join(results['kernel'].split('.')[:2])}", "",
            "What the variants and cases are is in [bench/README.md]"
            "(../bench/README.md). Numbers are medians of the rounds, p50 or p50 / p99 "
            "within a round, ± the distance between the quartiles of the rounds. Ratios "
            "are those within a round, ± the same of the ratios.", ""]
    for report in results["benches"]:
        text += bench_markdown(report)
        for name in plot(report, PLOTS):
            title = name.removesuffix(".svg").replace("-", " ")
            text += [f"![{title}](performance/{name})", ""]
    return "\n".join(text)


def main():
    """Read results, write the page."""
    path = sys.argv[1] if len(sys.argv) > 1 else LAST
    results = load(path)
    if len(sys.argv) == 1 and flaws(results):
        sys.exit(f"make bench-publish: the last results are {', '.join(flaws(results))}; "
                 f"R={path} takes them all the same")
    page = FRAME
    if os.path.exists(PAGE):
        with open(PAGE, encoding="utf-8") as text:
            page = text.read()
    before, found, rest = page.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not found or not found_end:
        sys.exit(f"make bench-publish: {PAGE} has lost its marks")
    text = f"{before}{BEGIN}\n\n{figures(results)}\n{END}{after}"
    with open(PAGE, "w", encoding="utf-8") as out:
        out.write(text)
    print(f"{PAGE}: from {path}")


if __name__ == "__main__":
    main()
