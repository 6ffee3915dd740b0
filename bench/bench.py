#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The measurements behind `make bench`.

Usage: bench.py [--on fixture|acrn] [--acrn-src PATH] [NAME...]
       bench.py --from FILE NAME

All that benches.py has without a name. KVER (6.1 or 6.12), QUICK=1 for fewer
rounds and ACCEL for QEMU come from the environment. With --from nothing is
measured: FILE has the lines that bench/on-machine.sh printed on a real machine.
With --on acrn it is measured on the real hypervisor, built from its sources in
PATH, in Bochs.
The exit status says whether everything was measured, not what came out.
"""

import argparse
import contextlib
import dataclasses
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

from acrn import CPUS, Acrn, AcrnVM
from benches import ACRN_BENCHES, BENCHES
from loads import load_rows
from plot import plot
from report import SCHEMA, build_report, markdown
from vm import BUILD, BuildError, Image, FixtureVM, make, user_vm_cpus

OUT = os.path.join(BUILD, "bench")
BOOT_SECONDS = 60
# The first of the CPUs that User VMs get on the real hypervisor, as it has two for
# the Service VM even if that uses one
ACRN_USER_CPU = 2
# Of a line that cannot be understood
LINE_SHOWN = 200


def output(*command):
    """What a command prints, or "" when there is none."""
    try:
        return subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def describe_machine(kernel, acrn):
    """Where this is measured, when and with what."""
    about = {"kernel": kernel, "date": datetime.date.today().isoformat(),
             "commit": output("git", "describe", "--always", "--dirty") or "unknown"}
    if acrn:
        return about | {"cpu": "processor of Bochs", "cpus": CPUS,
                        "bochs": "Bochs " + output("dpkg-query", "-W", "-f", "${Version}",
                                                   "bochs"),
                        "hypervisor": f"ACRN {acrn.commit[:12]}"}
    with open("/proc/cpuinfo", encoding="utf-8") as text:
        model = re.search(r"^model name\s*: (.*)$", text.read(), re.M)
    return about | {"cpu": model.group(1) if model else platform.machine(),
                    "cpus": os.cpu_count(),
                    "qemu": output("qemu-system-x86_64", "--version").split("\n")[0],
                    "accel": os.environ.get("ACCEL") or "tcg,thread=multi"}


def build(kver, extras, acrn):
    """All that a boot needs."""
    print(f"building for kernel {kver} (minutes, unless the kernel is cached)",
          flush=True)
    image = Image(kver)
    make(f"modules-{image.name}", "bench-modules", f"KDIR={image.kdir}",
         f"MODULES_DIR={image.modules}")
    # What tests have, a Service VM on the real hypervisor needs as well
    make("bench", "hypervisor", "tools", "bench-programs",
         *(["system-tests"] if acrn else []))
    image.build_initramfs(extras)
    if acrn:
        acrn.add_to(image)
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

    def __init__(self, bench, rounds, boots, expected, clock):
        self.bench = bench
        self.rounds = rounds
        self.clock = clock
        self.begin = clock.done
        self.turn_expected = expected / (boots * rounds * len(bench.variants))
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


def machine(bench, image, acrn, service_cpus, rounds, quick):
    """What the bench runs on."""
    if acrn:
        user_cpus = range(ACRN_USER_CPU, ACRN_USER_CPU + bench.user_cpus)
    else:
        user_cpus = user_vm_cpus(service_cpus, bench.user_cpus)
    args = (bench.program or bench.name, rounds, int(quick), "+".join(bench.variants), *user_cpus,
            *bench.args)
    logs = os.path.join(results_folder(acrn), f"{bench.name}.log")
    if bench.boots:
        logs = os.path.join(logs, f"{service_cpus}-cpus")
    timeout = BOOT_SECONDS + bench.seconds * rounds
    if acrn:
        return AcrnVM(acrn, image, logs, "bench", args, hsm="none",
                      service_cpus=service_cpus, cmdline=bench.cmdline, timeout=timeout,
                      mips=bench.mips)
    return FixtureVM(image, logs, "bench", args, hsm="none", service_cpus=service_cpus,
                     cpus=service_cpus + bench.user_cpus, memory=bench.memory,
                     spin_us=bench.spin_us, initramfs=image.initramfs(bench.extra),
                     timeout=timeout)


def accesses_note(run, vm):
    """How many upcalls there were, and for what, by the fixture's own count."""
    requests = sum(seen["pio"] + seen["mmio"] for seen in vm.witness())
    return f"{run.upcalls} upcalls for {requests} accesses of User VMs"


def boot(bench, image, acrn, service_cpus, quick, progress):
    """Boot once and measure; the run."""
    rounds = progress.rounds
    run = Run(progress)
    vm = machine(bench, image, acrn, service_cpus, rounds, quick)
    with contextlib.nullcontext() if acrn else cores_awake():
        status = vm.run(run.on_line)
    problems = vm.trouble()
    if status or len(run.ended) < rounds * len(bench.variants):
        problems.append(f"it ended with status {status} in {run.turn}")
    if problems:
        raise BuildError("\n".join([*problems, f"The logs are in {vm.logs}"]))
    if not acrn:
        run.notes.append(accesses_note(run, vm))
    return run


