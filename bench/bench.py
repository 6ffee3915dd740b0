#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The measurements behind `make bench`.

Usage: bench.py [NAME...]
       bench.py --from FILE NAME

All that benches.py has without a name. KVER (6.1 or 6.12), QUICK=1 for fewer
rounds and ACCEL for QEMU come from the environment. With --from nothing is
measured: FILE has the lines that bench/on-machine.sh printed on a real machine.
The exit status says whether everything was measured, not what came out.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "harness"))

from benches import BENCHES
from loads import load_rows
from plot import plot
from report import SCHEMA, build_report, markdown
from vm import BUILD, BuildError, Image, ServiceVM, make

OUT = os.path.join(BUILD, "bench")
BOOT_SECONDS = 60
# Of a line that cannot be understood
LINE_SHOWN = 200


def output(*command):
    """What a command prints, or "" when there is none."""
    try:
        return subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def describe_machine(kernel):
    """Where this is measured, when and with what."""
    with open("/proc/cpuinfo", encoding="utf-8") as text:
        model = re.search(r"^model name\s*: (.*)$", text.read(), re.M)
    return {"kernel": kernel, "date": datetime.date.today().isoformat(),
            "commit": output("git", "describe", "--always", "--dirty") or "unknown",
            "cpu": model.group(1) if model else platform.machine(),
            "cpus": os.cpu_count(),
            "qemu": output("qemu-system-x86_64", "--version").split("\n")[0],
            "accel": os.environ.get("ACCEL") or "tcg,thread=multi"}


def build(kver, extras):
    """All that a boot needs."""
    print(f"building for kernel {kver} (minutes, unless the kernel is cached)",
          flush=True)
    image = Image(kver)
    make(f"modules-{image.name}", "bench-modules", f"KDIR={image.kdir}",
         f"MODULES_DIR={image.modules}")
    make("bench", "hypervisor", "tools", "bench-programs")
    image.build_initramfs(extras)
    return image


@contextlib.contextmanager
def cores_awake():
    """Keep the host's cores from sleeping, from which they take long to wake.

    A virtual CPU that halts is a thread that sleeps. Without anything to run,
    the core sleeps as well, and to wake it takes the host long when it is a
    virtual machine itself. These processes run only on cores that have nothing
    else to do.
    """
    parent = os.getpid()
    spinners = []
    for _ in range(os.cpu_count()):
        pid = os.fork()
        if not pid:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            while os.getppid() == parent:
                pass
            os._exit(0)
        spinners.append(pid)
    try:
        yield
    finally:
        for pid in spinners:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


class Clock:
    """How far the whole of `make bench` is.

    `total` are the seconds that it takes by what benches.py expects; the machine
    may be slower, and what it took so far tells how much. That tells little at
    first: for so many seconds more all is taken to have gone as expected.
    """

    TRUST = 60

    def __init__(self, total):
        self.total = total
        self.done = 0.0
        self.start = time.monotonic()

    def elapsed(self):
        """Seconds since the start."""
        return time.monotonic() - self.start

    def left(self):
        """What is left, in words."""
        pace = (self.elapsed() + self.TRUST) / (self.done + self.TRUST)
        seconds = max(0, self.total - self.done) * pace
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


class Progress:
    """Says in which turn a bench is, and what is left of all."""

    def __init__(self, bench, rounds, expected, clock):
        self.bench = bench
        self.rounds = rounds
        self.clock = clock
        self.begin = clock.done
        self.turn_expected = expected / (rounds * len(bench.variants))
        self.turns = 0

    def turn(self, number, variant):
        """A turn begins."""
        self.clock.done = self.begin + self.turns * self.turn_expected
        self.turns += 1
        print(f"[{self.bench.name}] round {number}/{self.rounds}: {variant}; "
              f"{self.clock.left()} left in all", flush=True)


class Run:
    """What one boot, or one file of lines, has measured so far.

    A turn is a round under one variant. Its rows count when it has ended.
    """

    def __init__(self, progress=None):
        self.progress = progress
        self.rows = []
        self.notes = []
        self.machines = []
        self.upcalls = None
        self.ended = set()
        self._begin({})

    def on_line(self, line):
        """A line from the Service VM."""
        try:
            self._take(line)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            where = " of ".join(map(str, self.turn.values()))
            raise BuildError(
                f"round {where}: {error!r} in {line[:LINE_SHOWN]}") from error

    def _take(self, line):
        kind, _, rest = line.partition(": ")
        if kind == "round":
            self._on_turn(rest)
        elif kind == "machine":
            self.turn_machines.append(json.loads(rest))
        elif kind == "row":
            self.turn_rows.append(json.loads(rest))
        elif kind == "load":
            self.turn_rows += load_rows(json.loads(rest))
        elif kind == "upcalls":
            self.upcalls = int(rest)
        elif kind == "note":
            self._note(rest)

    def _note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def _on_turn(self, rest):
        if rest == "done":
            self._end_turn()
            return
        self.drop_turn()
        number, variant = rest.split()
        self._begin({"round": int(number), "variant": variant})
        if self.progress:
            self.progress.turn(number, variant)

    def _begin(self, turn):
        self.turn, self.turn_rows, self.turn_machines = turn, [], []

    def _end_turn(self):
        turn = tuple(self.turn.values())
        if turn in self.ended:
            raise BuildError("round {} of {} is there twice".format(*turn))
        self.ended.add(turn)
        self.rows += [row | self.turn for row in self.turn_rows]
        self.machines += self.turn_machines
        self._begin({})

    def drop_turn(self):
        """What has not ended by now does not count."""
        if self.turn:
            self._note("round {round} of {variant} did not end: it does not count".format(
                **self.turn))
        self._begin({})


