# SPDX-License-Identifier: GPL-2.0
"""From the rows of each round to what they say: statistics, JSON, Markdown.

bench/README.md describes the file that comes out of it.
"""

import json
import re
import sys

from model import EXIT_US, projections

SCHEMA = 2
STATS = ("min", "p50", "p90", "p99")

# A row or a ratio is disturbed when the middle half of its rounds differs by more
# than this part of their median.
SPREAD_BOUND = 0.15

# With fewer rounds there is no telling how far apart they lie.
MIN_ROUNDS = 3

# With less than this between them nobody has won, and no limit is met or missed.
EVEN = 0.03


def load(path):
    """A result file; without one this is the end."""
    try:
        with open(path, encoding="utf-8") as text:
            results = json.load(text)
    except (OSError, ValueError) as error:
        sys.exit(f"{path}: {error}")
    if results.get("schema") != SCHEMA:
        sys.exit(f"{path} is no result file of schema {SCHEMA}")
    return results


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
    """Distance of the quartiles as a part of the median; None if only that is 0."""
    if not median(values):
        return None if any(values) else 0.0
    return (quantile(values, 0.75) - quantile(values, 0.25)) / abs(median(values))


def median_percentiles(rounds):
    """Of each percentile the median over the rounds."""
    columns = zip(*(one["percentiles"] for one in rounds))
    return [[points[0][0], median([value for _, value in points])] for points in columns]


def summarize(collected):
    """One row for each case, metric and variant, of all its rounds.

    `collected` are the rows as the programs printed them, each with "round" and
    "variant" added. A row of a single value has p50 and no other statistic.
    """
    groups = {}
    for row in collected:
        key = (row["case"], row["metric"], row["variant"])
        groups.setdefault(key, []).append(row)
    rows = []
    for (case, metric, variant), rounds in groups.items():
        stats = [stat for stat in STATS if stat in rounds[0]]
        row = {"case": case, "metric": metric, "variant": variant,
               "unit": rounds[0]["unit"]}
        row |= {stat: median([one[stat] for one in rounds]) for stat in stats}
        row["spread"] = spread([one["p50"] for one in rounds])
        if "percentiles" in rounds[0]:
            row["percentiles"] = median_percentiles(rounds)
        row["rounds"] = [{key: one[key] for key in ("round", "n", *stats)}
                         for one in rounds]
        rows.append(row)
    return rows


def quotient(value, by):
    """1 for two that are the same, 0 or not; None where there is none."""
    if value == by:
        return 1.0
    return value / by if by else None


def ratio(row, other):
    """Statistics of `row` to those of `other`, round by round.

    Without those that lack a ratio in any round of either.
    """
    its = {one["round"]: one for one in other["rounds"]}
    if its.keys() != {one["round"] for one in row["rounds"]}:
        return {}
    result = {}
    for stat in ("p50", "p90", "p99"):
        if stat not in row or stat not in other:
            continue
        ratios = [quotient(one[stat], its[one["round"]][stat]) for one in row["rounds"]]
        if None not in ratios:
            result |= {stat: median(ratios), f"{stat}_spread": spread(ratios)}
    return result


def compare(rows, over="", over_case=""):
    """Each row's ratio to that of the variant `over`, or of the case `over_case`."""
    index = {(row["case"], row["metric"], row["variant"]): row for row in rows}
    comparisons = []
    for row in rows:
        other = index.get((over_case or row["case"], row["metric"],
                           over or row["variant"]))
        if other and other is not row:
            comparisons.append({
                "case": row["case"], "metric": row["metric"],
                "variant": row["variant"], "over": over, "over_case": over_case,
                **ratio(row, other)})
    return comparisons


def is_disturbed(apart):
    """Is this spread none, or too large?"""
    return apart is None or apart > SPREAD_BOUND


def disturbed_rows(rows):
    """Those whose rounds lie too far apart."""
    return [row for row in rows if is_disturbed(row["spread"])]


def verdict(value, apart, limit, at_least=False):
    """What a value is to its limit, when its rounds lie so far `apart`."""
    if value is None or limit is None:
        return "no ratio"
    if is_disturbed(apart):
        return "disturbed"
    if value > 0 and limit > 0 and (
            max(value / limit, limit / value) - 1 <= max(EVEN, apart)):
        return "even"
    met = value >= limit if at_least else value <= limit
    return "met" if met else "missed"


