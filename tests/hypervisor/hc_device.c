// SPDX-License-Identifier: GPL-2.0
/* Hypercalls that give devices to a User VM. */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "device.h"
#include "hypercall.h"
#include "service_vm.h"
#include "string.h"
#include "testing.h"
#include "vm.h"

#define PIC_PINS 16
/* Of the machine's I/O APIC */
#define PHYSICAL_PINS 24

/* ACRN's virtual root port, which is not configurable here. */
#define VRP_VENDOR     0x8086UL
#define VRP_DEVICE     0x9d14UL
#define CONFIG_CLASS   0x0a
#define CLASS_BRIDGE   0x0604
#define CONFIG_HEADER  0x0e
#define HEADER_BRIDGE  1
#define CONFIG_BUS_NOS 0x18

/* Held while looking for the owner of a PCI device and noting a new one. */
static struct spinlock pcidev_lock;

/* A VM that was not started since it was created or reset. */
static bool is_created(const struct vm *vm)
{
	return vm->state == VM_CREATED;
}

static bool is_stopped(const struct vm *vm)
{
	return vm->state == VM_CREATED || vm->state == VM_PAUSED;
}

/*
 * Read the argument and call @fn with it and with the VM's control lock held,
 * if the VM is in the right state, which @allowed says; else return @refusal.
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

/* Pins of a device that is assigned. Its MSIs need no such call. */
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
 * Regions before one that is refused stay mapped, as on ACRN. So does what the
 * Service VM has lost, also when the VM ends: only to deassign gives it back.
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

/* What is not mapped, or not all of it, is passed over, as on ACRN. */
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

/* A bridge to nowhere; where its bus numbers begin is writable. */
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
