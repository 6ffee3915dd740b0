// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of /dev/acrn_hsm. The main thread calls these functions before the
 * VM runs and after it has ended, the thread that handles I/O requests in
 * between; any thread may call hsm_set_irq() and hsm_inject_msi(). struct hsm
 * is constant while the VM exists, and the HSM itself orders calls that come at
 * the same time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <acrn_hypercall.h>

#include "machine/hsm.h"
#include "process/log.h"

#define DEVICE "/dev/acrn_hsm"

/*
 * Linux' HSM allocates 32 bytes for each page of a memory segment in one piece,
 * and takes 256 segments. With segments of 64 MiB it allocates 512 KiB for
 * each, and 256 of them cover 16 GiB.
 */
#define SEGMENT_SMALL_PAGES (64ULL << 20)
#define SEGMENT_HUGE_PAGES  (1ULL << 30)

static int hsm_ioctl(struct hsm *hsm, unsigned long request, void *arg)
{
	return ioctl(hsm->fd, request, arg) < 0 ? -errno : 0;
}

/* Open the HSM; there is no VM yet. */
int hsm_open(struct hsm *hsm)
{
	int ret;

	*hsm = (struct hsm){ .fd = open(DEVICE, O_RDWR | O_CLOEXEC) };
	if (hsm->fd >= 0)
		return 0;
	ret = -errno;
	log_error("cannot open " DEVICE ": %s%s", strerror(-ret),
		  ret == -ENOENT || ret == -ENODEV || ret == -ENXIO
			  ? "; this has to run in the Service VM of the ACRN "
			    "hypervisor with the module acrn_hsm loaded"
			  : "");
	return ret;
}

/* Close the HSM, which destroys the VM if there still is one. */
void hsm_close(struct hsm *hsm)
{
	close(hsm->fd);
}

/*
 * Allocate the page of I/O request slots, which the HSM pins. A slot of zeroes
 * would read as a pending request, so each is marked as free.
 */
static int alloc_slots(struct hsm *hsm)
{
	unsigned int i;

	hsm->slots = mmap(NULL, sizeof(*hsm->slots), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hsm->slots == MAP_FAILED)
		return -errno;
	for (i = 0; i < ACRN_IO_REQUEST_MAX; i++)
		hsm->slots->req_slot[i].processed = ACRN_IOREQ_STATE_FREE;
	return 0;
}

static void explain_create_failure(int err, uint64_t cpus)
{
	log_error("the hypervisor did not create the VM: %s; see whether the "
		  "physical CPUs of --cpu-affinity (mask %#llx) exist and are "
		  "taken from the Service VM",
		  strerror(err), (unsigned long long)cpus);
}

/**
 * hsm_create_vm() - Create a VM without memory
 * @hsm:		Open device
 * @name:		Up to 15 characters
 * @cpus:		Physical CPUs, one vCPU on each
 * @completion_polling: vCPUs spin until their I/O requests are complete
 */
int hsm_create_vm(struct hsm *hsm, const char *name, uint64_t cpus,
		  bool completion_polling)
{
	unsigned int vcpus = __builtin_popcountll(cpus);
	struct acrn_vm_creation vm = {
		.vcpu_num = vcpus,
		.cpu_affinity = cpus,
	};
	int ret;

	ret = alloc_slots(hsm);
	if (ret) {
		log_error("cannot allocate the page of I/O requests: %s",
			  strerror(-ret));
		return ret;
	}
	vm.ioreq_buf = (uint64_t)hsm->slots;
	if (completion_polling)
		vm.vm_flag |= ACRN_VM_FLAG_IO_COMPLETION_POLLING;
	/* The hypervisor takes a name where Linux' header has the UUID. */
	strncpy((char *)&vm.uuid, name, sizeof(vm.uuid) - 1);

	ret = hsm_ioctl(hsm, ACRN_IOCTL_CREATE_VM, &vm);
	if (ret) {
		explain_create_failure(-ret, cpus);
		goto unmap;
	}
	hsm->vmid = vm.vmid;
	hsm->vcpus = vm.vcpu_num;
	if (hsm->vcpus != vcpus) {
		log_error("the hypervisor made %u vCPUs of the %u physical "
			  "CPUs in --cpu-affinity",
			  hsm->vcpus, vcpus);
		hsm_destroy_vm(hsm);
		return -EINVAL;
	}
	ret = hsm_ioctl(hsm, ACRN_IOCTL_CREATE_IOREQ_CLIENT, NULL);
	if (!ret)
		return 0;
	log_error("the HSM cannot make a client for I/O requests: %s",
		  strerror(-ret));
	hsm_destroy_vm(hsm);
	return ret;

unmap:
	munmap(hsm->slots, sizeof(*hsm->slots));
	return ret;
}

/*
 * Stop the vCPUs for good. Prints nothing: the call fails for a VM that was
 * never started or is already paused, whose vCPUs do not run anyway.
 */
