#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make a copy of ACRN's sources run in Bochs.

Usage: adapt.py ACRN_TREE OUT

Changes hypervisor/ of ACRN_TREE in place, and writes OUT/board.xml and
OUT/scenario.xml, made from ACRN's own for QEMU. Each change names what Bochs
lacks. A change that does not find what it is for ends the script: the sources
are not those that the changes were written for.
"""

import copy
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))

# (file, pattern, replacement, what for)
EDITS = (
    ("arch/x86/cpu.c", r"^\s*pci_switch_to_mmio_cfg_ops\(\);\n", "",
     "the chipset has no PCI configuration by memory, only by ports"),
    ("arch/x86/cpu_caps.c", r"(misc_enable = msr_read\(MSR_IA32_MISC_ENABLE\));",
     r"\1 | MSR_IA32_MISC_ENABLE_FAST_STRING;",
     "IA32_MISC_ENABLE does not say that fast strings are on"),
    ("arch/x86/tsc.c", r"= (native_calculate_tsc_cpuid_0x15\(\);)", r"= 0UL * \1",
     "CPUID tells the TSC rate of the processor that is emulated: use the PIT"),
    ("arch/x86/tsc.c", r"(CAL_MS, )(native_calculate_tsc_cpuid_0x16\(\))", r"\g<1>0UL * \2",
     "likewise"),
)

# Where the board of ACRN's data/qemu is not the one that Bochs emulates: the
# i440FX has its power management ports at 0xB000, and 1 GiB of memory.
BOARD_TEXT = (
    (r"(PM1A_EVT_ADDRESS\s+)0x600UL", r"\g<1>0xB000UL"),
    (r"(PM1A_CNT_ADDRESS\s+)0x604UL", r"\g<1>0xB004UL"),
)
MEMORY = ("0x0000000000100000", "0x000000003ffeffff")

# Number of CPUs that a machine may have, where the board of data/qemu has four
MAX_CPUS = 7

# CPUs that User VMs are put on, the Service VM's last
USER_CPUS = (2, 3, 1, 0)


def die(why):
    """One line."""
    sys.exit(f"adapt.py: {why}. tests/acrn/README.md names the commits of "
             "acrn-hypervisor that this was tried with.")


def replace(text, pattern, replacement, where):
    """Replace the only match of `pattern`."""
    text, count = re.subn(pattern, replacement, text, flags=re.M)
    if count != 1:
        die(f"{where} has {count} matches of '{pattern}', not 1")
    return text


def edit_sources(hypervisor):
    """What the hypervisor has to be told about Bochs."""
    for name, pattern, replacement, _ in EDITS:
        path = os.path.join(hypervisor, name)
        try:
            with open(path, encoding="utf-8") as source:
                text = source.read()
        except FileNotFoundError:
            die(f"there is no {path}")
        with open(path, "w", encoding="utf-8") as source:
            source.write(replace(text, pattern, replacement, name))
    vtd = os.path.join(hypervisor, "arch/x86/vtd.c")
    if not os.path.exists(vtd):
        die(f"there is no {vtd}")
    shutil.copy(os.path.join(HERE, "no_iommu.c"), vtd)


def find(tree, path):
    """The only element at `path`."""
    found = tree.findall(path)
    if len(found) != 1:
        die(f"ACRN's XML has {len(found)} elements {path}, not 1")
    return found[0]


def add_cpus(root):
    """Let the machine have up to MAX_CPUS CPUs, with the LAPIC ids that Bochs gives them.

    How many it has, ACRN finds out when it boots. But it makes a vCPU of the Service VM
    for each CPU in CPU_PROCESSOR_INFO, even if the machine has no such CPU. So that
    remains as it is: the first four CPUs.
    """
    package = find(root, "processors/die")
    for cpu in range(len(package), MAX_CPUS):
        core = copy.deepcopy(package[0])
        thread = find(core, "thread")
        for part in (core, thread):
            part.set("id", hex(cpu))
        find(thread, "cpu_id").text = str(cpu)
        for name in ("apic_id", "x2apic_id"):
            find(thread, name).text = hex(cpu)
        package.append(core)


def write_board(source, out):
    """The board that Bochs emulates: ACRN's for QEMU but for some figures."""
    with open(source, encoding="utf-8") as board:
        text = board.read()
    for pattern, replacement in BOARD_TEXT:
        text = replace(text, pattern, replacement, source)
    root = ET.fromstring(text)
    add_cpus(root)
    memory = find(root, "memory")
    start, end = MEMORY
    size = int(end, 16) - int(start, 16) + 1
    for part in list(memory):
        memory.remove(part)
    ET.SubElement(memory, "range", start=start, end=end, size=str(size))
    # An I/O window above 4 GiB, where Bochs has nothing
    for parent in root.iter():
        for part in parent.findall("resource[@type='memory']"):
            if int(part.get("min", "0"), 16) >> 32:
                parent.remove(part)
    ET.ElementTree(root).write(out, encoding="unicode")


def write_scenario(source, out):
    """A Service VM with an initramfs, and User VMs on any CPU."""
    tree = ET.parse(source)
    root = tree.getroot()
    # Its FADT and DMAR would be looked for: the board has what is needed
    find(root, "hv/FEATURES/ACPI_PARSE_ENABLED").text = "n"
    connections = find(root, "hv/vuart_connections")
    for part in list(connections):
        connections.remove(part)
    find(root, "vm[@id='0']/os_config/ramdisk_mod").text = "Linux_ramdisk"
    # The boot loader's command line says the rest
    find(root, "vm[@id='0']/os_config/bootargs").text = "no_timer_check"
    affinity = find(root, "vm[@id='1']/cpu_affinity")
    for part in list(affinity):
        affinity.remove(part)
    for cpu in USER_CPUS:
        ET.SubElement(ET.SubElement(affinity, "pcpu"), "pcpu_id").text = str(cpu)
    tree.write(out, encoding="unicode")


def main():
    """See the top of the file."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tree, out = sys.argv[1:]
    edit_sources(os.path.join(tree, "hypervisor"))
    data = os.path.join(tree, "misc/config_tools/data/qemu")
    try:
        write_board(os.path.join(data, "qemu.xml"), os.path.join(out, "board.xml"))
        write_scenario(os.path.join(data, "shared.xml"), os.path.join(out, "scenario.xml"))
    except FileNotFoundError as error:
        die(f"there is no {error.filename}")


main()