def expected_seconds(bench, quick):
    """What it takes on two quiet cores."""
    return bench.quick_expected if quick else bench.expected


def measure(bench, image, quick, clock):
    """Boot and measure; the report."""
    rounds = bench.quick_rounds if quick else bench.rounds
    user_cpus = range(bench.service_cpus, bench.service_cpus + bench.user_cpus)
    run = Run(Progress(bench, rounds, expected_seconds(bench, quick), clock))
    vm = ServiceVM(image, os.path.join(OUT, f"{bench.name}.log"), "bench",
                   (bench.name, rounds, int(quick), "+".join(bench.variants), *user_cpus),
                   hsm="none", service_cpus=bench.service_cpus,
                   cpus=bench.service_cpus + bench.user_cpus, memory=bench.memory,
                   spin_us=bench.spin_us, initramfs=image.initramfs(bench.extra),
                   timeout=BOOT_SECONDS + bench.seconds * rounds)
    start = time.monotonic()
    with cores_awake():
        status = vm.run(run.on_line)
    problems = vm.trouble()
    if status or len(run.ended) < rounds * len(bench.variants):
        problems.append(f"it ended with status {status} in {run.turn}")
    if problems:
        raise BuildError("\n".join([*problems, f"The logs are in {vm.logs}"]))
    requests = sum(seen["pio"] + seen["mmio"] for seen in vm.witness())
    run.notes.append(f"{run.upcalls} upcalls for {requests} accesses of User VMs")
    return build_report(bench, run.rows, {
        "rounds": rounds, "seconds": round(time.monotonic() - start),
        "notes": run.notes})


def remove_results():
    """Those of another run would seem to belong to this one."""
    for name in os.listdir(OUT):
        if name.endswith((".svg", ".json", ".md")):
            os.remove(os.path.join(OUT, name))


class Results:
    """What build/bench/results.json is going to have, written anew with each bench."""

    def __init__(self, about_run):
        self.content = {"schema": SCHEMA, **about_run, "failed": [], "benches": []}

    def add(self, report):
        """One more bench; prints it."""
        self.content["benches"].append(report)
        self._write()
        plot(report, OUT)
        print("\n" + markdown(self.content | {"benches": [report]}), flush=True)

    def fail(self, bench, error):
        """One that has none, or no plots; says why."""
        self.content["failed"].append(bench.name)
        self._write()
        print(f"make bench: {bench.name}: {error}", file=sys.stderr, flush=True)

    def _write(self):
        with open(os.path.join(OUT, "results.json"), "w", encoding="utf-8") as out:
            json.dump(self.content, out, indent=1)
            print(file=out)
        with open(os.path.join(OUT, "results.md"), "w", encoding="utf-8") as out:
            out.write(markdown(self.content))


def one_machine(machines):
    """Of several descriptions one, with all that they say."""
    keys = dict.fromkeys(key for machine in machines for key in machine)
    return {key: ", ".join(dict.fromkeys(str(machine.get(key, "?")) for machine in machines))
            for key in keys}


def about_run(machine, quick):
    """What all results of a run have in common."""
    common = {key: machine.pop(key, "?") for key in ("kernel", "date", "commit")}
    return common | {"quick": quick, "machine": machine}


def measure_all(benches, quick):
    """Build, boot for one after the other; whether all were measured."""
    image = build(os.environ.get("KVER") or "6.1", {bench.extra for bench in benches} - {""})
    results = Results(about_run(describe_machine(image.release), quick))
    clock = Clock(sum(expected_seconds(bench, quick) for bench in benches))
    before = 0
    for bench in benches:
        try:
            results.add(measure(bench, image, quick, clock))
        except Exception as error:  # Whatever it is, the others go on
            if not isinstance(error, BuildError):
                traceback.print_exc()
            results.fail(bench, error)
        before += expected_seconds(bench, quick)
        clock.done = before
    failed = results.content["failed"]
    print(f"{len(benches) - len(failed)} of {len(benches)} measured in "
          f"{clock.elapsed() / 60:.1f} min; {os.path.join(OUT, 'results.json')}")
    return not failed


def read_lines(bench, path):
    """The report of what was measured elsewhere."""
    run = Run()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            run.on_line(line.rstrip())
    run.drop_turn()
    variants = {variant for _, variant in run.ended}
    if not variants or variants - set(bench.variants):
        raise BuildError(
            f"{path} has complete rounds of {', '.join(sorted(variants)) or 'no variant'};"
            f" the variants of {bench.name} are {', '.join(bench.variants)}")
    results = Results(about_run(one_machine(run.machines), False))
    results.add(build_report(bench, run.rows, {
        "rounds": len({number for number, _ in run.ended}), "seconds": 0,
        "notes": run.notes}))


def main():
    """Pick, build, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="file")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    unknown = set(options.names) - {bench.name for bench in BENCHES}
    if unknown:
        sys.exit(f"make bench: no B={' '.join(unknown)}; there are "
                 + ", ".join(bench.name for bench in BENCHES))
    benches = [bench for bench in BENCHES
               if not options.names or bench.name in options.names]
    if options.file and len(options.names) != 1:
        sys.exit("make bench: which B= are these lines of?")
    os.makedirs(OUT, exist_ok=True)
    remove_results()
    try:
        if options.file:
            read_lines(benches[0], options.file)
            return
        measured = measure_all(benches, os.environ.get("QUICK", "0") not in ("", "0"))
    except BuildError as error:
        sys.exit(f"make bench: {error}")
    sys.exit(0 if measured else 1)


if __name__ == "__main__":
    main()
