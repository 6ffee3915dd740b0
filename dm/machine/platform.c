// SPDX-License-Identifier: GPL-2.0
/*
 * The devices that every VM has. The main thread creates and destroys them,
 * when no I/O requests are handled; the thread that handles I/O requests resets
 * them.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "machine/platform.h"
#include "machine/power.h"
#include "machine/rtc.h"
#include "process/alloc.h"

/* Red Hat's generic host bridge: Linux has neither a driver nor a quirk for it.
 */
static const struct pci_id bridge_id = {
	.vendor = 0x1b36,
	.device = 0x0008,
	.class = 0x060000,
};

static const struct pci_ops bridge_ops = { 0 };

/**
 * struct platform - The devices
 * @device:	For the VM
 * @vm:		VM
 * @bridge:	PCI host bridge
 * @rtc:	Clock
 * @power:	Ports that end or reset the VM
 */
struct platform {
	struct vm_device device;
	struct vm *vm;
	struct pci_dev bridge;
	struct rtc rtc;
	struct power power;
};

static struct platform *from_device(struct vm_device *device)
{
	return (void *)((char *)device - offsetof(struct platform, device));
}

/* The VM is reset. Thread of I/O requests. */
static void platform_reset(struct vm_device *device)
{
	pci_dev_reset(&from_device(device)->bridge);
}

/* Undo platform_create(). Main thread, when no I/O requests are handled. */
static void platform_destroy(struct vm_device *device)
{
	struct platform *platform = from_device(device);
	struct bus *pio = &platform->vm->pio;

	bus_remove(pio, &platform->power.crash);
	bus_remove(pio, &platform->power.acpi);
	bus_remove(pio, &platform->rtc.range);
	pci_dev_remove(&platform->bridge);
	free(platform);
}

/**
 * platform_create() - Give the VM the devices that every VM has
 * @vm:		VM without devices: the bridge belongs into the first slot
 *
 * Return: 0 or -errno, with a message printed.
 */
int platform_create(struct vm *vm)
{
	struct platform *platform = alloc_zeroed(sizeof(*platform));

	if (!platform)
		return -ENOMEM;
	platform->vm = vm;
	platform->device.reset = platform_reset;
	platform->device.destroy = platform_destroy;
	pci_dev_init(&platform->bridge, &bridge_id, &bridge_ops);
	pci_dev_add(&vm->pci, &platform->bridge);
	rtc_init(&platform->rtc, &vm->pio);
	power_init(&platform->power, vm);
	vm_add_device(vm, &platform->device);
	return 0;
}
