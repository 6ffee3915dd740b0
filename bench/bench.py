#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The measurements behind `make bench`.

Usage: bench.py [NAME...]

All that benches.py has without a name. KVER (6.1 or 6.12), QUICK=1 for fewer
rounds and ACCEL for QEMU come from the environment. The exit status says
whether everything was measured, not what came out.
"""

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

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "harness"))

from report import build_report, save
from benches import BENCHES
from vm import BUILD, BuildError, Image, ServiceVM, make

OUT = os.path.join(BUILD, "bench")
BOOT_SECONDS = 60


def output(*command):
    """What a command prints, or "" when there is none."""
    try:
        return subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def describe_machine():
    """Where this was measured."""
    with open("/proc/cpuinfo", encoding="utf-8") as text:
        model = re.search(r"^model name\s*: (.*)$", text.read(), re.M)
    return {"cpu": model.group(1) if model else platform.machine(),
            "cpus": os.cpu_count(),
            "qemu": output("qemu-system-x86_64", "--version").split("\n")[0],
            "accel": os.environ.get("ACCEL") or "tcg,thread=multi"}


def build(kver):
    """All that a boot needs."""
    print(f"building for kernel {kver} (minutes, unless the kernel is cached)",
          flush=True)
    image = Image(kver)
    make(f"modules-{image.name}", "bench-modules", f"KDIR={image.kdir}",
         f"MODULES_DIR={image.modules}")
    make("bench", "hypervisor", "tools", "bench-programs")
    image.build_initramfs()
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


class Run:
    """One boot that measures: the rows so far, and how far it is."""

    def __init__(self, bench, rounds):
        self.bench = bench
        self.rounds = rounds
        self.rows = []
        self.notes = []
        self.turn = {}
        self.turns = 0
        self.start = 0.0
        self.complete = False

    def on_line(self, line):
        """A line from the Service VM."""
        kind, _, rest = line.partition(": ")
        if kind == "round":
            self._on_turn(rest)
        elif kind == "row":
            self.rows.append(json.loads(rest) | self.turn)
        elif kind == "note" and rest not in self.notes:
            self.notes.append(rest)

    def _on_turn(self, rest):
        if rest == "done":
            self.complete = True
            return
        number, variant = rest.split()
        self.turn = {"round": int(number), "variant": variant}
        now = time.monotonic()
        left = ""
        if self.turns:
            per_turn = (now - self.start) / self.turns
            turns_left = self.rounds * len(self.bench.variants) - self.turns
            left = f", {per_turn * turns_left:.0f} s left"
        else:
            self.start = now
        self.turns += 1
        print(f"[{self.bench.name}] round {number}/{self.rounds}: {variant}{left}",
              flush=True)


def measure(bench, image, quick):
    """Boot and measure; the report."""
    rounds = bench.quick_rounds if quick else bench.rounds
    user_cpus = range(bench.service_cpus, bench.service_cpus + bench.user_cpus)
    run = Run(bench, rounds)
    vm = ServiceVM(image, os.path.join(OUT, f"{bench.name}.log"), "bench",
                   (bench.name, rounds, "+".join(bench.variants), *user_cpus),
                   hsm="none", service_cpus=bench.service_cpus,
                   cpus=bench.service_cpus + bench.user_cpus, memory=bench.memory,
                   cmdline=bench.cmdline, spin_us=bench.spin_us,
                   timeout=BOOT_SECONDS + bench.seconds * rounds)
    with cores_awake():
        status = vm.run(run.on_line)
    problems = vm.trouble()
    if status or not run.complete:
        problems.append(f"it ended with status {status} in {run.turn}")
    if problems:
        raise BuildError("\n".join([f"{bench.name}:", *problems,
                                    f"The logs are in {vm.logs}"]))
    return build_report(bench, run.rows, {
        "kernel": image.release, "rounds": rounds, "quick": quick,
        "notes": run.notes,
        "date": datetime.date.today().isoformat(),
        "commit": output("git", "describe", "--always", "--dirty") or "unknown",
        "machine": describe_machine(),
    })


def main():
    """Pick, build, measure, report."""
    names = sys.argv[1:]
    unknown = set(names) - {bench.name for bench in BENCHES}
    if unknown:
        sys.exit(f"make bench: no B={' '.join(unknown)}; there are "
                 + ", ".join(bench.name for bench in BENCHES))
    quick = os.environ.get("QUICK", "0") not in ("", "0")
    try:
        image = build(os.environ.get("KVER") or "6.1")
        for bench in BENCHES:
            if names and bench.name not in names:
                continue
            path = os.path.join(OUT, bench.name)
            print("\n" + save(measure(bench, image, quick), path))
            print(f"The rows are in {path}.json.", flush=True)
    except BuildError as error:
        sys.exit(f"make bench: {error}")


if __name__ == "__main__":
    main()
