# SPDX-License-Identifier: GPL-2.0
"""Plots of a bench as SVG, by gnuplot: bars, latency distributions, curves."""

import math
import os
import re
import subprocess

from report import number, quantile

COLORS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#b07aa1")
HEAD = """set encoding utf8
set style line 100 lc rgb '#d0d0d0'
set grid ytics ls 100
set key outside top center horizontal reverse Left noenhanced
set xtics noenhanced
set title noenhanced
set ylabel noenhanced
set xlabel noenhanced
"""
PLOT_WIDTH, PLOT_HEIGHT = 420, 280
COLUMNS = 3


def quote(text):
    """A string of gnuplot's."""
    return "'" + text.replace("'", "''") + "'"


def color(report, variant):
    """The same one in all plots of a bench."""
    return quote(COLORS[report["variants"].index(variant) % len(COLORS)])


def file_name(*words):
    """Of these words, without what file systems or links take for something else."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-") + ".svg"


def quartiles(row):
    """p50 of the rounds: the middle one and the quartiles."""
    values = [one["p50"] for one in row["rounds"]]
    return quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75)


def top_of(report, rows):
    """The end of the scale: that of the variants that compete."""
    return max([quartiles(row)[2] for row in rows
                if row["variant"] not in report["references"]], default=0) or 1


def variants_of(report, rows):
    """Those that have a row, in their order."""
    return [variant for variant in report["variants"]
            if any(row["variant"] == variant for row in rows)]


def bars(report, case, rows, name):
    """A bar for each variant of a case, with its spread and its number.

    What is there to compare with may be cut off.
    """
    variants = variants_of(report, rows)
    top = top_of(report, rows)
    script, parts = [], []
    for row in rows:
        middle, low, high = quartiles(row)
        i = variants.index(row["variant"])
        script += [f"${name}{i} << EOD",
                   f"{i} {middle} {low} {high} {min(middle, top)} {number(middle)}", "EOD"]
        parts += [f"${name}{i} using 1:2:3:4:(0.7) with boxerrorbars fs solid "
                  f"border lc rgb 'black' lc rgb {color(report, row['variant'])} notitle",
                  f"${name}{i} using 1:5:6 with labels offset 0,1 notitle"]
    ticks = ", ".join(f"{quote(variant)} {i}" for i, variant in enumerate(variants))
    return [*script, f"set title {quote(case)}", f"set yrange [0:{top * 1.3}]",
            f"set xrange [-0.6:{len(variants) - 0.4}]", f"set xtics ({ticks})",
            f"set ylabel {quote(rows[0]['unit'])}", "plot " + ", ".join(parts)]


def points_of(row):
    """(percent, value) of a distribution."""
    if "percentiles" in row:
        return row["percentiles"]
    return [(percent, row[stat]) for percent, stat in
            ((0, "min"), (50, "p50"), (90, "p90"), (99, "p99")) if stat in row]


def tail_scale(percent):
    """Where a percentile stands: 90, 99, 99.9 at the same distance."""
    return -math.log10(1 - percent / 100)


def distribution(report, case, rows, name):
    """The percentiles of one case, a curve for each variant."""
    script, parts = [], []
    for i, variant in enumerate(variants_of(report, rows)):
        script.append(f"${name}{i} << EOD")
        for row in rows:
            if row["variant"] == variant:
                script += [f"{tail_scale(percent)} {value}"
                           for percent, value in points_of(row) if percent < 99.95]
        script.append("EOD")
        parts.append(f"${name}{i} with linespoints pt 7 ps 0.4 lw 1.5 "
                     f"lc rgb {color(report, variant)} title {quote(variant)}")
    ticks = ", ".join(f"'{percent:g}' {tail_scale(percent)}"
                      for percent in (0, 50, 90, 99, 99.9))
    return [*script, f"set title {quote(case)}", "set logscale y",
            f"set xtics ({ticks})", "set xlabel 'percent'",
            f"set ylabel {quote(rows[0]['metric'] + ', ' + rows[0]['unit'])}",
            "plot " + ", ".join(parts)]


def curve(report, title, groups, name):
    """p50 over the number in the case: groups are (number, rows)."""
    script, parts = [], []
    rows = [row for _, found in groups for row in found]
    for i, variant in enumerate(variants_of(report, rows)):
        script.append(f"${name}{i} << EOD")
        for x, found in sorted(groups, key=lambda group: group[0]):
            script += [f"{x} {' '.join(map(str, quartiles(row)))}"
                       for row in found if row["variant"] == variant]
        script.append("EOD")
        parts.append(f"${name}{i} with yerrorlines pt 7 ps 0.5 lw 1.5 "
                     f"lc rgb {color(report, variant)} title {quote(variant)}")
    numbers = [x for x, _ in groups]
    return [*script, f"set title {quote(title)}", "set logscale x 2",
            f"set xrange [{min(numbers) / 1.2}:{max(numbers) * 1.2}]",
            f"set xtics ({', '.join(map(str, numbers))})",
            f"set yrange [0:{top_of(report, rows) * 1.15}]",
            f"set ylabel {quote(rows[0]['metric'] + ', ' + rows[0]['unit'])}",
            "plot " + ", ".join(parts)]


def by_case(rows):
    """{case: rows}."""
    groups = {}
    for row in rows:
        groups.setdefault(row["case"], []).append(row)
    return groups


def curves(report, rows):
    """A panel for each set of cases that differ in the scaling number alone."""
    sets = {}
    for case, found in by_case(rows).items():
        if match := re.search(report["scaling"], case):
            title = case[:match.start(1)] + "N" + case[match.end(1):]
            # One queue, but two queues
            sets.setdefault(title.removesuffix("s"), []).append((int(match[1]), found, title))
    return [curve(report, max(title for *_, title in group),
                  [(x, found) for x, found, _ in group], f"curve{i}_")
            for i, group in enumerate(sets.values()) if len(group) > 1]


def draw(report, metric, kind, panels, folder):
    """A file of several plots; its name in a list, which is empty without plots."""
    if not panels:
        return []
    name = file_name(report["bench"], metric, kind)
    columns = min(COLUMNS, len(panels))
    lines = math.ceil(len(panels) / columns)
    script = [f"set terminal svg size {columns * PLOT_WIDTH},{lines * PLOT_HEIGHT} "
              "dynamic background rgb 'white' font 'sans,11'",
              f"set output {quote(os.path.join(folder, name))}", HEAD,
              f"set multiplot layout {lines},{columns}"]
    for panel in panels:
        script += [*panel, "reset", HEAD]
    done = subprocess.run(["gnuplot"], input="\n".join([*script, ""]), text=True,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"gnuplot: {name}:\n{done.stdout}")
    return [name]


def plot(report, folder):
    """All plots of a bench; their file names."""
    names = []
    for metric in report["rates"] or report["timings"]:
        rows = [row for row in report["rows"] if row["metric"] == metric]
        panels = [bars(report, case, found, f"bars{i}_")
                  for i, (case, found) in enumerate(by_case(rows).items())]
        names += draw(report, metric, "bars", panels, folder)
        if report["scaling"]:
            names += draw(report, metric, "scaling", curves(report, rows), folder)
    for metric in report["timings"]:
        rows = [row for row in report["rows"] if row["metric"] == metric and "p99" in row]
        panels = [distribution(report, case, found, f"case{i}_")
                  for i, (case, found) in enumerate(by_case(rows).items())]
        names += draw(report, metric, "distribution", panels, folder)
    return names
