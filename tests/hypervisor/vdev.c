// SPDX-License-Identifier: GPL-2.0
#include "device.h"
#include "string.h"
#include "vcpu.h"

#define PORT_ADDRESS   0xcf8
#define PORT_DATA      0xcfc
#define DATA_SIZE      4
#define ADDRESS_ENABLE BIT(31)
#define ADDRESS_REG    0xfc
#define ADDRESS_BDF(a) ((u16)((a) >> 8))
/* The bits of port 0xcf8 that ACRN keeps as zero */
#define ADDRESS_RESERVED 0x7f000003U

/* Read where no device answers */
#define NOBODY 0xffffffffU

#define CONFIG_COMMAND	  0x04
#define CONFIG_PRIMARY	  0x18
#define CONFIG_SUBORD	  0x1a
#define CONFIG_INTR_LINE  0x3c
#define CONFIG_HEADER_END 0x40

struct vdev *vdev_find(struct vm *vm, u16 bdf)
{
	for (u32 i = 0; i < MAX_VDEVS; i++) {
		struct vdev *vdev = &vm->devices.vdevs[i];

		if (vdev->present && vdev->bdf == bdf)
			return vdev;
	}
	return NULL;
}

static bool is_writable(u32 offset)
{
	return offset == CONFIG_COMMAND || offset == CONFIG_COMMAND + 1 ||
	       (offset >= CONFIG_PRIMARY && offset <= CONFIG_SUBORD) ||
	       offset == CONFIG_INTR_LINE || offset >= CONFIG_HEADER_END;
}

static void write_config(struct vdev *vdev, u32 offset, u32 size, u32 value)
{
	for (u32 i = 0; i < size; i++, value >>= 8)
		if (is_writable(offset + i))
			vdev->config[offset + i] = value;
}

/*
 * Write port 0xcf8. Returns false, so that the Service VM gets the write too,
 * unless an emulated device has the address: the HSM needs it to know which
 * register an access to the data port is for. VM's lock held.
 */
static bool write_address(struct vm *vm, u32 size, u32 value)
{
	u32 address = value & ~ADDRESS_RESERVED;

	if (size != 4)
		return true;
	vm->devices.pci_address = address;
	return vdev_find(vm, ADDRESS_BDF(address));
}

static bool access_address(struct vm *vm, u32 size, bool write, u32 *value)
{
	if (write)
		return write_address(vm, size, *value);
	*value = size == 4 ? vm->devices.pci_address : NOBODY;
	return true;
}

/*
 * Access the data port. As on ACRN this clears the address, so each access
 * needs one of its own. Returns false when the access is for the Service VM.
 * VM's lock held.
 */
static bool access_data(struct vm *vm, u32 offset, u32 size, bool write,
			u32 *value)
{
	u32 address = vm->devices.pci_address;
	struct vdev *vdev;

	vm->devices.pci_address = 0;
	if (!write)
		*value = NOBODY;
	if (!(address & ADDRESS_ENABLE) || !IS_ALIGNED(offset, size))
		return true;
	vdev = vdev_find(vm, ADDRESS_BDF(address));
	if (!vdev)
		return false;
	offset += address & ADDRESS_REG;
	if (write) {
		write_config(vdev, offset, size, *value);
	} else {
		*value = 0;
		memcpy(value, &vdev->config[offset], size);
	}
	return true;
}

bool vdev_access_port(struct vcpu *vcpu, u16 port, u32 size, bool write,
		      u32 *value)
{
	struct vm *vm = vcpu->vm;
	bool done = false;

	if (port < PORT_ADDRESS || port >= PORT_DATA + DATA_SIZE)
		return false;
	spin_lock(&vm->lock);
	if (port == PORT_ADDRESS)
		done = access_address(vm, size, write, value);
	else if (port >= PORT_DATA)
		done = access_data(vm, port - PORT_DATA, size, write, value);
	spin_unlock(&vm->lock);
	return done;
}
