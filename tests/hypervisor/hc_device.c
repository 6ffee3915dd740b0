// SPDX-License-Identifier: GPL-2.0
/* Hypercalls that give devices to a User VM and take them back. */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "device.h"
#include "hypercall.h"
#include "service_vm.h"
#include "string.h"
#include "testing.h"
#include "vm.h"

#define PIC_PINS 16
/* Pins of the machine's I/O APIC */
#define PHYSICAL_PINS 24

/* ACRN's virtual root port, the only device that CREATE_VDEV makes here */
#define VRP_VENDOR     0x8086UL
#define VRP_DEVICE     0x9d14UL
#define CONFIG_CLASS   0x0a
#define CLASS_BRIDGE   0x0604
#define CONFIG_HEADER  0x0e
#define HEADER_BRIDGE  1
#define CONFIG_BUS_NOS 0x18

/*
 * Guards the lists of assigned PCI devices of all VMs, so that no device is
 * given to two of them.
 */
static struct spinlock pcidev_lock;

/* The VM has not been started since it was created or reset. */
static bool is_created(const struct vm *vm)
{
	return vm->state == VM_CREATED;
}

static bool is_stopped(const struct vm *vm)
{
	return vm->state == VM_CREATED || vm->state == VM_PAUSED;
}

/*
 * Carry out a hypercall whose argument is a structure of @size bytes at
 * @address: copy it to @argument, find the VM, and call @fn with the VM's
 * control lock held. Returns @refusal if the argument cannot be read, the VM
 * does not exist, or @allowed says that it is in the wrong state.
 */
static s64 with_argument(u64 id, u64 vmid, u64 address, void *argument,
			 u32 size, bool (*allowed)(const struct vm *vm),
			 int refusal, int (*fn)(struct vm *vm, const void *arg))
{
	struct vm *vm;
	int ret;

	if (service_vm_read(address, argument, size))
		return refusal;
	testing_record(id, vmid, argument, size);
	vm = vm_get(vmid);
	if (!vm)
		return vm_absent(vmid, refusal);
	ret = allowed(vm) ? fn(vm, argument) : refusal;
	vm_put(vm);
	return ret;
}

void devices_clear(struct vm *vm)
{
	spin_lock(&pcidev_lock);
	memset(&vm->devices, 0, sizeof(vm->devices));
	spin_unlock(&pcidev_lock);
}

/* Whether any VM has the PCI device. pcidev_lock held. */
static bool is_assigned(u16 phys_bdf)
{
	for (u32 i = 0; i < MAX_USER_VMS; i++)
		for (u32 j = 0; j < MAX_PCIDEVS; j++) {
			const struct pcidev *pcidev =
				&user_vms[i].devices.pcidevs[j];

			if (pcidev->present && pcidev->phys_bdf == phys_bdf)
				return true;
		}
	return false;
}

/* Returns 0, or -ENODEV when the VM has MAX_PCIDEVS. pcidev_lock held. */
static int add_pcidev(struct vm *vm, const struct acrn_pcidev *arg)
{
	for (u32 i = 0; i < MAX_PCIDEVS; i++) {
		struct pcidev *pcidev = &vm->devices.pcidevs[i];

		if (pcidev->present)
			continue;
		*pcidev = (struct pcidev){ true, arg->virt_bdf, arg->phys_bdf };
		return 0;
	}
	return -ENODEV;
}

static int assign_pcidev(struct vm *vm, const void *arg)
{
	const struct acrn_pcidev *device = arg;
	int ret = -ENODEV;

	spin_lock(&pcidev_lock);
	if (!is_assigned(device->phys_bdf))
		ret = add_pcidev(vm, device);
	spin_unlock(&pcidev_lock);
	return ret;
}

static struct pcidev *find_pcidev(struct vm *vm, u16 virt_bdf, u16 phys_bdf)
{
	for (u32 i = 0; i < MAX_PCIDEVS; i++) {
		struct pcidev *pcidev = &vm->devices.pcidevs[i];

		if (pcidev->present && pcidev->virt_bdf == virt_bdf &&
		    pcidev->phys_bdf == phys_bdf)
			return pcidev;
	}
	return NULL;
}

static int deassign_pcidev(struct vm *vm, const void *arg)
{
	const struct acrn_pcidev *device = arg;
	struct pcidev *pcidev;

	spin_lock(&pcidev_lock);
	pcidev = find_pcidev(vm, device->virt_bdf, device->phys_bdf);
	if (pcidev)
		pcidev->present = false;
	spin_unlock(&pcidev_lock);
	return pcidev ? 0 : -ENODEV;
}

s64 hc_assign_pcidev(u64 vmid, u64 address)
{
	struct acrn_pcidev arg;

	return with_argument(ACRN_HC_ASSIGN_PCIDEV, vmid, address, &arg,
			     sizeof(arg), is_created, -EINVAL, assign_pcidev);
}

s64 hc_deassign_pcidev(u64 vmid, u64 address)
{
	struct acrn_pcidev arg;

	return with_argument(ACRN_HC_DEASSIGN_PCIDEV, vmid, address, &arg,
			     sizeof(arg), is_stopped, -EINVAL, deassign_pcidev);
}

/*
 * Only interrupt pins of an assigned device are set up by hypercall; its MSIs
 * are not, so any other type is refused.
 */
static int check_ptdev_intr(struct vm *vm, const void *arg)
{
	const struct acrn_ptdev_irq *irq = arg;
	u32 virt_pins = irq->intx.is_pic_pin ? PIC_PINS : VIOAPIC_PINS;

	if (irq->type != ACRN_PTDEV_IRQ_INTX ||
	    irq->intx.virt_pin >= virt_pins ||
	    !find_pcidev(vm, irq->virt_bdf, irq->phys_bdf))
		return -EPERM;
	return 0;
}

