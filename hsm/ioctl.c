// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/acrn_hsm: an open file has one VM at most, and each ioctl has one function.
 *
 * An ioctl holds the lock of the file for reading while it uses the VM. So the
 * VM is not destroyed meanwhile, and its state does not change. An ioctl that
 * destroys the VM or changes its state holds the lock for writing. Only the
 * ioctl that waits for I/O requests holds no lock while it waits.
 *
 * All functions here run in process context, in the task that has made the
 * system call, and may sleep. Each ioctl_*() that gets a VM is called by
 * vm_ioctl() with the lock held, for writing if the table "ioctls" says
 * exclusive; each that gets a file takes the lock itself. What guards the parts
 * of the VM from other ioctls that run at the same time is said where they are:
 * &struct acrn_vm.
 *
 * Arguments that name devices of the machine go to the hypervisor as they are.
 * ACRN does not check all of them: ASSIGN_MMIODEV gives a VM whatever physical
 * memory the argument names (assign_mmio_dev() in dm/mmio_dev.c), and
 * SET_PTDEV_INTR reads the physical device of a virtual one that has none
 * (hcall_set_ptdev_intr_info() in common/hypercall.c). So only a task that could
 * access the machine's ports and memory itself may make these ioctls.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "acrn_hypercall.h"
#include "acrn_ioctl.h"
#include "hsm.h"

/* On x86 an MSI is a write to 0xFEExxxxx. */
#define MSI_ADDRESS_SHIFT	20
#define MSI_ADDRESS_BASE	0xfee

/**
 * struct hsm_ioctl - An ioctl
 * @cmd:	ACRN_IOCTL_*
 * @by_value:	The argument is a value, and no pointer to one
 * @small:	The argument is a member of &union small_argument
 * @exclusive:	@vm_op changes the state of the VM
 * @dataplane:	@vm_op needs the data plane, whose module is loaded before
 * @raw_io:	Only for a task that has CAP_SYS_RAWIO, as a part of the machine is
 *		given to a VM or taken from it
 * @vm_op:	Called with the lock of the file held for reading, or for
 *		writing if @exclusive. Gets a copy of the argument, or NULL if
 *		@cmd has none. The copy is in the linear map unless @by_value or
 *		@small
 * @file_op:	Called instead of @vm_op, without the lock
 */
struct hsm_ioctl {
	unsigned int cmd;
	bool by_value;
	bool small;
	bool exclusive;
	bool dataplane;
	bool raw_io;
	int (*vm_op)(struct acrn_vm *vm, void *arg);
	int (*file_op)(struct acrn_file *file, void __user *arg);
};

/*
 * Arguments that are copied to the stack, so that no memory is allocated for
 * them: device models send them often. The hypervisor cannot read them there,
 * and need not.
 */
union small_argument {
	unsigned long value;
	struct acrn_ioreq_notify notify;
	struct acrn_msi_entry msi;
};

/* Undo hold_vm(), with the same @exclusive. */
static void release_vm(struct acrn_file *file, bool exclusive)
{
	if (exclusive)
		up_write(&file->lock);
	else
		up_read(&file->lock);
}

/*
 * Take the lock of the file, for reading unless @exclusive. Returns -EINVAL,
 * without the lock, when the file has no VM.
 */
static int hold_vm(struct acrn_file *file, bool exclusive)
{
	int ret;

	if (exclusive)
		ret = down_write_killable(&file->lock);
	else
		ret = down_read_killable(&file->lock);
	if (ret)
		return ret;
	if (file->vm)
		return 0;
	release_vm(file, exclusive);
	return -EINVAL;
}

/*
 * Create a VM, and tell user space its id and number of vCPUs. A VM that cannot be
 * reported is destroyed again. The lock of the file is held for writing.
 */
static int create_and_report(struct acrn_file *file,
			     struct acrn_vm_creation *args,
			     void __user *uarg)
{
	struct acrn_vm *vm;

	if (file->vm)
		return -EEXIST;
	vm = acrn_vm_create(args, file->dir);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (copy_to_user(uarg, args, sizeof(*args))) {
		acrn_vm_release(vm);
		return -EFAULT;
	}
	file->vm = vm;
	return 0;
}

/*
 * ACRN_IOCTL_CREATE_VM. Fails with -EEXIST when the file has a VM. Holds the
 * lock of the file for writing, so that two calls do not create two.
 */
