#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make Documentation/performance.md from the results of a full run.

Usage: publish.py [--on fixture|acrn] [RESULTS.json]

Without a name they are those of the last run, which has to be one of all benches,
not quick, of a commit. The page has a part for each machine. What stands between the
two marks of a part is made anew; what is around them, the words about the figures,
stays. The plots go into Documentation/performance/.
"""

import argparse
import os
import sys

from benches import ACRN_BENCHES, BENCHES
from plot import plot
from report import bench_markdown, load, machine_line

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(TOP, "build", "bench")
PAGE = os.path.join(TOP, "Documentation", "performance.md")
PLOTS = os.path.join(TOP, "Documentation", "performance")
MARK = "<!-- made by make bench-publish{}: {} -->"


class Part:
    """What the page has of one machine, and where its last results are."""

    def __init__(self, benches, folder, options, words):
        self.benches = benches
        self.last = os.path.join(folder, "results.json")
        # Of make, to measure and to publish
        self.options = options
        self.begin = MARK.format(options, "begin")
        self.end = MARK.format(options, "end")
        self.words = words

    def replace(self, page, text):
        """The page with `text` between this part's marks; None if it lacks them."""
        before, found, rest = page.partition(self.begin)
        _, found_end, after = rest.partition(self.end)
        if not found or not found_end:
            return None
        return f"{before}{self.begin}\n\n{text}\n{self.end}{after}"


PARTS = {
    "acrn": Part(
        ACRN_BENCHES, os.path.join(OUT, "acrn"), " ON=acrn",
        "What the variants and cases are is in [bench/README.md](../bench/README.md). "
        "Each number was measured once."),
    "fixture": Part(
        BENCHES, OUT, "",
        "What the variants and cases are is in [bench/README.md](../bench/README.md). "
        "Numbers are medians of the rounds, p50 or p50 / p99 within a round, ± the "
        "distance between the quartiles of the rounds. Ratios are those within a round, "
        "± the same of the ratios."),
}


def flaws(part, results):
    """What a full run of a commit does not have."""
    found = ["quick"] if results["quick"] else []
    if results["commit"] == "unknown" or results["commit"].endswith("-dirty"):
        found.append(f"of commit {results['commit']}")
    measured = {report["bench"] for report in results["benches"]} - set(results["failed"])
    missing = [bench.name for bench in part.benches if bench.name not in measured]
    if missing:
        found.append(f"without {', '.join(missing)}")
    return found


def remove_plots(results):
    """Those of an earlier run of the same benches."""
    os.makedirs(PLOTS, exist_ok=True)
    for report in results["benches"]:
        for name in os.listdir(PLOTS):
            if name.startswith(f"{report['bench']}-"):
                os.remove(os.path.join(PLOTS, name))


def figures(part, results):
    """Tables and plots of all benches, as Markdown."""
    remove_plots(results)
    text = [machine_line(results), "",
            "    make bench" + part.options + (" QUICK=1" if results["quick"] else "")
            + f" KVER={'.'.join(results['kernel'].split('.')[:2])}", "", part.words, ""]
    for report in results["benches"]:
        text += bench_markdown(report)
        for name in plot(report, PLOTS):
            title = name.removesuffix(".svg").replace("-", " ")
            text += [f"![{title}](performance/{name})", ""]
    return "\n".join(text)


def main():
    """Read results, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", default="fixture", choices=PARTS)
    parser.add_argument("file", nargs="?")
    options = parser.parse_args()
    part = PARTS[options.on]
    path = options.file or part.last
    results = load(path)
    if not options.file and flaws(part, results):
        sys.exit(f"make bench-publish: the last results are "
                 f"{', '.join(flaws(part, results))}; R={path} takes them all the same")
    with open(PAGE, encoding="utf-8") as text:
        page = part.replace(text.read(), figures(part, results))
    if not page:
        sys.exit(f"make bench-publish: {PAGE} has lost its marks")
    with open(PAGE, "w", encoding="utf-8") as out:
        out.write(page)
    print(f"{PAGE}: from {path}")


if __name__ == "__main__":
    main()
