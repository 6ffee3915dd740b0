# SPDX-License-Identifier: GPL-2.0
"""From the rows of each round to what they say: statistics, JSON, Markdown.

bench/README.md describes the file that comes out of it.
"""

import json

STATS = ("min", "p50", "p90", "p99")

# A run is disturbed when the middle half of the rounds of some timing differs
# by more than this part of their median.
SPREAD_BOUND = 0.15


def quantile(values, part):
    """The value that `part` of the sorted values do not exceed, interpolated."""
    values = sorted(values)
    place = (len(values) - 1) * part
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def median(values):
    """The middle one."""
    return quantile(values, 0.5)


def spread(values):
    """Distance of the quartiles as a part of the median."""
    if not median(values):
        return 0.0
    return (quantile(values, 0.75) - quantile(values, 0.25)) / abs(median(values))


def summarize(collected):
    """One row for each case, metric and variant, of all its rounds.

    `collected` are the rows as the programs printed them, each with "round" and
    "variant" added.
    """
    groups = {}
    for row in collected:
        key = (row["case"], row["metric"], row["variant"])
        groups.setdefault(key, []).append(row)
    rows = []
    for (case, metric, variant), rounds in groups.items():
        row = {"case": case, "metric": metric, "variant": variant,
               "unit": rounds[0]["unit"]}
        row |= {stat: median([one[stat] for one in rounds]) for stat in STATS}
        row["spread"] = spread([one["p50"] for one in rounds])
        row["rounds"] = [{key: one[key] for key in ("round", "n", *STATS)}
                         for one in rounds]
        rows.append(row)
    return rows


def ratio(row, other):
    """Statistics of `row` to those of `other`, round by round; {} when it is 0."""
    result = {}
    for stat in ("p50", "p90", "p99"):
        ratios = [mine[stat] / its[stat]
                  for mine, its in zip(row["rounds"], other["rounds"]) if its[stat]]
        if not ratios:
            return {}
        result[stat] = median(ratios)
        result[f"{stat}_spread"] = spread(ratios)
    return result


def compare(rows, over="", over_case=""):
    """Each row's ratio to that of the variant `over`, or of the case `over_case`."""
    index = {(row["case"], row["metric"], row["variant"]): row for row in rows}
    comparisons = []
    for row in rows:
        other = index.get((over_case or row["case"], row["metric"],
                           over or row["variant"]))
        if other and other is not row and (ratios := ratio(row, other)):
            comparisons.append({
                "case": row["case"], "metric": row["metric"],
                "variant": row["variant"], "over": over, "over_case": over_case,
                **ratios})
    return comparisons


def disturbed_rows(rows, timings):
    """The timings whose rounds lie too far apart."""
    return [row for row in rows
            if row["metric"] in timings and row["spread"] > SPREAD_BOUND]


def verdict(value, limit, disturbed):
    """What became of a target."""
    if disturbed:
        return "disturbed"
    return "met" if value <= limit else "missed"


def judge(bench, rows):
    """The value of each target and what became of it."""
    disturbed = {(row["case"], row["metric"])
                 for row in disturbed_rows(rows, bench.timings)}
    verdicts = []
    for target in bench.targets:
        found = rows
        if target.over or target.over_case:
            found = compare(rows, target.over, target.over_case)
        for row in found:
            if (target.case not in row["case"] or row["metric"] != target.metric or
                    row["variant"] != target.variant):
                continue
            limit = row["p50"] if target.limit is None else target.limit
            bad = {(row["case"], row["metric"]),
                   (target.over_case, row["metric"])} & disturbed
            verdicts.append({
                "case": row["case"], "metric": row["metric"],
                "variant": row["variant"], "over": target.over,
                "over_case": target.over_case, "stat": target.stat,
                "value": row[target.stat], "limit": limit,
                "verdict": verdict(row[target.stat], limit, bad)})
    return verdicts


