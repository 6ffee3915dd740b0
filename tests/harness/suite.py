# SPDX-License-Identifier: GPL-2.0
"""The tests: which program, on which kernels and HSMs, on which machine."""

from dataclasses import dataclass

OURS = ("ours",)
BOTH = ("ours", "in-tree")


@dataclass(frozen=True)
class System:
    """A program of tests/system, run in a Service VM of its own.

    The Service VM has the physical CPUs 0 and 1; User VMs get the others, of
    which there are `user_cpus`. A test runs once for each kernel and HSM.
    """

    program: str
    about: str
    args: tuple = ()
    hsms: tuple = OURS
    kernels: tuple = ("6.1", "6.12")
    user_cpus: int = 2
    memory: str = "2G"
    cmdline: str = ""
    timeout: int = 120


SYSTEM = [
    System("iperf", "a Linux User VM, iperf3 over vhost-net and user-space virtio",
           args=(2,), hsms=BOTH, user_cpus=1),
]