def judge_row(row, target):
    """The value of a target, in a row or a comparison, and what became of it."""
    value = row.get(target.stat)
    apart = row.get(f"{target.stat}_spread", row.get("spread"))
    limit = row.get("p50") if target.limit is None else target.limit
    return {"case": row["case"], "metric": row["metric"], "variant": row["variant"],
            "over": target.over, "over_case": target.over_case, "stat": target.stat,
            "value": value, "spread": apart, "limit": limit,
            "at_least": target.at_least,
            "verdict": verdict(value, apart, limit, target.at_least)}


def judge(bench, rows):
    """The value of each target and what became of it; none of too few rounds."""
    rows = [row for row in rows if len(row["rounds"]) >= MIN_ROUNDS]
    verdicts = []
    for target in bench.targets:
        found = rows
        if target.over or target.over_case:
            found = compare(rows, target.over, target.over_case)
        verdicts += [judge_row(row, target) for row in found
                     if re.search(target.case, row["case"])
                     and row["metric"] == target.metric
                     and row["variant"] == target.variant]
    return verdicts


def winner(bench, rows):
    """Who has won a case, which is who has won against each of the others.

    `rows` are those of one case and metric; {} where there is no race.
    """
    rows = [row for row in rows if row["variant"] not in bench.references]
    if len(rows) < 2:
        return {}
    if not bench.operation and any(len(row["rounds"]) < MIN_ROUNDS for row in rows):
        return {"result": "too few rounds"}
    more = rows[0]["metric"] in bench.rates
    best, *others = sorted(rows, key=lambda row: row["p50"], reverse=more)
    ratios = [ratio(best, other) for other in others]
    results = [verdict(one.get("p50"), one.get("p50_spread"), 1, more) for one in ratios]
    for result in ("no ratio", "disturbed", "even"):
        if result in results:
            return {"result": result}
    if "missed" in results:
        return {"result": "even"}
    # How many times more, or less
    value = ratios[0]["p50"]
    times = value if more else 1 / value if value else None
    return {"result": "won", "variant": best["variant"], "over": others[0]["variant"],
            "times": times}


def winners(bench, rows):
    """Of each case and metric."""
    groups = {}
    for row in rows:
        groups.setdefault((row["case"], row["metric"]), []).append(row)
    found = []
    for (case, metric), group in groups.items():
        if result := winner(bench, group):
            found.append({"case": case, "metric": metric, **result})
    return found


def build_report(bench, collected, about_bench):
    """What results.json has of one bench."""
    rows = summarize(collected)
    comparisons = compare(rows, over=bench.base)
    if bench.base_case:
        comparisons += compare(rows, over_case=bench.base_case)
    return {
        "bench": bench.name, "about": bench.about, **about_bench,
        "base": bench.base, "base_case": bench.base_case,
        "variants": list(bench.variants), "references": list(bench.references),
        "rates": list(bench.rates),
        "timings": list(bench.timings), "scaling": bench.scaling,
        "operation": bench.operation, "spread_bound": SPREAD_BOUND,
        "disturbed": [f"{row['case']}, {row['metric']}, {row['variant']}"
                      for row in disturbed_rows(rows)],
        "rows": rows, "comparisons": comparisons, "winners": winners(bench, rows),
        "targets": judge(bench, rows),
    }


def number(value):
    """Three significant digits or all before the point."""
    if value is None:
        return "none"
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def table(head, lines):
    """A Markdown table; the first column is text, the others are numbers."""
    rows = [head, *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]

    def line(cells):
        padded = [cell.rjust(width) if i else cell.ljust(width)
                  for i, (cell, width) in enumerate(zip(cells, widths))]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * (width - 1) + ":" if i else "-" * width
            for i, width in enumerate(widths)]
    return "\n".join([line(head), line(rule), *map(line, lines)])


def with_spread(text, apart, exact=False):
    """A number and its spread, either of which may be none."""
    if exact or text == "none":
        return text
    return text + (" ±?" if apart is None else f" ±{apart:.0%}")


def ratio_of(report, row, over, over_case):
    """p50's ratio and its spread, or nothing where there is nothing to compare with."""
    for one in report["comparisons"]:
        if (all(one[key] == row[key] for key in ("case", "metric", "variant"))
                and one["over"] == over and one["over_case"] == over_case):
            if "p50" not in one:
                return "none"
            return with_spread(f"{one['p50']:.2f}", one["p50_spread"], report["operation"])
    return ""


def value_cell(report, row):
    """p50, p99 where there is one, and the spread."""
    text = number(row["p50"])
    if "p99" in row and row["p99"] != row["p50"]:
        text += f" / {number(row['p99'])}"
    return with_spread(text, row["spread"], bool(report["operation"]))