static int ioctl_create_vm(struct acrn_file *file, void __user *uarg)
{
	struct acrn_vm_creation *args;
	int ret;

	args = memdup_user(uarg, sizeof(*args));
	if (IS_ERR(args))
		return PTR_ERR(args);
	ret = down_write_killable(&file->lock);
	if (!ret) {
		ret = create_and_report(file, args, uarg);
		up_write(&file->lock);
	}
	kfree(args);
	return ret;
}

/*
 * ACRN_IOCTL_DESTROY_VM. Holds the lock of the file for writing, so that no
 * other ioctl is using the VM. The file can have another VM afterwards.
 */
static int ioctl_destroy_vm(struct acrn_file *file, void __user *uarg)
{
	int ret;

	ret = hold_vm(file, true);
	if (ret)
		return ret;
	ret = acrn_vm_destroy(file->vm);
	if (!ret)
		file->vm = NULL;
	release_vm(file, true);
	return ret;
}

/*
 * ACRN_IOCTL_ATTACH_IOREQ_CLIENT: wait until the client has a request. The
 * reference to the client keeps it while this waits without the lock of the
 * file.
 */
static int ioctl_attach_ioreq_client(struct acrn_file *file, void __user *uarg)
{
	struct acrn_client *client;
	int ret;

	ret = hold_vm(file, false);
	if (ret)
		return ret;
	client = acrn_client_get(file->vm);
	release_vm(file, false);
	if (!client)
		return -ENODEV;
	ret = acrn_client_wait(client);
	acrn_client_put(client);
	return ret;
}

/*
 * ACRN_IOCTL_PM_GET_CPU_STATE. The result overwrites the command in user
 * memory, and may be longer.
 */
static int ioctl_pm_get_cpu_state(struct acrn_file *file, void __user *uarg)
{
	union acrn_cpu_state *state;
	bool faulted;
	u64 command;
	int ret;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	faulted = get_user(command, (u64 __user *)uarg);
	ret = hold_vm(file, false);
	if (ret)
		goto free;
	ret = faulted ? -EFAULT : acrn_cpu_state_get(file->vm, command, state);
	release_vm(file, false);
	if (ret > 0)
		ret = copy_to_user(uarg, state, ret) ? -EFAULT : 0;
free:
	kfree(state);
	return ret;
}

static int ioctl_start_vm(struct acrn_vm *vm, void *arg)
{
	return acrn_vm_start(vm);
}

static int ioctl_pause_vm(struct acrn_vm *vm, void *arg)
{
	return acrn_vm_pause(vm);
}

static int ioctl_reset_vm(struct acrn_vm *vm, void *arg)
{
	return acrn_vm_reset(vm);
}

static int ioctl_set_vcpu_regs(struct acrn_vm *vm, void *arg)
{
	return acrn_vm_set_vcpu_regs(vm, arg);
}

/*
 * ACRN_IOCTL_INJECT_MSI. The MSI goes to the hypervisor at once, see
 * acrn_hsm_inject_msi(); the lock of the file keeps the VM.
 */
static int ioctl_inject_msi(struct acrn_vm *vm, void *arg)
{
	const struct acrn_msi_entry *msi = arg;
	int ret;

	if (msi->msi_addr >> MSI_ADDRESS_SHIFT != MSI_ADDRESS_BASE)
		return -EINVAL;
	ret = acrn_hsm_inject_msi(vm, msi->msi_addr, msi->msi_data);
	/* A paused VM is reset before it runs again, which forgets all MSIs. */
	return ret == -EAGAIN ? 0 : ret;
}

static int ioctl_set_irqline(struct acrn_vm *vm, void *arg)
{
	const u64 *line = arg;

	return acrn_wake_irqline(vm, *line);
}

/* The argument is the user address of a page. */
static int ioctl_vm_intr_monitor(struct acrn_vm *vm, void *arg)
{
	const u64 *address = arg;

	return acrn_monitor_set(vm, *address);
}

/* The field vmid is ignored: the file has one VM. */
static int ioctl_notify_request_finish(struct acrn_vm *vm, void *arg)
{
	const struct acrn_ioreq_notify *notify = arg;

	if (notify->reserved)
		return -EINVAL;
	return acrn_client_finish(vm, notify->vcpu);
}

