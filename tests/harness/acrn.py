# SPDX-License-Identifier: GPL-2.0
"""Boot the real ACRN hypervisor in Bochs, with a Service VM, and judge it."""

import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time

from vm import BUILD, DIES_WITH_US, TOP, BuildError, ServiceVM, run_logged

ACRN = os.path.join(TOP, "tests", "acrn")
# Linux parameters without which it complains of the processor that Bochs
# emulates, or of ACRN; see tests/acrn/README.md. tests/system/lib.sh has the same
# for User VMs.
PROCESSOR_WORDS = "nopcid noxsave clearcpuid=22,28,29"
# CPUs of the machine, unless a test asks for more: up to MAX_CPUS of tests/acrn/adapt.py.
# Bochs goes through all CPUs in turn, so each one more makes a test take longer.
CPUS = 4
# Millions of instructions that make a second in Bochs
MIPS = 50
# Limits are seconds of Bochs' CPU time rather than of real time, so that they hold on a
# busy host: Bochs never sleeps. The boot, in which the loader copies 60 MB, takes 40 s.
BOOT_SECONDS = 120
# Limit for the time without a sign of life, which the Service VM gives every two of its
# own seconds. They take longer where a second is more instructions.
STALL_SECONDS = 45
# Number of times that the CPUs' registers are logged when a machine is given up
CPU_SAMPLES = 3
# Time for the hypervisor to log more after it has reported trouble
LAST_WORDS_SECONDS = 5

GRUB_MODULES = "multiboot2 serial normal iso9660 biosdisk boot terminal configfile minicmd"

# Prefixes that tests/system/service-init and tests/acrn/debug_port.c give lines
CONSOLE_PREFIX = "console>"
ALIVE = "alive>"
END = "end>"

with open(os.path.join(ACRN, "trouble"), encoding="ascii") as lines:
    HV_TROUBLE = re.compile("|".join(lines.read().splitlines()))


def cpu_seconds(pid):
    """The CPU time that a process has used; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Acrn:
    """The hypervisor and acrn-dm, built from the sources at `source`."""

    def __init__(self, source):
        command = [os.path.join(ACRN, "build.sh"), source]
        result = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
        if result.returncode:
            raise BuildError("ACRN could not be built")
        self.dir = result.stdout.strip()
        self.bin = os.path.join(self.dir, "acrn.bin")
        with open(os.path.join(self.dir, "commit"), encoding="ascii") as text:
            self.commit = text.read().strip()

    def add_to(self, image, extras=()):
        """Make copies of `image`'s initramfs, with and without `extras`, that have acrn-dm."""
        for extra in ("", *sorted(extras)):
            name = f"acrn-{image.name}{extra and '-' + extra}"
            image.acrn_initramfs[extra] = os.path.join(image.dir, f"service-vm-{name}.cpio")
            run_logged(f"image-{name}",
                       [os.path.join(ACRN, "image.sh"), self.dir, image.initramfs(extra),
                        image.acrn_initramfs[extra]],
                       os.path.join(BUILD, "log", f"image-{name}.log"))