def add_cpus(run, service_cpus):
    """Say in rows and notes how many CPUs the Service VM had."""
    words = f"{service_cpus} CPU" + ("s" if service_cpus > 1 else "")
    for row in run.rows:
        row["case"] = f"{words}, {row['case']}"
    run.notes = [f"{words}, {note}" for note in run.notes]


def measure(bench, image, acrn, quick, clock):
    """Boot and measure; the report."""
    rounds = bench.quick_rounds if quick else bench.rounds
    boots = bench.boots or (bench.service_cpus,)
    progress = Progress(bench, rounds, len(boots), expected_seconds(bench, quick), clock)
    start = time.monotonic()
    runs = [boot(bench, image, acrn, service_cpus, quick, progress) for service_cpus in boots]
    if bench.boots:
        for run, service_cpus in zip(runs, boots):
            add_cpus(run, service_cpus)
    return build_report(bench, [row for run in runs for row in run.rows], {
        "rounds": rounds, "seconds": round(time.monotonic() - start),
        "notes": [note for run in runs for note in run.notes]})


def results_folder(acrn):
    """Results of the real hypervisor lie beside those of the fixture."""
    return os.path.join(OUT, "acrn") if acrn else OUT


def remove_results(folder):
    """Those of another run would seem to belong to this one."""
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.endswith((".svg", ".json", ".md")):
            os.remove(os.path.join(folder, name))


class Results:
    """What results.json in `folder` is going to have, written anew with each bench."""

    def __init__(self, folder, about_run):
        self.folder = folder
        self.content = {"schema": SCHEMA, **about_run, "failed": [], "benches": []}

    def add(self, report):
        """One more bench; prints it."""
        self.content["benches"].append(report)
        self._write()
        plot(report, self.folder)
        print("\n" + markdown(self.content | {"benches": [report]}), flush=True)

    def fail(self, bench, error):
        """One that has none, or no plots; says why."""
        self.content["failed"].append(bench.name)
        self._write()
        print(f"make bench: {bench.name}: {error}", file=sys.stderr, flush=True)

    def _write(self):
        with open(os.path.join(self.folder, "results.json"), "w", encoding="utf-8") as out:
            json.dump(self.content, out, indent=1)
            print(file=out)
        with open(os.path.join(self.folder, "results.md"), "w", encoding="utf-8") as out:
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


def measure_all(benches, acrn, quick):
    """Build, boot for one after the other; whether all were measured."""
    image = build(os.environ.get("KVER") or "6.1",
                  {bench.extra for bench in benches} - {""}, acrn)
    folder = results_folder(acrn)
    results = Results(folder, about_run(describe_machine(image.release, acrn), quick))
    clock = Clock(sum(expected_seconds(bench, quick) for bench in benches))
    before = 0
    for bench in benches:
        try:
            results.add(measure(bench, image, acrn, quick, clock))
        except Exception as error:  # Whatever it is, the others go on
            if not isinstance(error, BuildError):
                traceback.print_exc()
            results.fail(bench, error)
        before += expected_seconds(bench, quick)
        clock.done = before
    failed = results.content["failed"]
    print(f"{len(benches) - len(failed)} of {len(benches)} measured in "
          f"{clock.elapsed() / 60:.1f} min; {os.path.join(folder, 'results.json')}")
    return not failed


def read_lines(bench, path):
    """The report of what was measured elsewhere."""
    run = Run()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            run.on_line(line.rstrip())
    run.drop_turn()
    bench = dataclasses.replace(bench, variants=bench.variants + bench.on_machine)
    variants = {variant for _, variant in run.ended}
    if not variants or variants - set(bench.variants):
        raise BuildError(
            f"{path} has complete rounds of {', '.join(sorted(variants)) or 'no variant'};"
            f" the variants of {bench.name} are {', '.join(bench.variants)}")
    results = Results(OUT, about_run(one_machine(run.machines), False))
    results.add(build_report(bench, run.rows, {
        "rounds": len({number for number, _ in run.ended}), "seconds": 0,
        "notes": run.notes}))


def pick(benches, names):
    """Those with the names, or all."""
    unknown = set(names) - {bench.name for bench in benches}
    if unknown:
        sys.exit(f"make bench: no B={' '.join(unknown)}; there are "
                 + ", ".join(bench.name for bench in benches))
    return [bench for bench in benches if not names or bench.name in names]


def main():
    """Pick, build, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="file")
    parser.add_argument("--on", default="fixture", choices=("fixture", "acrn"))
    parser.add_argument("--acrn-src", default="")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    on_acrn = options.on == "acrn"
    benches = pick(ACRN_BENCHES if on_acrn else BENCHES, options.names)
    if options.file and len(options.names) != 1:
        sys.exit("make bench: which B= are these lines of?")
    if on_acrn and not options.acrn_src:
        sys.exit("make bench: ON=acrn needs ACRN_SRC=..., the sources of acrn-hypervisor")
    try:
        remove_results(results_folder(on_acrn))
        if options.file:
            read_lines(benches[0], options.file)
            return
        acrn = Acrn(options.acrn_src) if on_acrn else None
        measured = measure_all(benches, acrn, os.environ.get("QUICK", "0") not in ("", "0"))
    except BuildError as error:
        sys.exit(f"make bench: {error}")
    sys.exit(0 if measured else 1)


if __name__ == "__main__":
    main()