static int ioctl_create_ioreq_client(struct acrn_vm *vm, void *arg)
{
	return acrn_client_create(vm);
}

static int ioctl_destroy_ioreq_client(struct acrn_vm *vm, void *arg)
{
	acrn_client_destroy(vm);
	return 0;
}

static int ioctl_clear_vm_ioreq(struct acrn_vm *vm, void *arg)
{
	acrn_vm_clear_requests(vm);
	return 0;
}

static int ioctl_set_memseg(struct acrn_vm *vm, void *arg)
{
	return acrn_memory_set(vm, arg);
}

static int ioctl_unset_memseg(struct acrn_vm *vm, void *arg)
{
	return acrn_memory_unset(vm, arg);
}

static int ioctl_set_ptdev_intr(struct acrn_vm *vm, void *arg)
{
	return acrn_hc_set_ptdev_intr(vm->vmid, arg);
}

static int ioctl_reset_ptdev_intr(struct acrn_vm *vm, void *arg)
{
	return acrn_hc_reset_ptdev_intr(vm->vmid, arg);
}

/*
 * ACRN_IOCTL_ASSIGN_PCIDEV. From now on an IOMMU may hold translations of the
 * VM's addresses. The lock of the file is held for reading; the number is
 * atomic.
 */
static int ioctl_assign_pcidev(struct acrn_vm *vm, void *arg)
{
	int ret;

	atomic_inc(&vm->memory.devices);
	ret = acrn_hc_assign_pcidev(vm->vmid, arg);
	if (ret)
		atomic_dec(&vm->memory.devices);
	return ret;
}

/*
 * ACRN_IOCTL_DEASSIGN_PCIDEV. The hypervisor flushes the translations that the
 * IOMMU of the device holds. The lock of the file is held for reading; the
 * number is atomic.
 */
static int ioctl_deassign_pcidev(struct acrn_vm *vm, void *arg)
{
	int ret;

	ret = acrn_hc_deassign_pcidev(vm->vmid, arg);
	if (!ret)
		atomic_dec(&vm->memory.devices);
	return ret;
}

static int ioctl_assign_mmiodev(struct acrn_vm *vm, void *arg)
{
	if (!acrn_mmiodev_is_device(arg))
		return -EPERM;
	return acrn_hc_assign_mmiodev(vm->vmid, arg);
}

/*
 * ACRN_IOCTL_DEASSIGN_MMIODEV. The hypervisor gives the regions back to the
 * Service VM and unmaps whatever the User VM has at their addresses, even if
 * the device was never assigned to it. Memory that was there stays pinned until
 * the VM is destroyed: UNSET_MEMSEG and SET_MEMSEG fail for these addresses, as
 * the hypervisor does not unmap what is not mapped.
 */
static int ioctl_deassign_mmiodev(struct acrn_vm *vm, void *arg)
{
	if (!acrn_mmiodev_is_device(arg))
		return -EPERM;
	return acrn_hc_deassign_mmiodev(vm->vmid, arg);
}

static int ioctl_create_vdev(struct acrn_vm *vm, void *arg)
{
	return acrn_hc_create_vdev(vm->vmid, arg);
}

static int ioctl_destroy_vdev(struct acrn_vm *vm, void *arg)
{
	return acrn_hc_destroy_vdev(vm->vmid, arg);
}

/*
 * ACRN_IOCTL_SETUP_ASYNCIO. The argument is the user address of a page in which
 * acrn-dm has set up a ring for the hypervisor. It is not used: the hypervisor
 * believes what the ring says, so the HSM has a ring of its own, see async.c.
 */
static int ioctl_setup_asyncio(struct acrn_vm *vm, void *arg)
{
	return 0;
}

/* The argument is the user address of a page. */
static int ioctl_setup_vm_event_ring(struct acrn_vm *vm, void *arg)
{
	const u64 *address = arg;

	return acrn_vm_event_set_ring(vm, *address);
}

static int ioctl_setup_vm_event_fd(struct acrn_vm *vm, void *arg)
{
	const u64 *fd = arg;

	return acrn_vm_event_set_fd(vm, *fd);
}

static int ioctl_ioeventfd(struct acrn_vm *vm, void *arg)
{
	return acrn_dataplane_ioeventfd(vm, arg);
}

