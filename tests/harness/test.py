#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the tests: unit tests here, system tests in VMs.

Usage: test.py [--list] [--flavour base|debug|rt] [--kvers LIST] [--jobs N]
               [--long] [--on fixture|acrn] [--acrn-src PATH] [NAME...]

NAME picks tests whose name is NAME or begins with "NAME-". Two tests run at a time,
unless --jobs says otherwise, because most of them wait for time to pass in their VMs.
With --long all tests run, and those that repeat something repeat it more often.
Without --long and without a NAME some tests are left out; the last line but one of the
output says how many. The last line is "N passed, N failed, N skipped": the first two
count tests, the third counts single checks that were skipped.

PATH has the sources of ACRN. With it the tests of acrn-dm run too. With --on acrn the
tests that can run on the real hypervisor do so, in Bochs.
"""

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback

from dataclasses import dataclass, field

from acrn import Acrn, AcrnVM
from differential import compare, parse_results, show
from suite import DIFFERENTIAL, SYSTEM
from vm import (BUILD, DIES_WITH_US, HARNESS, TOP, BuildError, Image, FixtureVM,
                InstalledVM, PackagedKernel, PlainVM, build_kernel, make, run_logged,
                user_vm_cpus)

LOGS = os.path.join(BUILD, "test")
UNIT = os.path.join(TOP, "tests", "unit")
UNIT_FLAGS = ["-g", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
              "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
              "-Itests/unit/shim", "-Iinclude", "-Ilib", "-Idm", "-Itool", "-Itests/include", "-I."]
SERVICE_CPUS = 2
# Number of lines of each log that are shown when a test fails
LOG_TAIL = 30


@dataclass
class Outcome:
    """Result of a test: `problems` make it fail, `notes` are always shown.

    `checks` is the number of checks that were made, `skipped` of those that were not.
    """

    problems: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    checks: int = 0
    skipped: int = 0

    def judge_status(self, status):
        """Count the exit status as a problem if the program reported none."""
        if status and not self.problems:
            self.problems.append(f"exit status {status}")


def judge_tap(path):
    """Judge TAP output: failed checks and a wrong or missing plan are problems."""
    with open(path, encoding="utf-8", errors="replace") as text:
        lines = text.read().splitlines()
    results = [line for line in lines if re.match(r"(not )?ok \d+", line)]
    problems = [line for line in results if line.startswith("not ok")]
    plans = [line for line in lines if re.fullmatch(r"1\.\.\d+", line)]
    if plans != [f"1..{len(results)}"] or not results:
        problems.append(f"the plan is {plans or 'missing'}, {len(results)} checks ran")
    skipped = sum(bool(re.match(r"ok \d+ .*# SKIP", line)) for line in results)
    return Outcome(problems, checks=len(results) - skipped, skipped=skipped)


def unmade_on_the_fixture(path):
    """Checks that need the fixture, yet were skipped on it: each is a problem."""
    with open(path, encoding="utf-8", errors="replace") as text:
        return [line.rstrip() for line in text if "# SKIP needs the fixture's" in line]


class UnitTest:
    """One file of tests/unit, built with sanitizers together with what it tests.

    The file's line "// sources:" names that, and libraries as gcc takes them.
    """

    usual = True

    def __init__(self, file):
        self.file = file
        self.name = "unit-" + file.removeprefix("test_").removesuffix(".c").replace("_", "-")
        self.about = "pure logic in user space, under ASan and UBSan"
        self.logs = os.path.join(LOGS, self.name)

    def run(self):
        """Build and run."""
        os.makedirs(self.logs, exist_ok=True)
        source = os.path.join(UNIT, self.file)
        with open(source, encoding="utf-8") as text:
            match = re.search(r"^// sources: (.*)$", text.read(), re.M)
        sources = match.group(1).split() if match else []
        program = os.path.join(self.logs, "program")
        try:
            run_logged(self.name, ["gcc", *UNIT_FLAGS, source, *sources, "-o", program],
                       os.path.join(self.logs, "build.log"))
        except BuildError as error:
            return Outcome([str(error)])
        log = os.path.join(self.logs, "task.log")
        with open(log, "w", encoding="utf-8") as out:
            status = subprocess.run([*DIES_WITH_US, program], stdout=out, timeout=120,
                                    stderr=subprocess.STDOUT, check=False).returncode
        outcome = judge_tap(log)
        outcome.judge_status(status)
        return outcome


class SystemTest:
    """A program of the suite on one kernel and one HSM."""

    def __init__(self, spec, kver, hsm, usual):
        self.spec = spec
        self.usual = usual
        self.kver = kver
        self.hsm = hsm
        self.name = f"{spec.program}-{hsm}-{kver}"
        self.about = spec.about
        self.logs = os.path.join(LOGS, self.name)
        self.image = None
        self.long = False

    def machine(self):
        """The machine that the program runs on."""
        spec = self.spec
        timeout = spec.timeout * (20 if self.long else 1)
        cpus = user_vm_cpus(SERVICE_CPUS, spec.user_cpus)
        static_cpus = sum(1 << cpu for cpu in cpus) if spec.static_cpus else 0
        return FixtureVM(self.image, self.logs, spec.program,
                         self.arguments(spec.args, cpus),
                         hsm=self.hsm, service_cpus=SERVICE_CPUS,
                         cpus=SERVICE_CPUS + spec.user_cpus, memory=spec.memory,
                         cmdline=spec.cmdline, timeout=timeout * self.image.slowness,
                         static_cpus=static_cpus,
                         initramfs=self.initramfs())

    def arguments(self, args, cpus):
        """`args`, or those for LONG=1, then the CPUs of User VMs."""
        if self.long and self.spec.long_args:
            args = self.spec.long_args
        return (*args, *cpus)

    def extra(self):
        """The extra of the Service VM's image."""
        return self.spec.long_extra if self.long and self.spec.long_extra else self.spec.extra

    def initramfs(self):
        """Path of the Service VM's initramfs."""
        if self.spec.acrn_dm:
            return self.image.acrn_initramfs[self.extra()]
        return self.image.initramfs(self.extra())

    def judge_task(self, path):
        """Judge the task's output."""
        outcome = judge_tap(path)
        outcome.problems += unmade_on_the_fixture(path)
        return outcome

    def run(self):
        """Boot and judge."""
        vm = self.machine()
        status = vm.run()
        outcome = self.judge_task(vm.log("task"))
        outcome.problems = vm.trouble() + outcome.problems
        outcome.judge_status(status)
        return outcome


