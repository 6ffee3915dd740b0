# SPDX-License-Identifier: GPL-2.0
"""The table of tests: each one's program, kernels, HSMs and machine."""

import os

from dataclasses import dataclass, field

OURS = ("ours",)
BOTH = ("ours", "in-tree")

# A test with this as `usually` runs with LONG=1, or when it is asked for by name
ONLY_LONG = {"none": ""}

# Seconds for each program on each file system in blk_fs; five times that on the debug
# kernel
FS_SECONDS = int(os.environ.get("FS_SECONDS") or 120)

# What on_machine measures
ON_MACHINE = "+".join([
    "block/service-vm", "block/in-tree", "block/uring", "block/vhost", "block/in-tree-uring",
    "net/in-tree", "net/ours-async", "net/ours", "net/ours-thread", "net/user"])


@dataclass(frozen=True)
class OnAcrn:
    """How a program runs on the real hypervisor, in Bochs.

    A second of such a machine takes several seconds. So `args` replace the usual
    arguments if those take too long, and `timeout` is in seconds of Bochs' CPU time.
    The program runs on the kernel `usually`, and on all kernels with LONG=1. User VMs
    get at most `user_cpus` CPUs. `provokes` matches lines that tests/acrn/trouble would
    find and the program causes on purpose.
    """

    args: tuple = None
    hsms: tuple = OURS
    timeout: int = 400
    usually: str = "6.1"
    user_cpus: int = 2
    provokes: str = ""

    def is_usual(self, _hsm, kver, kvers):
        """Whether it runs without LONG=1; the first of `kvers` stands in for one they lack."""
        return kver == (self.usually if self.usually in kvers else kvers[0])


@dataclass(frozen=True)
class System:
    """A program of tests/system, run in a Service VM of its own.

    The Service VM has the physical CPUs 0 and 1; User VMs get `user_cpus` others. A test
    runs once for each kernel and each HSM in `hsms`. With `usually`, it runs only for
    the HSMs named there, on the kernel named there; all others run with `make test
    LONG=1` or when asked for by name. With LONG=1, `long_args` replace `args`. `extra`
    is the extra of the Service VM's image, see image.sh, which `long_extra` replaces with
    LONG=1; with `acrn_dm` the image has acrn-dm too, with `bench` the programs of bench/.
    With `static_cpus`, the hypervisor gives all CPUs of User VMs to a User VM that names
    none. `acrn` is set if the test also runs on the real hypervisor.
    """

    program: str
    about: str
    args: tuple = ()
    hsms: tuple = OURS
    usually: dict = field(default_factory=dict)
    user_cpus: int = 2
    memory: str = "2G"
    cmdline: str = ""
    timeout: int = 120
    long_args: tuple = ()
    extra: str = ""
    long_extra: str = ""
    acrn_dm: bool = False
    bench: bool = False
    static_cpus: bool = False
    acrn: OnAcrn = None

    def is_usual(self, hsm, kver, kvers):
        """Whether it runs without LONG=1; the first of `kvers` stands in for one they lack."""
        if not self.usually:
            return True
        wanted = self.usually.get(hsm)
        return hsm in self.usually and kver == (wanted if wanted in kvers else kvers[0])


@dataclass(frozen=True)
class Differential:
    """Random calls to both HSMs, compared; see differential.py.

    The seed is always the same unless SEED in the environment names another. There are
    `sequences` of calls, with LONG=1 `long_sequences`. With SEQUENCE in the environment,
    only that one of them is carried out, and printed. On the real hypervisor only our HSM
    is tested, with `acrn.args` sequences, or `long_sequences` with LONG=1.
    """

    program: str = "differential"
    about: str = "random calls to both HSMs, compared"
    seed: int = 1
    sequences: int = 200
    long_sequences: int = 10000
    user_cpus: int = 2
    # Without it, each end of a VM waits 30 ms for an RCU grace period
    cmdline: str = "rcupdate.rcu_expedited=1"
    timeout: int = 180
    acrn: OnAcrn = OnAcrn(args=(300,), timeout=400, provokes="bad lapicid|triple fault")


DIFFERENTIAL = Differential()