def winner_cell(report, case, metric):
    """Who has won and by how much."""
    for one in report["winners"]:
        if (one["case"], one["metric"]) == (case, metric):
            if one["result"] != "won":
                return one["result"]
            return one["variant"] + (f" {one['times']:.2f}x" if one["times"] else "")
    return ""


def metric_table(report, rows):
    """The rows of one metric: a line for each case, a column for each variant."""
    variants = [variant for variant in report["variants"]
                if any(row["variant"] == variant for row in rows)]
    others = [variant for variant in variants if variant != report["base"]]
    head = [rows[0]["metric"], *variants]
    with_base = len(others) < len(variants)
    if with_base:
        head += [f"{variant} / {report['base']}" for variant in others]
    if report["base_case"]:
        head += [f"{variant} / {report['base_case']}" for variant in variants]
    head.append("best")
    lines = []
    for case in dict.fromkeys(row["case"] for row in rows):
        cells = {row["variant"]: row for row in rows if row["case"] == case}
        line = [case] + [value_cell(report, cells[variant]) if variant in cells else ""
                         for variant in variants]
        if with_base:
            line += [ratio_of(report, cells[variant], report["base"], "")
                     if variant in cells else "" for variant in others]
        if report["base_case"]:
            line += [ratio_of(report, cells[variant], "", report["base_case"])
                     if variant in cells else "" for variant in variants]
        lines.append([*line, winner_cell(report, case, rows[0]["metric"])])
    return table(head, lines)


def metric_tables(report):
    """A table for each metric and unit, with a title."""
    groups = {}
    for row in report["rows"]:
        groups.setdefault((row["metric"], row["unit"]), []).append(row)
    text = []
    for (metric, unit), rows in groups.items():
        more = "more" if metric in report["rates"] else "less"
        text += [f"### {metric}, {unit}", "", f"{more} is better", "",
                 metric_table(report, rows), ""]
    return text


def targets_table(report):
    """What was aimed at and what it came to."""
    lines = []
    for one in report["targets"]:
        over = one["over"] or one["over_case"]
        lines.append([
            f"{one['case']}: {one['metric']}, {one['stat']}",
            one["variant"] + (f" / {over}" if over else ""),
            with_spread(number(one["value"]), one["spread"]),
            f"{'>=' if one['at_least'] else '<='} {number(one['limit'])}",
            one["verdict"]])
    return table(["target", "variant", "value", "limit", "verdict"], lines)


def projections_table(report):
    """What the model makes of time and exits; nothing where exits are not counted."""
    lines = [[f"{case}: {variant}", *map(number, values)]
             for case, variant, *values in projections(report)]
    if not lines:
        return []
    least, most = EXIT_US
    return ["### projected on a processor, us", "",
            table(["operation", "in Bochs", "exits", f"{least} us an exit",
                   f"{most} us an exit"], lines), ""]


def bench_markdown(report):
    """The part of one bench."""
    rounds = [] if report["operation"] else [
        f"Rounds of each variant in turn: {report['rounds']}.", ""]
    text = [f"## {report['bench']}: {report['about']}", "", *rounds,
            *metric_tables(report), *projections_table(report)]
    if report["notes"]:
        text += [*(f"- {note}" for note in report["notes"]), ""]
    if report["disturbed"]:
        text += [f"Of {len(report['rows'])} rows {len(report['disturbed'])} are disturbed: "
                 f"their spread is above {report['spread_bound']:.0%}.", ""]
    if report["targets"]:
        text += [targets_table(report), ""]
    return text


def machine_line(results):
    """Where and when."""
    machine = results["machine"]
    parts = [f"{machine['cpus']} x {machine['cpu']}",
             *(machine[key] for key in ("qemu", "bochs", "accel", "hypervisor", "hsm")
               if key in machine)]
    return (f"Linux {results['kernel']}, {results['date']}, commit {results['commit']}; "
            + ", ".join(parts) + ("; quick" if results["quick"] else "") + ".")


def markdown(results):
    """All benches, for people."""
    text = ["# make bench", "", machine_line(results), "",
            "Each number is the median of all rounds, p50 or p50 / p99 within a round; "
            "± is the distance between the quartiles of the rounds' p50. Ratios are "
            "those of p50 within a round, of these the median, ± that of the ratios.", ""]
    if results["failed"]:
        text += [f"Failed: {', '.join(results['failed'])}.", ""]
    for report in results["benches"]:
        text += bench_markdown(report)
    return "\n".join(text)
