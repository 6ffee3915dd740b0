# SPDX-License-Identifier: GPL-2.0
"""Build a Service VM's images, boot them, and look for failures in the logs."""

import glob
import os
import re
import shutil
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
HARNESS = os.path.join(TOP, "tests", "harness")

# Patterns of lines that make a run fail when a kernel or the hypervisor logs them. The
# file has one per line and is also used by grep -E.
with open(os.path.join(TOP, "tests", "system", "trouble"), encoding="ascii") as lines:
    TROUBLE = re.compile("|".join(lines.read().splitlines()))

# Prefix of a command that is to be killed when the thread that started it ends, even
# if that is killed itself
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")

# A boot takes 4 s, and a few times that while other VMs run beside it.
BOOT_SECONDS = 40
SYSTEMD_BOOT_SECONDS = 300


class BuildError(Exception):
    """A step of the build failed; the message says which and why."""


def run_logged(step, command, log):
    """Run a build command; on failure show the end of its log."""
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run(command, cwd=TOP, stdout=out, check=False,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if status.returncode:
        with open(log, encoding="utf-8", errors="replace") as text:
            tail = "".join(text.readlines()[-30:])
        raise BuildError(f"{step} failed, the log is {log}:\n{tail}")


def build_kernel(kver, flavour):
    """Return the build directory of the VMs' kernel, which is built when it is missing."""
    command = [os.path.join(TOP, "tests/kernel/build.sh"), kver, flavour]
    result = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if result.returncode:
        raise BuildError(f"the kernel {kver} could not be built")
    return result.stdout.strip()


def make(step, *targets):
    """Run make for some targets with a log of its own."""
    run_logged(step, ["make", f"-j{os.cpu_count()}", *targets], os.path.join(BUILD, "log", f"{step}.log"))


class Image:
    """Kernel, modules and initramfs of one kernel version.

    `flavour` is that of the Service VM's kernel, which is under test. User VMs have the
    base flavour of the same version, as a debug kernel takes minutes to boot there.
    """

    def __init__(self, kver, flavour="base"):
        name = f"{kver}-{flavour}"
        self.kdir = build_kernel(kver, flavour)
        self.user_kdir = build_kernel(kver, "base")
        # Factor by which everything may take longer than usual
        self.slowness = 5 if flavour == "debug" else 1
        self.modules = os.path.join(BUILD, f"modules-{name}")
        self.dir = os.path.join(BUILD, f"image-{name}")
        self.name = name
        self.bzimage = os.path.join(self.kdir, "arch/x86/boot/bzImage")
        # By the name of the extra, initramfs with acrn-dm; Acrn.add_to() makes them
        self.acrn_initramfs = {}
        with open(os.path.join(self.kdir, "include/config/kernel.release"),
                  encoding="ascii") as release:
            self.release = release.read().strip()

    def build_modules(self):
        """Build our modules for this kernel."""
        make(f"modules-{self.name}", "modules", f"KDIR={self.kdir}",
             f"MODULES_DIR={self.modules}")

    def initramfs(self, extra=""):
        """Path of the Service VM's initramfs, without or with an extra of image.sh."""
        return os.path.join(self.dir, f"service-vm-{extra}.cpio" if extra else "service-vm.cpio")

    def build_initramfs(self, extras=()):
        """Pack the initramfs images, with whatever has been built so far."""
        run_logged(f"image-{self.name}",
                   [os.path.join(HARNESS, "image.sh"), self.kdir, self.modules,
                    self.user_kdir, self.dir] + sorted(extras),
                   os.path.join(BUILD, "log", f"image-{self.name}.log"))


class PackagedKernel:
    """Debian's own kernel for virtual machines, in the place of an Image.

    `dir` has what the package has in it.
    """

    slowness = 1

    def __init__(self):
        command = [os.path.join(TOP, "tests/kernel/distribution.sh")]
        self.dir = subprocess.run(command, stdout=subprocess.PIPE, check=True,
                                  text=True).stdout.strip()
        [self.bzimage] = glob.glob(os.path.join(self.dir, "boot/vmlinuz-*"))

    def is_of(self, kdir):
        """Whether the kernel built in `kdir` is of the same version of Linux' source."""
        source = os.path.basename(os.path.realpath(os.path.join(kdir, "source")))
        return source == "linux-" + self.dir.rpartition("-amd64-")[2]


# Of the CPUs that VMs run on; see tests/hypervisor/cpu.h
FIRST_CPU = 1


def user_vm_cpus(service_cpus, count):
    """The numbers of the fixture's first `count` CPUs for User VMs."""
    return range(FIRST_CPU + service_cpus, FIRST_CPU + service_cpus + count)


class ServiceVM:
    """One boot: hypervisor, Service VM, one task in it, power-off.

    The folder `logs` gets console.log (kernel, User VMs), task.log (output of the task)
    and hv.log (hypervisor). The task may take `timeout` seconds. FixtureVM and AcrnVM
    are the two kinds of machine.
    """

    kernel_logs = ("console", "hv")

    def __init__(self, image, logs, timeout):
        shutil.rmtree(logs, ignore_errors=True)
        os.makedirs(logs)
        self.image = image
        self.logs = logs
        self.timeout = timeout
        self.gave_up = None
        self.status = None

    def kernel_words(self, task, args, hsm, service_cpus, cmdline):
        """The Service VM's command line, without its console."""
        # no_timer_check: on a busy host the check for ten timer ticks fails
        return " ".join(["panic=-1", "loglevel=5", "mitigations=off", "tsc=reliable",
                         "no_timer_check", f"nr_cpus={service_cpus}", f"hsm={hsm}",
                         f"task={task}", f"args={','.join(map(str, args))}",
                         f"slowness={self.slowness()}", cmdline]).strip()

    def slowness(self):
        """Factor by which everything may take longer than usual."""
        return self.image.slowness

    def log(self, name):
        """Path of one of the logs."""
        return os.path.join(self.logs, f"{name}.log")

    def take(self, line):
        """Look for the task's exit status in a line of what it prints."""
        match = re.fullmatch(r"exit: (\d+)", line)
        if match:
            self.status = int(match.group(1))

    def trouble(self):
        """Reasons for the run to fail: lines of the logs that match TROUBLE, and others."""
        found = []
        if self.gave_up:
            found.append(self.gave_up)
        elif self.status is None:
            found.append("the Service VM ended before its task did")
        for name in self.kernel_logs:
            try:
                with open(self.log(name), encoding="utf-8", errors="replace") as text:
                    found += [line.strip() for line in text if TROUBLE.search(line)]
            except FileNotFoundError:
                found.append(f"no {name}.log: the emulator did not start, see the others")
        return found


class FixtureVM(ServiceVM):
    """One boot of tests/hypervisor in QEMU, whose own log is qemu.log.

    There are `cpus` for the Service VM and User VMs, from FIRST_CPU on.
    """

    boot_seconds = BOOT_SECONDS

    def __init__(self, image, logs, task, args=(), hsm="ours", service_cpus=2,
                 cpus=4, memory="2G", cmdline="", timeout=120, spin_us=0, static_cpus=0,
                 initramfs=None):
        super().__init__(image, logs, timeout)
        words = self.kernel_words(task, args, hsm, service_cpus, cmdline)
        self.command = [
            *DIES_WITH_US, "qemu-system-x86_64",
            "-accel", os.environ.get("ACCEL") or "tcg,thread=multi", "-cpu", "EPYC",
            "-smp", str(FIRST_CPU + cpus), "-m", memory, "-display", "none", "-vga", "none",
            "-net", "none", "-no-reboot",
            *self.boot_options(
                f"service_cpus={service_cpus} spin_us={spin_us} static_cpus={static_cpus}",
                f"console=ttyS0 {words}", initramfs or image.initramfs()),
            "-serial", f"file:{self.log('console')}", "-serial", "stdio",
            "-debugcon", f"file:{self.log('hv')}", "-monitor", "none"]

    def boot_options(self, hypervisor_words, words, root):
        """QEMU's options for the hypervisor and for the kernel, each with its command line."""
        # QEMU splits -initrd at commas; a doubled comma stands for one
        kernel = f"{self.image.bzimage} {words}".replace(",", ",,")
        return ["-kernel", os.path.join(BUILD, "hypervisor", "hv.elf"),
                "-append", hypervisor_words, *self.root_options(kernel, root)]

    def root_options(self, kernel, root):
        """QEMU's options for a kernel, with its command line, and its root file system."""
        return ["-initrd", f"{kernel},{root}"]

    def run(self, on_line=lambda line: None):
        """Boot, pass each line that the task prints to `on_line`, wait for the end.

        Returns the task's exit status, or None if it did not end.
        """
        started = False
        with open(self.log("task"), "w", encoding="utf-8") as task_log, \
                open(self.log("qemu"), "w", encoding="utf-8") as qemu_log:
            print(" ".join(self.command), file=qemu_log, flush=True)
            qemu = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=qemu_log)
            timer = self._give_up_after(self.boot_seconds * self.image.slowness, "boot", qemu)
            try:
                for raw in qemu.stdout:
                    line = raw.decode(errors="replace").rstrip()
                    print(line, file=task_log, flush=True)
                    if not started:
                        started = True
                        timer.cancel()
                        timer = self._give_up_after(self.timeout, "end", qemu)
                    self.take(line)
                    on_line(line)
                qemu.wait()
            finally:
                timer.cancel()
                if qemu.poll() is None:
                    qemu.kill()
                    qemu.wait()
        return self.status

    def _give_up_after(self, seconds, what, qemu):
        """Start a timer that kills QEMU after `seconds`, unless it is cancelled."""
        timer = threading.Timer(seconds, self._give_up,
                                [f"no {what} after {seconds} s", qemu])
        timer.daemon = True
        timer.start()
        return timer

    def _give_up(self, why, qemu):
        self.gave_up = why
        qemu.kill()

    def witness(self):
        """The hypervisor's counters of each User VM that was destroyed."""
        with open(self.log("hv"), encoding="utf-8", errors="replace") as text:
            lines = re.findall(r"^vm \d+: destroyed (.*)$", text.read(), re.M)
        return [{key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}
                for line in lines]