static int ioctl_irqfd(struct acrn_vm *vm, void *arg)
{
	return acrn_dataplane_irqfd(vm, arg);
}

/*
 * All ioctls; &struct hsm_ioctl says which lock is held for each. The two that a
 * device model calls for each request come first, as find_ioctl() looks at one
 * after the other.
 */
static const struct hsm_ioctl ioctls[] = {
	{ ACRN_IOCTL_NOTIFY_REQUEST_FINISH,
	  .vm_op = ioctl_notify_request_finish, .small = true },
	{ ACRN_IOCTL_ATTACH_IOREQ_CLIENT,
	  .file_op = ioctl_attach_ioreq_client },
	{ ACRN_IOCTL_CREATE_VM, .file_op = ioctl_create_vm },
	{ ACRN_IOCTL_DESTROY_VM, .file_op = ioctl_destroy_vm },
	{ ACRN_IOCTL_START_VM, .vm_op = ioctl_start_vm, .exclusive = true },
	{ ACRN_IOCTL_PAUSE_VM, .vm_op = ioctl_pause_vm, .exclusive = true },
	{ ACRN_IOCTL_RESET_VM, .vm_op = ioctl_reset_vm, .exclusive = true },
	{ ACRN_IOCTL_SET_VCPU_REGS, .vm_op = ioctl_set_vcpu_regs },
	{ ACRN_IOCTL_INJECT_MSI, .vm_op = ioctl_inject_msi, .small = true },
	{ ACRN_IOCTL_VM_INTR_MONITOR, .vm_op = ioctl_vm_intr_monitor,
	  .by_value = true },
	{ ACRN_IOCTL_SET_IRQLINE, .vm_op = ioctl_set_irqline, .by_value = true },
	{ ACRN_IOCTL_CREATE_IOREQ_CLIENT, .vm_op = ioctl_create_ioreq_client },
	{ ACRN_IOCTL_DESTROY_IOREQ_CLIENT,
	  .vm_op = ioctl_destroy_ioreq_client },
	{ ACRN_IOCTL_CLEAR_VM_IOREQ, .vm_op = ioctl_clear_vm_ioreq },
	{ ACRN_IOCTL_SET_MEMSEG, .vm_op = ioctl_set_memseg },
	{ ACRN_IOCTL_UNSET_MEMSEG, .vm_op = ioctl_unset_memseg },
	{ ACRN_IOCTL_SET_PTDEV_INTR, .vm_op = ioctl_set_ptdev_intr,
	  .raw_io = true },
	{ ACRN_IOCTL_RESET_PTDEV_INTR, .vm_op = ioctl_reset_ptdev_intr,
	  .raw_io = true },
	{ ACRN_IOCTL_ASSIGN_PCIDEV, .vm_op = ioctl_assign_pcidev,
	  .raw_io = true },
	{ ACRN_IOCTL_DEASSIGN_PCIDEV, .vm_op = ioctl_deassign_pcidev,
	  .raw_io = true },
	{ ACRN_IOCTL_ASSIGN_MMIODEV, .vm_op = ioctl_assign_mmiodev,
	  .raw_io = true },
	{ ACRN_IOCTL_DEASSIGN_MMIODEV, .vm_op = ioctl_deassign_mmiodev,
	  .raw_io = true },
	{ ACRN_IOCTL_CREATE_VDEV, .vm_op = ioctl_create_vdev, .raw_io = true },
	{ ACRN_IOCTL_DESTROY_VDEV, .vm_op = ioctl_destroy_vdev,
	  .raw_io = true },
	{ ACRN_IOCTL_PM_GET_CPU_STATE, .file_op = ioctl_pm_get_cpu_state },
	{ ACRN_IOCTL_SETUP_ASYNCIO, .vm_op = ioctl_setup_asyncio,
	  .by_value = true },
	{ ACRN_IOCTL_SETUP_VM_EVENT_RING, .vm_op = ioctl_setup_vm_event_ring,
	  .by_value = true },
	{ ACRN_IOCTL_SETUP_VM_EVENT_FD, .vm_op = ioctl_setup_vm_event_fd,
	  .by_value = true },
	{ ACRN_IOCTL_IOEVENTFD, .vm_op = ioctl_ioeventfd, .dataplane = true },
	{ ACRN_IOCTL_IRQFD, .vm_op = ioctl_irqfd, .dataplane = true },
};