SYSTEM = [
    # The first take longest, and at the end one processor would be idle meanwhile
    System("vhost_blk", "vhost-blk by raw ioctls: odd and wrong requests, disks detached",
           args=(5,), long_args=(100,), hsms=("none",), usually={"none": "6.12"},
           user_cpus=0, timeout=240),
    System("blk_fio", "a User VM on a disk on vhost-blk: root file system, fio, fsck",
           args=("short",), long_args=("long",), hsms=BOTH,
           usually={"ours": "6.12"}, memory="4G", extra="disk",
           timeout=300),
    System("blk_fs", "ext4 and XFS of a User VM on vhost-blk, fio and file_io for minutes",
           args=(FS_SECONDS,), usually=ONLY_LONG, memory="4G", extra="storage",
           timeout=240 + 6 * FS_SECONDS),
    System("iperf", "a Linux User VM, iperf3 over vhost-net and user-space virtio",
           args=(1,), usually={"ours": "6.1"}, user_cpus=1, timeout=180,
           acrn=OnAcrn(timeout=900)),
    System("boot", "the same User VM on the in-tree HSM and on ours, compared",
           hsms=("none",), usually={"none": "6.1"}, timeout=240),
    System("acrn-dm", "the unmodified acrn-dm: disk, network, memory, reboots",
           args=(3,), hsms=BOTH, usually={"ours": "6.1", "in-tree": "6.1"},
           user_cpus=1, cmdline="init_on_alloc=1", timeout=420, acrn_dm=True,
           acrn=OnAcrn(args=(1,), hsms=BOTH, timeout=900)),
    System("tool", "acrn-vhost, while a User VM runs with network and disk",
           usually={"ours": "6.1"}, user_cpus=1,
           acrn=OnAcrn(timeout=900)),
    # Not on the in-tree HSM, which cannot destroy the VM of a device model that was
    # killed ("destroy-running")
    System("acrn-dm_kill", "the unmodified acrn-dm, killed while its User VM boots",
           args=(10,), usually={"ours": "6.1"}, user_cpus=1, cmdline="init_on_alloc=1",
           timeout=420, acrn_dm=True,
           acrn=OnAcrn(timeout=900)),
    System("acrn-dm_vhost_blk", "acrn-dm with the device of acrn-dm/: a disk in the kernel",
           usually={"ours": "6.1"}, user_cpus=2, cmdline="init_on_alloc=1",
           timeout=420, acrn_dm=True,
           acrn=OnAcrn(timeout=900)),
    System("on_machine", "bench/on-machine.sh with acrn-dm, as on a real machine",
           args=("full", ON_MACHINE), hsms=("none",), usually=ONLY_LONG, memory="3G",
           cmdline="init_on_alloc=1", timeout=900, extra="disk", acrn_dm=True, bench=True,
           acrn=OnAcrn(args=("quick", "block/vhost+net/ours-async"), hsms=("none",),
                       timeout=900)),
    System("two_vms", "two User VMs of two vCPUs each at once",
           usually={"ours": "6.1"}, user_cpus=4),
    System("reset", "unbind, bind, device reset and reboot",
           args=(1, "nothing"), long_args=(2, "zeroing"), usually={"ours": "6.1"},
           user_cpus=1, timeout=240,
           acrn=OnAcrn(timeout=900)),
    System("dm_kill", "kill -9 of the device model in the middle of iperf3",
           args=(2,), long_args=(20,), usually={"ours": "6.1"}, user_cpus=1,
           timeout=600,
           acrn=OnAcrn(args=(2,), timeout=900)),
    System("multiqueue", "a network device with several pairs of queues",
           args=(1, "vhost"), long_args=(5, "all"), usually={"ours": "6.12"},
           timeout=240),
    System("vsock", "sockets between a User VM and the Service VM on vhost-vsock",
           args=(512,), long_args=(65536,), usually={"ours": "6.1"}, user_cpus=1,
           acrn=OnAcrn(args=(64,), timeout=600)),
    System("dm_errors", "messages of the device model when it is started wrongly",
           user_cpus=1),
    # Not on ACRN with the in-tree HSM: it ends in an RCU stall of the Service VM
    System("conformance", "every interface of the HSM by raw ioctls", hsms=BOTH,
           acrn=OnAcrn(timeout=600, provokes="bad lapicid|triple fault")),
    System("life_cycle", "VMs as acrn-dm ends and resets them, device models killed",
           args=(20,), long_args=(200,), user_cpus=16, timeout=180,
           acrn=OnAcrn(timeout=900)),
    # Without expedited RCU, each round waits 30 ms for a grace period
    System("hsm_race", "threads against the end of their VM, a device model that scribbles",
           usually={"ours": "6.12"}, cmdline="rcupdate.rcu_expedited=1",
           acrn=OnAcrn(timeout=600, provokes="bad lapicid|triple fault")),
    # Not on ACRN with the in-tree HSM: one of its hypercalls takes half a minute of Bochs'
    # time to map the framebuffer, and the Service VM stands still meanwhile
    System("dm_memory", "acrn-dm's changes to a guest's memory, and what the guest sees",
           hsms=BOTH, user_cpus=1,
           acrn=OnAcrn()),
    System("hsm_fault", "a hypervisor that fails each hypercall in turn"),
    System("dataplane_ioctl", "IOEVENTFD and IRQFD: arguments, rules, threads",
           hsms=BOTH,
           acrn=OnAcrn(hsms=BOTH)),
    System("dataplane_guest", "doorbells and MSIs of a few instructions, counted",
           hsms=BOTH, user_cpus=1,
           acrn=OnAcrn(hsms=BOTH)),
    System("dataplane_observe", "counters, latency, tracepoints, dispatch= at run time",
           user_cpus=1,
           acrn=OnAcrn()),
    # With nohz=off the kernel does not measure idle time, which hsm/share.c asks for
    System("dataplane_race", "doorbells and MSIs counted while everything changes",
           args=(500, 3), long_args=(100000, 30), timeout=180,
           cmdline="rcupdate.rcu_expedited=1 nohz=off",
           acrn=OnAcrn(args=(10, 3), timeout=900)),
    System("dataplane_storm", "User VMs that ring without end",
           usually={"ours": "6.12"}, user_cpus=5,
           acrn=OnAcrn(user_cpus=5, timeout=900)),
    System("guest_io", "accesses of the User VM that no driver makes",
           usually={"ours": "6.1"}, user_cpus=1,
           acrn=OnAcrn()),
    System("guest_sleep", "interrupts that come as the guest goes to sleep",
           args=(2000,), long_args=(100000,), user_cpus=1,
           acrn=OnAcrn()),
    System("many_vms", "16 User VMs at once, one with a device model that never answers",
           usually={"ours": "6.1"}, user_cpus=16),
    System("distribution", "a User VM with the kernel of a distribution, as packaged",
           args=("short",), long_args=("long",), hsms=BOTH, usually={"ours": "6.1"},
           memory="3G", extra="distribution", long_extra="storage", timeout=300,
           acrn=OnAcrn(timeout=900)),
    # Not on ACRN: the sample names no CPU, and ACRN gives none to a VM whose name is not
    # in its scenario
    System("vm_sample", "the kernel's own samples/acrn, unchanged",
           hsms=BOTH, user_cpus=1, static_cpus=True),
    System("hypervisor", "the hypervisor itself, by a few hundred instructions",
           hsms=BOTH),
    System("hypervisor_async", "asynchronous doorbells and events, by hypercalls",
           usually={"ours": "6.1"}, user_cpus=1),
    System("blk", "disks through vhost-blk and io_uring, a killed device model",
           args=(1, 1), long_args=(5, 50), hsms=BOTH, usually={"ours": "6.1"},
           timeout=300,
           acrn=OnAcrn(args=(1, 1), hsms=BOTH, timeout=900)),
    System("vhost_blk_qemu", "vhost-blk by the calls that OpenVZ's QEMU makes",
           hsms=("none",), usually={"none": "6.12"}, user_cpus=0),
    System("vhost_blk_hostile", "vhost-blk and a hostile guest",
           args=(10000,), long_args=(1000000,), hsms=("none",), user_cpus=0),
]