def build_report(bench, collected, about_run):
    """The content of build/bench/NAME.json."""
    rows = summarize(collected)
    comparisons = compare(rows, over=bench.base)
    if bench.base_case:
        comparisons += compare(rows, over_case=bench.base_case)
    return {
        "bench": bench.name, "about": bench.about, **about_run,
        "base": bench.base, "base_case": bench.base_case,
        "spread_bound": SPREAD_BOUND,
        "disturbed": [f"{row['case']}, {row['metric']}, {row['variant']}"
                      for row in disturbed_rows(rows, bench.timings)],
        "rows": rows, "comparisons": comparisons, "targets": judge(bench, rows),
    }


def number(value):
    """Three significant digits or all before the point."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def table(head, lines):
    """A Markdown table; the first two columns are text, the others numbers."""
    rows = [head, *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]

    def line(cells):
        padded = [cell.ljust(width) if i < 2 else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(cells, widths))]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * width if i < 2 else "-" * (width - 1) + ":"
            for i, width in enumerate(widths)]
    return "\n".join([line(head), line(rule), *map(line, lines)])


def ratio_cells(report, row, over, over_case):
    """p50's ratio and its spread."""
    for one in report["comparisons"]:
        if (all(one[key] == row[key] for key in ("case", "metric", "variant"))
                and one["over"] == over and one["over_case"] == over_case):
            return [f"{one['p50']:.2f}", f"{one['p50_spread']:.0%}"]
    return ["", ""]


def rows_table(report):
    """Every row, with its ratios."""
    head = ["what", "variant", "p50", "p90", "p99", "spread",
            f"to {report['base']}", "spread"]
    if report["base_case"]:
        head += [f"to {report['base_case']}", "spread"]
    order = []
    for row in report["rows"]:
        if (row["metric"], row["case"]) not in order:
            order.append((row["metric"], row["case"]))
    lines = []
    for row in sorted(report["rows"], key=lambda row: order.index(
            (row["metric"], row["case"]))):
        line = [f"{row['case']}: {row['metric']}, {row['unit']}", row["variant"],
                *(number(row[stat]) for stat in ("p50", "p90", "p99")),
                f"{row['spread']:.0%}",
                *ratio_cells(report, row, report["base"], "")]
        if report["base_case"]:
            line += ratio_cells(report, row, "", report["base_case"])
        lines.append(line)
    return table(head, lines)


def targets_table(report):
    """What was aimed at and what it came to."""
    lines = []
    for one in report["targets"]:
        over = one["over"] or one["over_case"]
        lines.append([
            f"{one['case']}: {one['metric']}, {one['stat']}",
            one["variant"] + (f" / {over}" if over else ""), number(one["value"]),
            f"<= {number(one['limit'])}", one["verdict"]])
    return table(["target", "variant", "value", "limit", "verdict"], lines)


def markdown(report):
    """The report for people."""
    machine = report["machine"]
    text = [
        f"## {report['bench']}: {report['about']}", "",
        f"Linux {report['kernel']} on the fixture, {report['rounds']} rounds "
        f"of each variant in turn, {report['date']}, commit {report['commit']}; "
        f"{machine['cpus']} x {machine['cpu']}, {machine['qemu']}, "
        f"{machine['accel']}.",
        "", rows_table(report), "",
        "Each number is the median of all rounds, each ratio that of the ratios "
        "of p50 within a round; a spread is the distance between the quartiles of "
        "the rounds.", ""]
    if report["disturbed"]:
        text += [f"Disturbed, as their spread is above {report['spread_bound']:.0%}: "
                 + "; ".join(report["disturbed"]) + ".", ""]
    if report["targets"]:
        text += [targets_table(report), ""]
    return "\n".join(text)


def save(report, path):
    """Write `path`.json and `path`.md; the latter's text."""
    with open(path + ".json", "w", encoding="utf-8") as out:
        json.dump(report, out, indent=1)
        print(file=out)
    text = markdown(report)
    with open(path + ".md", "w", encoding="utf-8") as out:
        out.write(text)
    return text
