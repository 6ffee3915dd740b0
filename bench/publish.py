#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make Documentation/performance.md from the results of a full run.

Usage: publish.py [--on fixture|acrn] [RESULTS.json]

Without a name they are those of the last run, which has to be of a commit and not
quick. The page has a part for each machine, with a section for each bench between
two marks. Sections of benches that the results have are made anew. The others stay,
and so does what is around the marks, the words about the figures. The plots go into
Documentation/performance/, those of the real hypervisor into acrn/ there.
"""

import argparse
import os
import re
import sys

from benches import ACRN_BENCHES, BENCHES
from plot import plot
from report import bench_markdown, load, machine_line

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(TOP, "build", "bench")
PAGE = os.path.join(TOP, "Documentation", "performance.md")
MARK = "<!-- made by make bench-publish{}: {} -->"


class Part:
    """What the page has of one machine, and where its last results are."""

    def __init__(self, benches, folder, options, plots, words):
        self.names = [bench.name for bench in benches]
        self.last = os.path.join(folder, "results.json")
        # Of make, to measure and to publish
        self.options = options
        # Below the page's folder
        self.plots = plots
        self.begin = MARK.format(options, "begin")
        self.end = MARK.format(options, "end")
        self.words = words

    def replace(self, page, made):
        """The page with the sections in `made`, by name; None if it lacks the marks."""
        before, found, rest = page.partition(self.begin)
        old, found_end, after = rest.partition(self.end)
        if not found or not found_end:
            return None
        made = sections(old) | made
        text = "\n\n".join([self.words, *(made[name] for name in self.names if name in made)])
        return f"{before}{self.begin}\n\n{text}\n\n{self.end}{after}"


def sections(text):
    """Those of a part, by the name of the bench."""
    found = re.split(r"^(?=## )", text, flags=re.M)[1:]
    return {one.removeprefix("## ").partition(":")[0]: one.strip() for one in found}


PARTS = {
    "acrn": Part(
        ACRN_BENCHES, os.path.join(OUT, "acrn"), " ON=acrn",
        "performance/acrn",
        "What the variants and cases are is in [bench/README.md](../bench/README.md). "
        "Each number was measured once."),
    "fixture": Part(
        BENCHES, OUT, "", "performance",
        "What the variants and cases are is in [bench/README.md](../bench/README.md). "
        "Numbers are medians of the rounds, p50 or p50 / p99 within a round, ± the "
        "distance between the quartiles of the rounds. Ratios are those within a round, "
        "± the same of the ratios."),
}


def flaws(results):
    """What the results of a commit do not have."""
    found = ["quick"] if results["quick"] else []
    if results["commit"] == "unknown" or results["commit"].endswith("-dirty"):
        found.append(f"of commit {results['commit']}")
    if results["failed"]:
        found.append(f"without {', '.join(results['failed'])}")
    return found


def replace_plots(part, report):
    """Draw the plots of a bench in place of those of an earlier run; their links."""
    folder = os.path.join(os.path.dirname(PAGE), part.plots)
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.startswith(f"{report['bench']}-"):
            os.remove(os.path.join(folder, name))
    links = []
    for name in plot(report, folder):
        title = name.removesuffix(".svg").replace("-", " ")
        links += [f"![{title}]({part.plots}/{name})", ""]
    return links


def section(part, results, report):
    """Where and when one bench was measured, its tables and plots, as Markdown."""
    title, *tables = bench_markdown(report)
    command = (f"    make bench{part.options} B={report['bench']}"
               + (" QUICK=1" if results["quick"] else "")
               + f" KVER={'.'.join(results['kernel'].split('.')[:2])}")
    return "\n".join([title, "", machine_line(results), "", command, *tables,
                      *replace_plots(part, report)]).strip()


def main():
    """Read results, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", default="fixture", choices=PARTS)
    parser.add_argument("file", nargs="?")
    options = parser.parse_args()
    part = PARTS[options.on]
    path = options.file or part.last
    results = load(path)
    if not options.file and flaws(results):
        sys.exit(f"make bench-publish: the last results are "
                 f"{', '.join(flaws(results))}; R={path} takes them all the same")
    made = {report["bench"]: section(part, results, report) for report in results["benches"]}
    with open(PAGE, encoding="utf-8") as text:
        page = part.replace(text.read(), made)
    if not page:
        sys.exit(f"make bench-publish: {PAGE} has lost its marks")
    with open(PAGE, "w", encoding="utf-8") as out:
        out.write(page)
    print(f"{PAGE}: from {path}")


if __name__ == "__main__":
    main()
