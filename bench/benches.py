# SPDX-License-Identifier: GPL-2.0
"""What there is to measure, and what it should come to."""

from dataclasses import dataclass

from model import INSTRUCTIONS_PER_US


@dataclass(frozen=True)
class Target:
    """A bound on rows: those of `variant` and `metric` whose case matches `case`.

    What is held against `limit` is one of the row's statistics, or its ratio to
    that of the variant `over` or of the case `over_case`. Without a limit it is
    p50's ratio. It is the most that is allowed, or the least if `at_least`.
    """

    case: str
    metric: str
    limit: float | None
    variant: str = "ours"
    over: str = ""
    over_case: str = ""
    stat: str = "p50"
    at_least: bool = False


@dataclass(frozen=True)
class Bench:
    """A program of bench/service-vm, run under each variant in turn.

    It is the one of `program`, or of the bench's own name.
    Of `rates` more is better, and of all other metrics less; of `timings` the
    distribution is drawn. Ratios are those to the variant `base` and, if there is
    one, to the case `base_case`. `references` are variants that are there to
    compare with and cannot win. `scaling` finds in a case the number that curves
    are drawn over.
    """

    name: str
    about: str
    variants: tuple
    rounds: int
    quick_rounds: int
    # What all rounds take, in seconds, for the time that is left
    expected: int
    quick_expected: int
    targets: tuple
    timings: tuple
    rates: tuple = ()
    base: str = "in-tree"
    base_case: str = ""
    references: tuple = ()
    scaling: str = ""
    service_cpus: int = 1
    user_cpus: int = 1
    memory: str = "2G"
    # How long a CPU of the fixture without work spins before it halts
    spin_us: int = 0
    # What the Service VM's image has more than others, see image.sh
    extra: str = ""
    program: str = ""
    # Of a round, far more than it needs
    seconds: int = 60
    # Numbers of the Service VM's CPUs, each in a boot of its own, where there is
    # more than one
    boots: tuple = ()
    # More words for the Service VM's kernel
    cmdline: str = ""
    # More arguments for the program
    args: tuple = ()
    # On the real hypervisor the instructions that make a microsecond in Bochs
    mips: int = INSTRUCTIONS_PER_US
    # Variants that a real machine can have as well, see on-machine.sh
    on_machine: tuple = ()
    # On the real hypervisor the metrics that tell how long an operation takes. There
    # a figure repeats: one round measures time, and a second counts exits.
    operation: tuple = ()


BENCHES = [
    Bench("memory", "what the HSM keeps for a GiB of guest memory, and SET_MEMSEG",
          variants=("in-tree", "ours"), rounds=9, quick_rounds=3, memory="3G",
          expected=131, quick_expected=60,
          timings=("SET_MEMSEG",),
          targets=(
              Target("2 MiB pages", "memory kept", 64),
              Target("4 KiB pages", "memory kept", 2.1 * 1024),
              Target("2 MiB pages", "SET_MEMSEG", 1, over="in-tree"),
              Target("4 KiB pages, 4 x 256 MiB", "SET_MEMSEG", 1, over="in-tree"),
          )),
    Bench("doorbell", "what a guest's notification takes",
          variants=("in-tree", "ours", "ours-async", "observed", "floor", "exit"),
          rounds=9, quick_rounds=3, expected=160, quick_expected=55,
          references=("observed", "floor", "exit"),
          timings=("guest's write", "write to vhost worker"), spin_us=300,
          targets=(
              Target("hypercall", "guest's write", 0.5, over="in-tree"),
              Target("hypercall", "guest's write", 1.1, over="floor"),
              Target("polling", "guest's write", 0.5, over="in-tree"),
              Target("hypercall", "guest's write", 0.3, "ours-async", "in-tree"),
              Target("polling", "guest's write", 0.55, "ours-async", "in-tree"),
              Target("", "guest's write", 1.15, "ours-async", "exit"),
              Target("", "guest's write", None, over="in-tree", stat="p99"),
              Target("", "thread switches until completion", 0),
              Target("", "write to vhost worker", 0.6, over="in-tree"),
              Target("", "write to vhost worker", 0.6, "ours-async", "in-tree"),
          )),
    Bench("msi", "from an eventfd to the guest's interrupt handler",
          variants=("in-tree", "ours"), rounds=9, quick_rounds=3,
          expected=21, quick_expected=12,
          timings=("eventfd to handler", "write to the eventfd"),
          targets=(
              Target("", "eventfd to handler", 1, over="in-tree"),
              Target("", "allocations per event", 0),
          )),
    Bench("scale", "a doorbell among many, and what each costs in memory",
          variants=("in-tree", "ours", "ours-async"), rounds=9, quick_rounds=3,
          expected=138, quick_expected=60, scaling=r"(\d+) in \d+ VMs?$",
          timings=("guest's write",), base_case="1 in 1 VM", spin_us=300,
          user_cpus=16,
          targets=(
              Target("4096 in 16 VMs$", "guest's write", 1.1, over_case="1 in 1 VM"),
              Target("4096 in 16 VMs, two in turn", "guest's write", 1.1,
                     over_case="1 in 1 VM, one by one"),
              Target("a doorbell", "memory", 256),
              Target("an irqfd", "memory", 512),
          )),
    Bench("block", "fio in a User VM, on disks that are handled in different ways",
          variants=("in-tree", "vhost", "uring", "service-vm"),
          on_machine=("in-tree-uring",),
          references=("service-vm",), rounds=3, quick_rounds=3,
          expected=905, quick_expected=152, user_cpus=4, memory="3G", extra="disk",
          timings=("latency",), rates=("IOPS", "bandwidth"),
          scaling=r"(\d+) queue", seconds=600,
          targets=(
              Target("fast, .* depth 32", "IOPS", 1.5, "vhost", "uring", at_least=True),
              Target("fast, .* depth 1,", "IOPS", 1.2, "vhost", "uring", at_least=True),
              Target("1 ms", "IOPS", 0.95, "vhost", "service-vm", at_least=True),
              Target("fast", "Service VM's CPU", 0.7, "vhost", "uring"),
              Target("", "IOPS", 1, "vhost", "in-tree", at_least=True),
              Target("busyloop, .* depth 32", "doorbell exits", 0.2, "vhost"),
          )),
    Bench("net", "iperf3, requests and responses between a User VM and the Service VM",
          variants=("user", "in-tree", "ours", "ours-thread"), on_machine=("ours-async",),
          references=("ours-thread",), rounds=3, quick_rounds=3,
          expected=799, quick_expected=150, user_cpus=4,
          timings=("latency",), rates=("throughput", "packets", "requests"), seconds=600,
          targets=(
              Target("", "throughput", 1, over="in-tree", at_least=True),
              Target("", "packets", 1, over="in-tree", at_least=True),
              Target("request and response", "requests", 1.3, over="in-tree",
                     at_least=True),
              Target("64 bytes", "packets", 1.3, over="in-tree", at_least=True),
              Target("", "throughput", 2, over="user", at_least=True),
              Target("busyloop", "doorbell exits", 0.2),
              # Without the fast path there is a thread more on the way, or
              # something else is measured
              Target("request and response", "context switches", 1.1,
                     "ours-thread", "ours", at_least=True),
          )),
]