class AcrnTest(SystemTest):
    """A program of the suite on the real hypervisor."""

    acrn = None

    def __init__(self, spec, kver, hsm, usual):
        super().__init__(spec, kver, hsm, usual)
        self.logs = os.path.join(LOGS, "acrn", self.name)

    def machine(self):
        """The machine that the program runs on."""
        spec, on = self.spec, self.spec.acrn
        cpus = range(SERVICE_CPUS, SERVICE_CPUS + min(spec.user_cpus, on.user_cpus))
        args = spec.args if on.args is None else on.args
        return AcrnVM(self.acrn, self.image, self.logs, spec.program,
                      self.arguments(args, cpus), hsm=self.hsm,
                      service_cpus=SERVICE_CPUS, cpus=SERVICE_CPUS + on.user_cpus,
                      cmdline=spec.cmdline, timeout=on.timeout * (10 if self.long else 1),
                      provokes=on.provokes, extra=self.extra())

    def judge_task(self, path):
        """As SystemTest.judge_task(); checks that need the fixture are skipped."""
        return judge_tap(path)


class ScriptTest:
    """A script of a folder of tests, which runs on this machine and not in a VM."""

    usual = True

    def __init__(self, folder, script, about):
        self.path = os.path.join(TOP, "tests", folder, f"{script}.sh")
        self.name = f"{folder}-{script}"
        self.about = about
        self.logs = os.path.join(LOGS, self.name)

    def command(self):
        """Build what the script needs. Returns the script and its arguments."""
        return [self.path, self.logs]

    def run(self):
        """Run the script and judge its output."""
        shutil.rmtree(self.logs, ignore_errors=True)
        os.makedirs(self.logs)
        log = os.path.join(self.logs, "task.log")
        command = self.command()
        with open(log, "w", encoding="utf-8") as out:
            status = subprocess.run([*DIES_WITH_US, *command], stdout=out,
                                    stderr=subprocess.STDOUT, check=False).returncode
        outcome = judge_tap(log)
        outcome.judge_status(status)
        return outcome


