# SPDX-License-Identifier: GPL-2.0
"""From what a load printed, and what was counted meanwhile, to rows.

What counters.c prints has the case, the tool, its output and one or more loads:
the counters of the Service VM and, if it ran in one, of the User VM.
"""

import json

# Of fio's terse output the place of the job's name and of what it read and wrote;
# in either of these two the KiB, KiB/s, I/O per second, milliseconds and the first
# of 20 percentiles.
FIO_TERSE = "3;fio-"
JOB = 2
FIO_PERCENTILES = 20
FIO_READ, FIO_WRITE = 5, 46
KIB, BANDWIDTH, IOPS, RUNTIME, PERCENTILES = 0, 1, 2, 3, 12


def value_row(metric, unit, value):
    """A row of a single value."""
    return {"metric": metric, "unit": unit, "n": 1, "p50": value}


def latency_row(count, percentiles):
    """The row of a distribution in microseconds: {percent: value}."""
    def least(percent):
        return min(value for at, value in percentiles.items() if at >= percent)

    return {"metric": "latency", "unit": "us", "n": count, "min": least(0),
            "p50": least(50), "p90": least(90), "p99": least(99),
            "percentiles": sorted(percentiles.items())}


def cost_rows(load, count, unit):
    """What each of `count` things, of the kind `unit`, took beside time."""
    if not count:
        raise ValueError(f"not one {unit}")
    if load["service"]["exits"] >= 0:
        return [value_row("exits", f"per {unit}", load["service"]["exits"] / count)]
    service, guest = load["service"], load["guest"]
    rows = [value_row("Service VM's CPU", f"us per {unit}", sum(service["busy"]) * 1e6 / count),
            value_row("context switches", f"per {unit}", service["switches"] / count)]
    if len(service["busy"]) > 1:
        rows += [value_row(f"CPU {cpu} of the Service VM", f"us per {unit}", busy * 1e6 / count)
                 for cpu, busy in enumerate(service["busy"])]
    if guest:
        rows += [value_row("User VM's CPU", f"us per {unit}", sum(guest["busy"]) * 1e6 / count),
                 value_row("doorbell exits", f"per {unit}", service["upcalls"] / count),
                 value_row("MSIs", f"per {unit}", guest["virtio"] / count)]
    return rows


def fio_rows(load, line):
    """A line of fio's terse output, version 3."""
    fields = line.split(";")
    sides = [side for side in (FIO_READ, FIO_WRITE) if int(fields[side + KIB])]
    if not sides:
        raise ValueError(f"{load['name']}: not one I/O")
    iops = sum(float(fields[side + IOPS]) for side in sides)
    count = sum(float(fields[side + IOPS]) * int(fields[side + RUNTIME]) / 1000
                for side in sides)
    if load["name"].endswith("bandwidth"):
        kib = sum(int(fields[side + BANDWIDTH]) for side in sides)
        rows = [value_row("bandwidth", "MiB/s", kib / 1024)]
    else:
        rows = [value_row("IOPS", "1/s", iops)]
    if load["name"].endswith("depth-1"):
        start = sides[0] + PERCENTILES
        pairs = [field.split("%=") for field in fields[start:start + FIO_PERCENTILES]]
        rows.append(latency_row(round(count), {
            float(percent): float(us) for percent, us in pairs if float(percent)}))
    return rows + cost_rows(load, count, "I/O")


def all_fio_rows(record):
    """Those of all sections of bench/jobs/block.fio."""
    # Beside the results there is what it says of the sections
    lines = {word.split(";")[JOB]: word for word in record["output"].split()
             if word.startswith(FIO_TERSE)}
    queues = "1 queue" if record["case"] == "1 queues" else record["case"]
    rows = []
    for load in record["loads"]:
        name = load["name"].replace(",", ", ").replace("-", " ")
        rows += [{"case": f"{name}, {queues}", **row}
                 for row in fio_rows(load, lines[load["name"]])]
    return rows


def iperf3_rows(record):
    """iperf3's JSON. Bytes and packets are those that arrived."""
    load = record["loads"][0]
    result = json.loads(record["output"])
    if "error" in result:
        raise ValueError(result["error"])
    end = result["end"]
    if "lost_packets" not in end["sum_received"]:
        received = end["sum_received"]
        return [value_row("throughput", "Mbit/s", received["bits_per_second"] / 1e6),
                *cost_rows(load, received["bytes"] / 2**20, "MiB")]
    total = end["sum"]
    received = total["packets"] - total["lost_packets"]
    return [value_row("packets", "1/s", received / total["seconds"]),
            value_row("loss", "%", total["lost_percent"]),
            *cost_rows(load, received, "packet")]


def pingpong_rows(record):
    """bench/both/pingpong.c."""
    result = json.loads(record["output"])
    return [value_row("requests", "1/s", result["requests"] / result["seconds"]),
            latency_row(result["requests"],
                        {float(percent): us for percent, us in result["us"].items()}),
            *cost_rows(record["loads"][0], result["requests"], "request")]


def reads_rows(record):
    """bench/both/reads.c."""
    result = json.loads(record["output"])
    return [value_row("time", "us", result["seconds"] * 1e6 / result["reads"]),
            *cost_rows(record["loads"][0], result["reads"], "read")]


def idle_rows(record):
    """A load that does nothing for a while."""
    load = record["loads"][0]
    return cost_rows(load, load["service"]["seconds"], "s")


def load_rows(record):
    """All rows of what counters.c printed; no times where exits were counted."""
    if record["tool"] == "fio":
        return all_fio_rows(record)
    tools = {"iperf3": iperf3_rows, "pingpong": pingpong_rows, "reads": reads_rows,
             "idle": idle_rows}
    rows = tools[record["tool"]](record)
    if record["loads"][0]["service"]["exits"] >= 0:
        rows = [row for row in rows if row["metric"] == "exits"]
    return [{"case": record["case"], **row} for row in rows]
