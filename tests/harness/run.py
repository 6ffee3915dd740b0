#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The demonstration behind `make run`: iperf3 in a User VM over vhost-net.

Settings come from the environment: KVER (6.1 or 6.12), HSM (ours or in-tree),
DURATION of each iperf3 run in seconds, ACCEL for QEMU.
"""

import json
import os
import sys

from vm import BUILD, BuildError, Image, Progress, FixtureVM, make, user_vm_cpus

RUNS = [
    ("tcp_to_user_vm", "TCP, Service VM to User VM"),
    ("tcp_from_user_vm", "TCP, User VM to Service VM"),
    ("udp64_to_user_vm", "UDP 64 bytes, Service VM to User VM"),
    ("udp64_from_user_vm", "UDP 64 bytes, User VM to Service VM"),
]
OUT = os.path.join(BUILD, "run")
SERVICE_CPUS = 2


def build(progress, kver):
    """Build everything that a boot needs. Returns the image."""
    progress.step(f"kernel {kver} for the VMs (minutes, unless it is cached)")
    image = Image(kver)
    progress.step("kernel modules")
    image.build_modules()
    progress.step("hypervisor, library and device model")
    make("tools", "hypervisor", "tools")
    progress.step("images of the two VMs")
    image.build_initramfs()
    return image


def boot(progress, image, hsm, seconds):
    """Run the demonstration. Returns the values that it reported and the hypervisor's counts."""
    values = {}
    failures = []

    def on_line(line):
        kind, _, rest = line.partition(": ")
        if kind == "step":
            progress.step(rest)
        elif kind == "failed":
            failures.append(rest)
        elif kind == "json":
            name, _, text = rest.partition(" ")
            values[name] = json.loads(text)

    progress.step(f"hypervisor and Service VM boot, HSM: {hsm}")
    vm = FixtureVM(image, os.path.join(OUT, "log"), "demo",
                   (seconds, *user_vm_cpus(SERVICE_CPUS, 1)), hsm=hsm,
                   service_cpus=SERVICE_CPUS, cpus=SERVICE_CPUS + 1, timeout=120 + 8 * seconds)
    if vm.run(on_line) != 0:
        failures.append("the demonstration did not get to its end")
    failures += vm.trouble()
    if failures:
        raise BuildError("\n".join(failures) + f"\nThe logs are in {vm.logs}")
    return values, vm.witness()


def report(image, hsm, values, witness):
    """The content of result.json."""
    def end_of(name):
        end = values[name]["end"]
        return end.get("sum_received") or end["sum"]

    runs = []
    for name, title in RUNS:
        end = end_of(name)
        row = {"name": name, "title": title,
               "mbit_per_s": round(end["bits_per_second"] / 1e6, 2)}
        if name.startswith("udp"):
            received = end["packets"] - end["lost_packets"]
            row["packets_per_s"] = round(received / end["seconds"])
            row["lost_percent"] = round(end["lost_percent"], 2)
        runs.append(row)
    msis = values["msis_injected"]
    return {
        "hsm": hsm, "kernel": image.release, "iperf3": runs,
        # None on the in-tree HSM, which does not count them
        "doorbells_routed": values["doorbells_routed"],
        "doorbells_to_dm": values["device_model"]["doorbells_to_dm"],
        # The in-tree HSM has no counter: take the hypervisor's count of MSIs
        "msis_injected": witness[0]["msi"] if msis is None else msis,
        "hypervisor": witness[0],
    }


def show(result):
    """Print the result as a short table."""
    print()
    for row in result["iperf3"]:
        extra = ""
        if "packets_per_s" in row:
            extra = f"  {row['packets_per_s']:>8} packets/s, {row['lost_percent']} % lost"
        print(f"  {row['title']:<38}{row['mbit_per_s']:>10.1f} Mbit/s{extra}")
    for name in ("doorbells_routed", "doorbells_to_dm", "msis_injected"):
        value = result[name]
        print(f"  {name:<38}{'not counted' if value is None else value:>10}")
    print(f"  HSM: {result['hsm']}, kernel: {result['kernel']}\n")


def missing(result):
    """A message for each result that is not as expected."""
    wrong = [f"{row['name']}: no throughput" for row in result["iperf3"]
             if not row["mbit_per_s"] > 0]
    if result["doorbells_to_dm"] != 0:
        wrong.append("doorbells reached the device model")
    if result["hsm"] == "ours" and result["doorbells_routed"] <= 1000:
        wrong.append("hardly any doorbell was routed")
    if not result["msis_injected"]:
        wrong.append("no interrupt was injected")
    return wrong


def main():
    """Build, boot, report."""
    kver = os.environ.get("KVER") or "6.1"
    hsm = os.environ.get("HSM") or "ours"
    if hsm not in ("ours", "in-tree"):
        sys.exit(f"HSM={hsm}: use ours or in-tree")
    progress = Progress(5 + 2 + len(RUNS))
    try:
        image = build(progress, kver)
        values, witness = boot(progress, image, hsm, int(os.environ.get("DURATION") or 5))
    except BuildError as error:
        sys.exit(f"make run: {error}")
    result = report(image, hsm, values, witness)
    path = os.path.join(OUT, "result.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(result, out, indent=2)
        print(file=out)
    show(result)
    wrong = missing(result)
    if wrong:
        sys.exit("make run: " + "; ".join(wrong))
    print(f"The result is in {path}, the logs are in {os.path.join(OUT, 'log')}.")


if __name__ == "__main__":
    main()