# On the real hypervisor, where rounds and timings are exact and `seconds` are of
# Bochs' CPU time. Of two rounds the second counts exits, and is left out when it is
# to be quick.
ACRN_BENCHES = [
    Bench("rings", "a User VM that does nothing but notify",
          variants=("in-tree", "ours", "ours-async", "ours-thread", "floor", "exit"),
          references=("ours-thread", "floor", "exit"), rounds=2, quick_rounds=1,
          expected=720, quick_expected=500, boots=(1, 2),
          timings=(), targets=(), operation=("a ring",), seconds=1200),
    Bench("doorbell", "one notification at a time",
          variants=("in-tree", "in-tree-user", "ours", "ours-async", "ours-thread",
                    "observed", "floor", "exit"),
          references=("ours-thread", "observed", "floor", "exit"), rounds=2,
          quick_rounds=1, expected=700, quick_expected=400, boots=(1, 2),
          timings=(), targets=(), operation=("guest's write",), seconds=1200),
    Bench("msi", "from an eventfd to the guest's interrupt handler",
          variants=("in-tree", "ours"), rounds=2, quick_rounds=1,
          expected=300, quick_expected=200, boots=(1, 2), timings=(), targets=(),
          operation=("eventfd to handler",), seconds=1000),
    Bench("scale", "a doorbell among many, and what each costs in memory",
          variants=("in-tree", "ours", "ours-async"), rounds=1, quick_rounds=1,
          expected=300, quick_expected=300, base_case="1 in 1 VM", timings=(),
          targets=(), operation=("guest's write",), seconds=1000),
    Bench("net", "requests and responses and packets of a User VM of one vCPU",
          program="acrn-net",
          variants=("in-tree", "in-tree-user", "ours", "ours-user", "ours-async"),
          rounds=2, quick_rounds=1, expected=1200, quick_expected=800, boots=(1, 2),
          cmdline="init_on_alloc=1", rates=("requests", "packets"), timings=(),
          targets=(), operation=("requests", "packets"), seconds=3000),
    Bench("acrn-dm-net", "the same requests of a User VM on acrn-dm", program="acrn-net",
          variants=("in-tree-plain", "ours-plain", "in-tree-vhost", "ours-vhost"),
          rounds=2, quick_rounds=1, expected=1200, quick_expected=800, boots=(1, 2),
          cmdline="init_on_alloc=1", rates=("requests",), timings=(), targets=(),
          operation=("requests",), seconds=3000),
    Bench("block", "reads of disks by a User VM of one vCPU", program="acrn-block",
          variants=("in-tree", "in-tree-user", "ours", "ours-user", "ours-async",
                    "service-vm"),
          references=("service-vm",), rounds=2, quick_rounds=1, expected=1200,
          quick_expected=800, boots=(1, 2), cmdline="init_on_alloc=1", timings=(),
          targets=(), operation=("time",), seconds=3000),
    Bench("slow-disk", "reads of a disk that takes 1 ms, at 1000 instructions a microsecond",
          program="acrn-block", args=("slow",), mips=1000,
          variants=("service-vm", "in-tree", "ours", "ours-user", "ours-async"),
          base="service-vm", references=("service-vm",), rounds=1, quick_rounds=1,
          expected=1200, quick_expected=1200, boots=(1, 2), timings=(), targets=(),
          operation=("time",), seconds=3000),
    Bench("acrn-dm-block", "the same reads by a User VM on acrn-dm", program="acrn-block",
          variants=("in-tree-plain", "ours-plain", "in-tree-iothread", "ours-iothread",
                    "in-tree-vhost", "ours-vhost", "ours-unpolled"),
          rounds=2, quick_rounds=1, expected=2000, quick_expected=1400, boots=(1, 2),
          base="ours-iothread", timings=(), targets=(), operation=("time",), seconds=3000),
]