class InstalledVM(FixtureVM):
    """One boot of a Debian with systemd, from a disk that tests/installed/disk.sh has made.

    What the boot writes stays on the disk.
    """

    boot_seconds = SYSTEMD_BOOT_SECONDS

    def __init__(self, image, logs, disk, task, **settings):
        super().__init__(image, logs, task, initramfs=disk, **settings)

    def root_options(self, kernel, root):
        """QEMU's options for a kernel, with its command line, and for the disk."""
        return ["-initrd", f"{kernel} root=/dev/vda rw init=/lib/systemd/systemd",
                "-drive", f"file={root},format=raw,if=virtio,cache=unsafe"]


class PlainVM(InstalledVM):
    """One boot of the same disk with a PackagedKernel, in QEMU without the hypervisor.

    That kernel has a driver for NVMe built in, so that it needs no initramfs.
    """

    def boot_options(self, _hypervisor_words, words, root):
        """QEMU's options for a kernel with its command line, and for the disk."""
        return ["-kernel", self.image.bzimage,
                "-append", f"{words} root=/dev/nvme0n1 rw init=/lib/systemd/systemd",
                "-drive", f"file={root},format=raw,if=none,id=disk,cache=unsafe",
                "-device", "nvme,drive=disk,serial=disk"]


class Progress:
    """Lines `[n/m] text` with the time since the start."""

    def __init__(self, total):
        self.total = total
        self.done = 0
        self.start = time.monotonic()

    def step(self, text):
        """Announce the next step."""
        self.done += 1
        elapsed = int(time.monotonic() - self.start)
        print(f"[{self.done}/{self.total}] {elapsed // 60}:{elapsed % 60:02d} {text}",
              flush=True)