/* Find the ioctl for a command, or NULL. */
static const struct hsm_ioctl *find_ioctl(unsigned int cmd)
{
	const struct hsm_ioctl *ioctl;

	for (ioctl = ioctls; ioctl < ioctls + ARRAY_SIZE(ioctls); ioctl++)
		if (ioctl->cmd == cmd)
			return ioctl;
	return NULL;
}

/* Copy an argument to @small. Returns @small or an ERR_PTR(). */
static void *copy_small_argument(unsigned int cmd, unsigned long param,
				 union small_argument *small)
{
	if (copy_from_user(small, (void __user *)param, _IOC_SIZE(cmd)))
		return ERR_PTR(-EFAULT);
	return small;
}

/*
 * Copy the argument. Returns @small or memory that the caller frees; NULL when
 * the command has no argument; or an ERR_PTR(). Called without the lock of the
 * file.
 */
static void *copy_argument(const struct hsm_ioctl *ioctl, unsigned long param,
			   union small_argument *small)
{
	if (ioctl->by_value) {
		small->value = param;
		return small;
	}
	if (!_IOC_SIZE(ioctl->cmd))
		return NULL;
	if (ioctl->small)
		return copy_small_argument(ioctl->cmd, param, small);
	return memdup_user((void __user *)param, _IOC_SIZE(ioctl->cmd));
}

/*
 * Load the module of the data plane. Fails with -EINVAL when the file has no
 * VM. Called without the lock of the file, and holds none while modprobe runs.
 */
static int load_dataplane(struct acrn_file *file)
{
	int ret;

	ret = hold_vm(file, false);
	if (ret)
		return ret;
	release_vm(file, false);
	return acrn_dataplane_load();
}

/*
 * Carry out an ioctl that has a @vm_op: copy the argument, take the lock of the
 * file, and call it.
 */
static int vm_ioctl(struct acrn_file *file, const struct hsm_ioctl *ioctl,
		    unsigned long param)
{
	union small_argument small;
	/*
	 * Without the lock, as a page fault on user memory and modprobe may
	 * take long.
	 */
	void *arg = copy_argument(ioctl, param, &small);
	int ret = 0;

	if (ioctl->dataplane)
		ret = load_dataplane(file);
	if (!ret)
		ret = hold_vm(file, ioctl->exclusive);
	if (ret)
		goto free;
	ret = IS_ERR(arg) ? PTR_ERR(arg) : ioctl->vm_op(file->vm, arg);
	release_vm(file, ioctl->exclusive);
free:
	if (!IS_ERR(arg) && arg != &small)
		kfree(arg);
	return ret;
}

/*
 * An ioctl of /dev/acrn_hsm. Any thread of any process that has the file open
 * may be here at the same time. Takes the lock of the file where the ioctl
 * needs it.
 */
static long hsm_ioctl(struct file *f, unsigned int cmd, unsigned long param)
{
	const struct hsm_ioctl *ioctl = find_ioctl(cmd);
	struct acrn_file *file = f->private_data;

	if (!ioctl)
		return -ENOTTY;
	if (ioctl->file_op)
		return ioctl->file_op(file, (void __user *)param);
	if (ioctl->raw_io && !capable(CAP_SYS_RAWIO))
		return -EPERM;
	return vm_ioctl(file, ioctl, param);
}

/* An open file begins without a VM. */
static int hsm_open(struct inode *inode, struct file *f)
{
	struct acrn_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	const struct miscdevice *device = f->private_data;

	if (!file)
		return -ENOMEM;
	file->dir = &device->this_device->kobj;
	init_rwsem(&file->lock);
	f->private_data = file;
	return 0;
}

/*
 * Destroy the VM, if the file has one, and free the file. Called by whoever drops
 * the last reference to the file, so no ioctl is running, and no lock is needed.
 */
static int hsm_release(struct inode *inode, struct file *f)
{
	struct acrn_file *file = f->private_data;

	if (file->vm)
		acrn_vm_release(file->vm);
	kfree(file);
	return 0;
}

const struct file_operations acrn_hsm_fops = {
	.owner		= THIS_MODULE,
	.open		= hsm_open,
	.release	= hsm_release,
	.unlocked_ioctl	= hsm_ioctl,
};