static int set_ptdev_intr(struct vm *vm, const void *arg)
{
	const struct acrn_ptdev_irq *irq = arg;

	if (irq->intx.phys_pin >= PHYSICAL_PINS)
		return -EPERM;
	return check_ptdev_intr(vm, arg);
}

s64 hc_set_ptdev_intr(u64 vmid, u64 address)
{
	struct acrn_ptdev_irq arg;

	return with_argument(ACRN_HC_SET_PTDEV_INTR, vmid, address, &arg,
			     sizeof(arg), is_created, -EPERM, set_ptdev_intr);
}

s64 hc_reset_ptdev_intr(u64 vmid, u64 address)
{
	struct acrn_ptdev_irq arg;

	return with_argument(ACRN_HC_RESET_PTDEV_INTR, vmid, address, &arg,
			     sizeof(arg), is_stopped, -EPERM, check_ptdev_intr);
}

static bool valid_mmio(u64 gpa, u64 hpa, u64 size)
{
	return IS_ALIGNED(gpa | hpa | size, PAGE_SIZE) && gpa < NPT_LIMIT &&
	       size <= NPT_LIMIT - gpa && service_vm_may_map(hpa, size);
}

/*
 * As on ACRN, a refused region leaves the regions before it mapped. The Service
 * VM has lost the memory of those for good, beyond the end of the User VM: only
 * deassigning the device gives it back.
 */
static int assign_mmiodev(struct vm *vm, const void *arg)
{
	const struct acrn_mmiodev *device = arg;

	for (u32 i = 0; i < ACRN_MMIODEV_RES_NUM; i++) {
		u64 gpa = device->res[i].user_vm_pa;
		u64 hpa = device->res[i].service_vm_pa;
		u64 size = device->res[i].size;

		if (!valid_mmio(gpa, hpa, size))
			return -EINVAL;
		if (service_vm_take(hpa, size) ||
		    npt_map(&vm->npt, gpa, hpa, size, NPT_RWX) < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * As on ACRN, a region that is not mapped completely stays as it is in the User
 * VM, and the Service VM gets its memory back all the same.
 */
static int deassign_mmiodev(struct vm *vm, const void *arg)
{
	const struct acrn_mmiodev *device = arg;
	int ret = 0;

	for (u32 i = 0; !ret && i < ACRN_MMIODEV_RES_NUM; i++) {
		u64 gpa = device->res[i].user_vm_pa;
		u64 hpa = device->res[i].service_vm_pa;
		u64 size = device->res[i].size;

		if (!valid_mmio(gpa, hpa, size))
			ret = -EINVAL;
		else if (npt_is_mapped(&vm->npt, gpa, size))
			ret = npt_unmap(&vm->npt, gpa, size);
		if (!ret)
			ret = service_vm_give(hpa, size);
	}
	vm_flush_tlb(vm);
	return ret;
}

s64 hc_assign_mmiodev(u64 vmid, u64 address)
{
	struct acrn_mmiodev arg;

	return with_argument(ACRN_HC_ASSIGN_MMIODEV, vmid, address, &arg,
			     sizeof(arg), is_created, -EINVAL, assign_mmiodev);
}

s64 hc_deassign_mmiodev(u64 vmid, u64 address)
{
	struct acrn_mmiodev arg;

	return with_argument(ACRN_HC_DEASSIGN_MMIODEV, vmid, address, &arg,
			     sizeof(arg), is_stopped, -EINVAL,
			     deassign_mmiodev);
}

/*
 * A PCI bridge without a bus behind it. vdev.c lets the guest write the bus
 * numbers among others.
 */
static void init_config(struct vdev *vdev)
{
	const u16 ids[] = { VRP_VENDOR, VRP_DEVICE };
	const u16 class = CLASS_BRIDGE;

	memset(vdev->config, 0, sizeof(vdev->config));
	memcpy(vdev->config, ids, sizeof(ids));
	memcpy(vdev->config + CONFIG_CLASS, &class, sizeof(class));
	vdev->config[CONFIG_HEADER] = HEADER_BRIDGE;
}

static int create_vdev(struct vm *vm, const void *arg)
{
	const struct acrn_vdev *device = arg;

	if (device->id.value != (VRP_VENDOR | VRP_DEVICE << 16) ||
	    vdev_find(vm, device->slot))
		return -EINVAL;
	for (u32 i = 0; i < MAX_VDEVS; i++) {
		struct vdev *vdev = &vm->devices.vdevs[i];

		if (vdev->present)
			continue;
		init_config(vdev);
		vdev->bdf = device->slot;
		vdev->present = true;
		return 0;
	}
	return -EINVAL;
}

static int destroy_vdev(struct vm *vm, const void *arg)
{
	const struct acrn_vdev *device = arg;
	struct vdev *vdev = vdev_find(vm, device->slot);

	if (!vdev)
		return -EINVAL;
	vdev->present = false;
	return 0;
}

s64 hc_create_vdev(u64 vmid, u64 address)
{
	struct acrn_vdev arg;

	return with_argument(ACRN_HC_CREATE_VDEV, vmid, address, &arg,
			     sizeof(arg), is_created, -EINVAL, create_vdev);
}

s64 hc_destroy_vdev(u64 vmid, u64 address)
{
	struct acrn_vdev arg;

	return with_argument(ACRN_HC_DESTROY_VDEV, vmid, address, &arg,
			     sizeof(arg), is_stopped, -EINVAL, destroy_vdev);
}