class AcrnVM(ServiceVM):
    """One boot of ACRN in Bochs, whose own log is bochs.log.

    vms.log has what programs of the Service VM write to its console, such as the
    consoles of User VMs.
    """

    kernel_logs = ("console", "vms", "hv")

    def __init__(self, acrn, image, logs, task, args=(), hsm="ours", service_cpus=2,
                 cpus=CPUS, cmdline="", timeout=600, provokes=None, extra="", mips=MIPS):
        super().__init__(image, logs, timeout)
        self.cpus = cpus
        self.stall_seconds = STALL_SECONDS * mips // MIPS
        # Lines that HV_TROUBLE matches and the test causes on purpose
        self.provokes = re.compile(provokes or "(?!)")
        words = (f"{self.kernel_words(task, args, hsm, service_cpus, cmdline)} "
                 f"{PROCESSOR_WORDS} on=acrn console=ttyS1")
        self._write_iso(acrn, words, image.acrn_initramfs[extra])
        self._write_config(mips)
        self.command = [*DIES_WITH_US, "bochs-bin", "-q", "-f", self._path("bochsrc"),
                        "-rc", self._path("bochs.commands")]

    def slowness(self):
        """Four times that of the fixture: a second has 50 million instructions or more."""
        return 4 * self.image.slowness

    def _path(self, name):
        return os.path.join(self.logs, name)

    def _write_iso(self, acrn, words, initramfs):
        """A disc with GRUB, the hypervisor, and the Service VM's images."""
        root = self._path("iso")
        boot = os.path.join(root, "boot")
        os.makedirs(os.path.join(boot, "grub"))
        os.link(acrn.bin, os.path.join(boot, "acrn.bin"))
        shutil.copy(self.image.bzimage, os.path.join(boot, "bzImage"))
        os.link(initramfs, os.path.join(boot, "initrd"))
        with open(os.path.join(boot, "grub", "grub.cfg"), "w", encoding="ascii") as grub:
            print("set timeout=0",
                  # GRUB passes these words on; ACRN appends them to Linux' own
                  f"multiboot2 /boot/acrn.bin {words}",
                  "module2 /boot/bzImage Linux_bzImage",
                  # Not unpacked, even if it is compressed
                  "module2 --nounzip /boot/initrd Linux_ramdisk",
                  "boot", sep="\n", file=grub)
        run_logged("grub-mkrescue",
                   ["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "--fonts=", "--themes=",
                    "--locales=", f"--modules={GRUB_MODULES}",
                    f"--install-modules={GRUB_MODULES}", "-o", self._path("boot.iso"), root],
                   self.log("grub"))
        shutil.rmtree(root)

    def _write_config(self, mips):
        with open(os.path.join(ACRN, "bochsrc"), encoding="ascii") as template:
            text = template.read()
        with open(self._path("bochsrc"), "w", encoding="utf-8") as config:
            config.write(text.replace("@DIR@", self.logs)
                         .replace("@CPUS@", str(self.cpus))
                         .replace("@IPS@", str(mips * 1000000)))
        # Debian's Bochs has a debugger, which waits for this command at the start
        with open(self._path("bochs.commands"), "w", encoding="ascii") as commands:
            print("continue", file=commands)

    def run(self, on_line=lambda line: None):
        """As FixtureVM.run(); also ends a machine that stands still."""
        with open(self.log("task"), "w", encoding="utf-8") as task_log, \
                open(self.log("vms"), "w", encoding="utf-8") as vms_log, \
                open(self.log("stderr"), "w", encoding="utf-8") as stderr:
            bochs = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=stderr,
                                     env=dict(os.environ, LC_ALL="C"))
            try:
                for line in self._lines(bochs):
                    if line.startswith(CONSOLE_PREFIX):
                        print(line.removeprefix(CONSOLE_PREFIX).lstrip(" "), file=vms_log,
                              flush=True)
                        continue
                    print(line, file=task_log, flush=True)
                    self.take(line)
                    on_line(line)
            finally:
                bochs.kill()
                bochs.wait()
                # 50 MB that are made again for each boot
                os.unlink(self._path("boot.iso"))
        return self.status

    def _lines(self, bochs):
        """Yield the lines that the Service VM prints, until it ends or is given up."""
        found = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(bochs.stdout, found), daemon=True).start()
        alive = 0
        end = BOOT_SECONDS
        up = False
        while True:
            used = cpu_seconds(bochs.pid)
            self.gave_up = self._reason_to_end(up, used - alive, used > end)
            if self.gave_up:
                if up:
                    self._write_cpus_log(bochs, found)
                return
            try:
                line = found.get(timeout=1)
            except queue.Empty:
                continue
            if line is None:
                self.gave_up = self._why_it_ended(bochs)
                return
            if line.startswith(END):
                return
            alive = used
            if not up and line.startswith("service-vm: up"):
                up = True
                end = used + self.timeout
            # Before that, Bochs itself prints lines
            if up and not line.startswith(ALIVE):
                yield line

    def _write_cpus_log(self, bochs, found):
        """Log registers and stack of each CPU, CPU_SAMPLES times."""
        words = "".join(f"set $cpu = {cpu}\nr\nprint-stack 48\n" for cpu in range(self.cpus))
        with open(self.log("cpus"), "w", encoding="utf-8") as log:
            for sample in range(CPU_SAMPLES):
                print(f"sample {sample}", file=log)
                # SIGINT gets Bochs to the debugger's prompt
                bochs.send_signal(signal.SIGINT)
                time.sleep(1)
                bochs.stdin.write(words.encode())
                bochs.stdin.flush()
                time.sleep(1)
                while not found.empty():
                    print(found.get(), file=log)
                bochs.stdin.write(b"continue\n")
                bochs.stdin.flush()
                time.sleep(1)

    def _reason_to_end(self, up, silent, late):
        """The reason to give the machine up, or None."""
        if self._hypervisor_trouble():
            time.sleep(LAST_WORDS_SECONDS)
            return "the hypervisor complains"
        if late:
            return (f"no end after {self.timeout} s of CPU time" if up else
                    f"no boot after {BOOT_SECONDS} s of CPU time")
        if up and silent > self.stall_seconds:
            return f"the machine stands still: no sign of life for {self.stall_seconds} s"
        return None

    def _why_it_ended(self, bochs):
        """How Bochs ended by itself: its status and its last PANIC."""
        status = bochs.wait()
        how = f"killed by signal {-status}" if status < 0 else f"status {status}"
        panics = []
        if os.path.exists(self.log("bochs")):
            with open(self.log("bochs"), encoding="utf-8", errors="replace") as text:
                panics = [line.strip() for line in text if "PANIC" in line]
        return f"Bochs ended, {how}: {panics[-1] if panics else 'see stderr.log, bochs.log'}"

    @staticmethod
    def _read(stdout, found):
        for raw in stdout:
            found.put(raw.decode(errors="replace").rstrip())
        found.put(None)

    def _hypervisor_trouble(self):
        """Lines of the hypervisor's console that make the run fail."""
        try:
            with open(self.log("hv"), encoding="utf-8", errors="replace") as text:
                return [line.strip() for line in text
                        if HV_TROUBLE.search(line) and not self.provokes.search(line)]
        except FileNotFoundError:
            return []

    def trouble(self):
        """As ServiceVM.trouble()."""
        if not os.path.exists(self.log("hv")):
            return [self.gave_up or "Bochs did not start the machine: see stderr.log"]
        found = super().trouble() + self._hypervisor_trouble()
        return list(dict.fromkeys(found))