class PackagesTest(ScriptTest):
    """A script that builds modules for kernels."""

    def __init__(self, script, about, kvers, usual):
        super().__init__("packages", script, about)
        self.kvers = kvers
        self.usual = usual

    def command(self):
        """Build the kernels. Returns the script and its arguments."""
        return super().command() + [build_kernel(kver, "base") for kver in self.kvers]


def build_packages(step, folder, *version):
    """Build the Debian packages, as that version if there is one."""
    run_logged(step, [os.path.join(TOP, "packaging", "build.sh"), folder, *version],
               f"{folder}.log")


def debian_command(script, logs, kdir):
    """Make a Debian root file system.

    Returns the beginning of a command that runs a script as root, in a mount namespace of
    its own, with these arguments: the folder of logs, the root file system, the folder
    that has `kdir`, a kernel's build directory.
    """
    cache = os.path.dirname(kdir)
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n", "env", f"ACRN_CACHE={cache}"]
    root = subprocess.run([*as_root, os.path.join(HARNESS, "debian-root.sh")],
                          stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    return [*as_root, "unshare", "--mount", script, logs, root, cache]


class InstalledPackagesTest(PackagesTest):
    """A script that needs root and a Debian root file system to install packages into."""

    def command(self):
        """Build two versions of the packages and a root file system. Returns the command."""
        script, logs, *kdirs = super().command()
        folders = [os.path.join(self.logs, folder) for folder in ("deb", "newer")]
        build_packages(self.name, folders[0])
        build_packages(self.name, folders[1], "9.9")
        return [*debian_command(script, logs, kdirs[0]), *folders, *kdirs]


class InstalledTest:
    """The packages in a Debian that boots without ACRN, as Service VM, and purged of them.

    Without ACRN it has Debian's own kernel; else the base flavour, whatever the flavour
    of the other tests is.
    """

    name = "installed"
    about = "a Debian that boots with the packages, without ACRN and with it, and purged"
    usual = False

    def __init__(self, kver):
        self.kver = kver
        self.logs = os.path.join(LOGS, self.name)
        self.disk = os.path.join(self.logs, "disk")
        self.image = None
        self.long = False

    def make_disk(self, kdir, packaged):
        """Install Debian, the kernels and the packages on the disk.

        `packaged` is the folder of Debian's own kernel, or empty.
        """
        packages = os.path.join(self.logs, "deb")
        build_packages(self.name, packages)
        script = os.path.join(TOP, "tests", "installed", "disk.sh")
        run_logged(self.name,
                   [*debian_command(script, self.logs, kdir), packages, kdir, packaged,
                    os.path.join(kdir, "arch/x86/boot/bzImage"),
                    os.path.join(self.image.dir, "user-vm.cpio.lz4")],
                   f"{self.disk}.log")

    def boot(self, machine, image, task, hsm):
        """Boot and run a script of tests/installed. Returns its outcome."""
        # acrn-vhost check advises init_on_alloc=1, on 6.1
        vm = machine(image, os.path.join(self.logs, task), self.disk, task,
                     args=user_vm_cpus(SERVICE_CPUS, 1), hsm=hsm, service_cpus=SERVICE_CPUS,
                     cpus=SERVICE_CPUS + 1, memory="3G", cmdline="init_on_alloc=1",
                     timeout=600)
        status = vm.run()
        outcome = judge_tap(vm.log("task"))
        outcome.problems = vm.trouble() + outcome.problems
        outcome.judge_status(status)
        return outcome

    def run(self):
        """Make the disk, boot it three times, or twice without Debian's own kernel, and judge."""
        shutil.rmtree(self.logs, ignore_errors=True)
        image, packaged = Image(self.kver), PackagedKernel()
        fits = packaged.is_of(image.kdir)
        self.make_disk(image.kdir, packaged.dir if fits else "")
        boots = [self.boot(PlainVM, packaged, "without_acrn", "none")] if fits else []
        boots += [self.boot(InstalledVM, image, "installed", "ours"),
                  self.boot(InstalledVM, image, "purged", "in-tree")]
        os.remove(self.disk)
        notes = [] if fits else [f"not booted: {packaged.dir}, the source is of another version"]
        return Outcome([problem for boot in boots for problem in boot.problems], notes,
                       checks=sum(boot.checks for boot in boots),
                       skipped=sum(boot.skipped for boot in boots) + (not fits))


class DifferentialTest:
    """The same random calls on both HSMs of one kernel."""

    usual = True

    def __init__(self, spec, kver):
        self.spec = spec
        self.kver = kver
        self.name = f"{spec.program}-{kver}"
        self.about = spec.about
        self.logs = os.path.join(LOGS, self.name)
        self.image = None
        self.long = False

    def sequences(self):
        """How many there are."""
        return self.spec.long_sequences if self.long else self.spec.sequences

    def run_on(self, hsm, args):
        """Boot with an HSM. Returns the path of the results and a list of problems."""
        spec = self.spec
        timeout = spec.timeout * (20 if self.long else 1)
        cpus = user_vm_cpus(SERVICE_CPUS, spec.user_cpus)
        vm = FixtureVM(self.image, os.path.join(self.logs, hsm), spec.program,
                       (*args, *cpus), hsm=hsm, service_cpus=SERVICE_CPUS,
                       cpus=SERVICE_CPUS + spec.user_cpus, cmdline=spec.cmdline,
                       timeout=timeout * self.image.slowness)
        status = vm.run()
        problems = [f"{hsm}: {problem}" for problem in vm.trouble()]
        if status and not problems:
            problems.append(f"{hsm}: exit status {status}")
        return vm.log("task"), problems

    def run(self):
        """Boot with each HSM and compare the results."""
        seed = int(os.environ.get("SEED") or self.spec.seed)
        only = os.environ.get("SEQUENCE")
        count = self.sequences() // self.image.slowness
        if only and not (only.isdigit() and int(only) < self.sequences()):
            return Outcome([f"SEQUENCE={only}: there are 0 to {self.sequences() - 1}"])
        numbers = [int(only)] if only else range(count)
        args = (seed, count, *(numbers if only else []))
        ours, problems = self.run_on("ours", args)
        theirs, more = self.run_on("in-tree", args)
        problems += more
        if problems:
            return Outcome(problems)
        comparison, differences = compare(seed, numbers, ours, theirs)
        notes = comparison.notes(seed)
        if only:
            notes = show(seed, numbers[0], ours, theirs) + notes
        elif differences:
            differences.insert(0, f"to see one: make test T={self.name} SEED={seed} SEQUENCE=...")
        return Outcome(differences, notes, comparison.compared)


class AcrnDifferentialTest(DifferentialTest):
    """The random calls on our HSM alone: ACRN must survive them."""

    def __init__(self, spec, kver, usual):
        super().__init__(spec, kver)
        self.usual = usual
        self.logs = os.path.join(LOGS, "acrn", self.name)

    def sequences(self):
        """How many there are."""
        return self.spec.long_sequences if self.long else self.spec.acrn.args[0]

    def run(self):
        """Boot, and check that each sequence was carried out."""
        on = self.spec.acrn
        seed = int(os.environ.get("SEED") or self.spec.seed)
        count = self.sequences()
        cpus = range(SERVICE_CPUS, SERVICE_CPUS + self.spec.user_cpus)
        vm = AcrnVM(AcrnTest.acrn, self.image, self.logs, self.spec.program,
                    (seed, count, *cpus), service_cpus=SERVICE_CPUS,
                    cmdline=self.spec.cmdline, timeout=on.timeout * (10 if self.long else 1),
                    provokes=on.provokes)
        status = vm.run()
        outcome = Outcome(vm.trouble(), checks=len(parse_results(vm.log("task"))))
        outcome.judge_status(status)
        if outcome.checks != count and not outcome.problems:
            outcome.problems.append(f"{outcome.checks} of {count} sequences were carried out")
        return outcome


def acrn_tests(kvers):
    """Every test for the real hypervisor, in the order of running."""
    tests = [AcrnTest(spec, kver, hsm, spec.acrn.is_usual(hsm, kver, kvers))
             for kver in kvers for spec in SYSTEM if spec.acrn for hsm in spec.acrn.hsms]
    tests += [AcrnDifferentialTest(DIFFERENTIAL, kver,
                                   DIFFERENTIAL.acrn.is_usual("ours", kver, kvers))
              for kver in kvers]
    return tests


def all_tests(kvers):
    """Every test for the fixture, in the order of running."""
    tests = [UnitTest(file) for file in sorted(os.listdir(UNIT))
             if re.fullmatch(r"test_\w+\.c", file)]
    # First, because at the end one processor would be idle while these run
    tests.append(PackagesTest("build", "the Debian packages, and the sources in them",
                              kvers[:1], True))
    tests.append(InstalledPackagesTest("install", "the same, installed, upgraded and purged",
                                       kvers, False))
    tests.append(InstalledTest(kvers[0]))
    tests.append(ScriptTest("tool", "terminal", "acrn-vhost stat as a person sees it"))
    tests += [SystemTest(spec, kver, hsm, spec.is_usual(hsm, kver, kvers))
              for kver in kvers for spec in SYSTEM for hsm in spec.hsms]
    tests += [DifferentialTest(DIFFERENTIAL, kver) for kver in kvers]
    return tests


def needs_acrn_dm(test):
    """Whether a test can run only with ACRN's sources."""
    return isinstance(test, SystemTest) and test.spec.acrn_dm


def needs_bench(test):
    """Whether a test runs programs of bench/."""
    return isinstance(test, SystemTest) and test.spec.bench


def pick(tests, names):
    """The tests that `names` pick. Exits if a name picks none."""
    def has(test, name):
        return test.name == name or test.name.startswith(name + "-")

    unknown = [name for name in names if not any(has(test, name) for test in tests)]
    if unknown:
        sys.exit(f"make test: no T={' '.join(unknown)}; `make test-list` shows the names")
    return [test for test in tests if any(has(test, name) for name in names)]


def build_image(kver, flavour, tests, acrn):
    """Build the image from which the tests of one kernel boot."""
    print(f"# building for kernel {kver}", flush=True)
    image = Image(kver, flavour)
    image.build_modules()
    extras = {test.extra() for test in tests if isinstance(test, SystemTest)} - {""}
    image.build_initramfs(extras)
    if acrn:
        acrn.add_to(image, extras)
    return image


def prepare(tests, flavour, acrn_src):
    """Build what the system tests among `tests` need."""
    tests = [test for test in tests if not isinstance(test, (UnitTest, ScriptTest))]
    if not tests:
        return
    make("tools", "hypervisor", "tools", "system-tests",
         *(["bench-programs"] if any(map(needs_bench, tests)) else []))
    acrn = None
    if acrn_src:
        acrn = AcrnTest.acrn = Acrn(acrn_src)
        print(f"# ACRN: {acrn.commit}", flush=True)
    for kver in dict.fromkeys(test.kver for test in tests):
        own = [test for test in tests if test.kver == kver]
        image = build_image(kver, flavour, own, acrn)
        for test in own:
            test.image = image


def run_one(test):
    """Run a test. Returns its outcome and the seconds it took."""
    start = time.monotonic()
    try:
        outcome = test.run()
    except Exception as error:
        # Whatever went wrong, the other tests go on
        outcome = Outcome([f"{type(error).__name__}: {error}"],
                          traceback.format_exc().splitlines())
    if not outcome.checks and not outcome.problems:
        outcome.problems.append("nothing was checked")
    return outcome, time.monotonic() - start


def work(todo, done):
    """Thread that runs tests from `todo` and puts their outcomes into `done`."""
    while True:
        test = todo.get()
        done.put((test, *run_one(test)))


def show_logs(logs):
    """Print where a failed test's logs are and how each ends, as they may not be kept."""
    print(f"    logs: {logs}")
    for folder, _, files in sorted(os.walk(logs)):
        for file in sorted(file for file in files if file.endswith(".log")):
            with open(os.path.join(folder, file), encoding="utf-8",
                      errors="replace") as text:
                tail = [line for line in text.read().splitlines()
                        if "warning: TCG doesn't support" not in line][-LOG_TAIL:]
            print(f"    --- the end of {os.path.relpath(os.path.join(folder, file), logs)}")
            for line in tail:
                print(f"    | {line}")
    sys.stdout.flush()


def run_all(tests, jobs):
    """Run the tests, `jobs` at a time. Returns the failures and the number of skipped checks."""
    failed = []
    skipped = 0
    todo, done = queue.SimpleQueue(), queue.SimpleQueue()
    for test in tests:
        todo.put(test)
    for _ in range(jobs):
        # Daemon threads, so that an interrupt does not wait for the remaining tests
        threading.Thread(target=work, args=(todo, done), daemon=True).start()
    for number in range(1, len(tests) + 1):
        test, outcome, seconds = done.get()
        counts = f"{outcome.checks} checks, "
        if outcome.skipped:
            counts += f"{outcome.skipped} skipped, "
            skipped += outcome.skipped
        print(f"[{number}/{len(tests)}] {test.name} "
              f"{'FAILED' if outcome.problems else 'ok'} ({counts}{seconds:.0f} s)",
              flush=True)
        for note in outcome.notes:
            print(f"    {note}")
        for problem in outcome.problems[:20]:
            print(f"    {problem}")
        if outcome.problems:
            show_logs(test.logs)
            failed.append(f"{test.name}: {outcome.problems[0]}")
    return failed, skipped


def main():
    """Pick tests, build, run, and print the verdict last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--flavour", default="base", choices=("base", "debug", "rt"))
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--kvers", default="6.1 6.12", type=str.split)
    parser.add_argument("--jobs", default=2, type=int)
    parser.add_argument("--on", default="fixture", choices=("fixture", "acrn"))
    parser.add_argument("--acrn-src", default="")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.flavour == "rt":
        # Earlier kernels have no PREEMPT_RT
        options.kvers = [kver for kver in options.kvers if kver != "6.1"]
        if not options.kvers:
            sys.exit("make test: 6.1 has no PREEMPT_RT")
    if options.on == "acrn" and not (options.acrn_src or options.list):
        sys.exit("make test: ON=acrn needs ACRN_SRC=..., the sources of acrn-hypervisor")
    tests = acrn_tests(options.kvers) if options.on == "acrn" else all_tests(options.kvers)
    if options.names:
        tests = pick(tests, options.names)
    if options.list:
        for test in tests:
            print(f"{test.name:<32} {test.about}{'' if test.usual else ' (LONG=1)'}")
        return
    without = [] if options.acrn_src else [test for test in tests if needs_acrn_dm(test)]
    if options.names and without:
        sys.exit(f"make test: {without[0].name} needs ACRN_SRC=..., the sources of "
                 "acrn-hypervisor")
    tests = [test for test in tests if test not in without]
    left = 0
    if not options.names and not options.long:
        left = sum(not test.usual for test in tests)
        tests = [test for test in tests if test.usual]
    for test in tests:
        test.long = options.long
    try:
        prepare(tests, options.flavour, options.acrn_src)
        failed, skipped = run_all(tests, options.jobs)
    except BuildError as error:
        sys.exit(f"make test: {error}")
    except KeyboardInterrupt:
        sys.exit("make test: interrupted")
    for line in failed:
        print(f"FAILED {line}")
    if not options.acrn_src:
        print("not tested: acrn-dm, and the real hypervisor; see tests/acrn/README.md")
    if left:
        print(f"{left} left to LONG=1")
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