void hsm_pause_vm(struct hsm *hsm)
{
	hsm_ioctl(hsm, ACRN_IOCTL_PAUSE_VM, NULL);
}

/*
 * Destroy the VM, which the hypervisor does only when it is paused. No thread
 * may be in hsm_wait_request().
 */
void hsm_destroy_vm(struct hsm *hsm)
{
	int ret;

	hsm_pause_vm(hsm);
	ret = hsm_ioctl(hsm, ACRN_IOCTL_DESTROY_VM, NULL);
	if (ret)
		log_error("cannot destroy the VM: %s", strerror(-ret));
	munmap(hsm->slots, sizeof(*hsm->slots));
}

/* Give the VM the memory at @va as RAM at @gpa. */
static int map_segment(struct hsm *hsm, uint64_t gpa, uint8_t *va, uint64_t len)
{
	struct acrn_vm_memmap segment = {
		.type = ACRN_MEMMAP_RAM,
		.attr = ACRN_MEM_ACCESS_RWX | ACRN_MEM_TYPE_WB,
		.user_vm_pa = gpa,
		.vma_base = (uint64_t)va,
		.len = len,
	};

	return hsm_ioctl(hsm, ACRN_IOCTL_SET_MEMSEG, &segment);
}

/* Give the VM a region of RAM, in segments of up to @segment bytes. */
static int map_region(struct hsm *hsm, const struct mem_region *region,
		      uint64_t segment)
{
	uint64_t done, len;
	int ret = 0;

	for (done = 0; !ret && done < region->size; done += len) {
		len = region->size - done;
		if (len > segment)
			len = segment;
		ret = map_segment(hsm, region->gpa + done, region->va + done,
				  len);
	}
	return ret;
}

/* Give the VM its RAM, which stays pinned until the VM is destroyed. */
int hsm_map_memory(struct hsm *hsm, const struct guest_mem *mem)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < mem->count; i++)
		ret = map_region(hsm, &mem->regions[i],
				 mem->hugepages ? SEGMENT_HUGE_PAGES
						: SEGMENT_SMALL_PAGES);
	if (ret)
		log_error("cannot map the VM's memory: %s", strerror(-ret));
	return ret;
}

/* Set the registers of the first vCPU and let it run. It starts the others. */
int hsm_start(struct hsm *hsm, const struct acrn_regs *regs)
{
	struct acrn_vcpu_regs vcpu = { .vcpu_id = 0, .vcpu_regs = *regs };
	int ret;

	ret = hsm_ioctl(hsm, ACRN_IOCTL_SET_VCPU_REGS, &vcpu);
	if (!ret)
		ret = hsm_ioctl(hsm, ACRN_IOCTL_START_VM, NULL);
	if (ret)
		log_error("cannot start the VM: %s", strerror(-ret));
	return ret;
}

/*
 * Bring a running VM back to the state before its start. The I/O requests that
 * have not been completed are dropped.
 */
int hsm_stop_for_reset(struct hsm *hsm)
{
	int ret;

	ret = hsm_ioctl(hsm, ACRN_IOCTL_PAUSE_VM, NULL);
	if (!ret)
		ret = hsm_ioctl(hsm, ACRN_IOCTL_CLEAR_VM_IOREQ, NULL);
	if (!ret)
		ret = hsm_ioctl(hsm, ACRN_IOCTL_RESET_VM, NULL);
	if (ret)
		log_error("cannot reset the VM: %s", strerror(-ret));
	return ret;
}

/*
 * Wait until there may be an I/O request, or until a signal comes. Prints
 * nothing.
 */
int hsm_wait_request(struct hsm *hsm)
{
	int ret = hsm_ioctl(hsm, ACRN_IOCTL_ATTACH_IOREQ_CLIENT, NULL);

	return ret == -EINTR ? 0 : ret;
}

/* Complete the I/O request of @vcpu, which runs on then. Prints nothing. */
int hsm_finish_request(struct hsm *hsm, unsigned int vcpu)
{
	struct acrn_ioreq_notify notify = { .vmid = hsm->vmid, .vcpu = vcpu };

	return hsm_ioctl(hsm, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &notify);
}

/*
 * Set the level of an interrupt controller's pin. Any thread; prints nothing.
 */
int hsm_set_irq(struct hsm *hsm, uint32_t gsi, bool high)
{
	uint64_t op = high ? ACRN_IRQLINE_SET_HIGH : ACRN_IRQLINE_SET_LOW;

	/* The argument of this ioctl is a struct acrn_irqline by value. */
	return hsm_ioctl(hsm, ACRN_IOCTL_SET_IRQLINE, (void *)(gsi | op << 32));
}

/* Send an MSI. Any thread; prints nothing: the guest has chosen the message. */
int hsm_inject_msi(struct hsm *hsm, const struct acrn_msi_entry *msi)
{
	struct acrn_msi_entry copy = *msi;

	return hsm_ioctl(hsm, ACRN_IOCTL_INJECT_MSI, &copy);
}
