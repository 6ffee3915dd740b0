// SPDX-License-Identifier: GPL-2.0
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "ioreq.h"
#include "log.h"
#include "sched.h"
#include "service_vm.h"
#include "string.h"
#include "vcpu.h"
#include "vm.h"
#include "x86.h"

struct vm user_vms[MAX_USER_VMS];
u64 static_cpus;

/* Held while an entry for a new VM is looked up and filled. */
static struct spinlock vm_table_lock;

/* As on ACRN, only the low 16 bits are used. */
static bool is_vmid(u64 vmid)
{
	vmid = (u16)vmid;
	return vmid >= FIRST_USER_VMID && vmid < FIRST_USER_VMID + MAX_USER_VMS;
}

int vm_absent(u64 vmid, int refusal)
{
	return is_vmid(vmid) ? refusal : -ENOTTY;
}

struct vm *vm_get_any(u64 vmid)
{
	struct vm *vm;

	if (!is_vmid(vmid))
		return NULL;
	vmid = (u16)vmid;
	vm = &user_vms[vmid - FIRST_USER_VMID];
	spin_lock(&vm->control);
	return vm;
}

struct vm *vm_get(u64 vmid)
{
	struct vm *vm = vm_get_any(vmid);

	if (!vm || vm->state != VM_FREE)
		return vm;
	vm_put(vm);
	return NULL;
}

void vm_put(struct vm *vm)
{
	spin_unlock(&vm->control);
}

static void set_state(struct vm *vm, enum vm_state state)
{
	spin_lock(&vm->lock);
	vm->state = state;
	spin_unlock(&vm->lock);
}

/* Make a vCPU for each CPU in @cpus, in order. Control lock held. */
static void create_vcpus(struct vm *vm, u64 cpus)
{
	for (u32 i = 0; i < nr_pcpus; i++) {
		struct vcpu *vcpu;

		if (!(cpus & BIT(i)))
			continue;
		vcpu = vcpu_create(vm, vm->nr_vcpus, &pcpus[i]);
		vm->vcpus[vm->nr_vcpus++] = vcpu;
		vm->by_pcpu[i] = vcpu;
	}
}

/* Initialise a free entry. Returns 0 or -ENOMEM. Control lock held. */
static int init_vm(struct vm *vm, const struct acrn_vm_creation *params)
{
	int ret = npt_init(&vm->npt);

	if (ret)
		return ret;
	vm->id = vm - user_vms + FIRST_USER_VMID;
	if (params->vm_flag & ACRN_VM_FLAG_IO_COMPLETION_POLLING)
		vm->polling = true;
	vm->realtime = params->vm_flag & ACRN_VM_FLAG_RT;
	vm->powers_off = false;
	vm->stats = (struct vm_stats){};
	devices_clear(vm);
	asyncio_forget_ring(&vm->asyncio);
	vm->events.ring = NULL;
	vioapic_reset(vm);
	create_vcpus(vm, params->cpu_affinity ?: static_cpus);
	set_state(vm, VM_CREATED);
	return 0;
}

/*
 * Whether the CPUs are all for User VMs. A CPU that does not exist is a panic:
 * ACRN checks the CPUs only of VMs that its static configuration names.
 */
static bool valid_affinity(u64 cpus)
{
	u64 for_users = ~(BIT(FIRST_SERVICE_CPU + nr_service_cpus) - 1) |
			READ_ONCE(removed_cpus);

	if (cpus & ~(BIT(nr_pcpus) - 1))
		panic("CREATE_VM on a CPU that is not there: 0x%llx", cpus);
	return !(cpus & ~for_users);
}

static u32 count_bits(u64 bits)
{
	u32 n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

static bool same_name(const char *a, const char *b)
{
	u32 i = 0;

	while (i < VM_NAME_SIZE && a[i] == b[i] && a[i])
		i++;
	return i == VM_NAME_SIZE || a[i] == b[i];
}

/*
 * The entry of the table that has the name, or else the first without a name;
 * NULL if there is neither. vm_table_lock held.
 */
static struct vm *find_entry(const char *name)
{
	for (u32 i = 0; *name && i < MAX_USER_VMS; i++)
		if (same_name(user_vms[i].name, name))
			return &user_vms[i];
	for (u32 i = 0; i < MAX_USER_VMS; i++)
		if (!user_vms[i].name[0])
			return &user_vms[i];
	return NULL;
}

/* Create a VM in the entry @vm. vm_table_lock and control lock held. */
static int create(struct vm *vm, struct acrn_vm_creation *params)
{
	int ret = -EPERM;

	if (vm->state == VM_FREE && valid_affinity(params->cpu_affinity))
		ret = init_vm(vm, params);
	if (ret) {
		memset(vm->name, 0, sizeof(vm->name));
		return ret;
	}
	memcpy(vm->name, &params->uuid, sizeof(vm->name));
	if (!vm->name[0]) {
		vm->name[0] = '#';
		vm->name[1] = 'a' + (vm - user_vms);
	}
	params->vmid = vm->id;
	params->vcpu_num = vm->nr_vcpus;
	return 0;
}

int vm_create(struct acrn_vm_creation *params)
{
	struct vm *vm;
	int ret = -ENOTTY;

	if (count_bits(params->cpu_affinity) > MAX_VCPUS) {
		params->vmid = ACRN_VMID_INVALID;
		return 0;
	}
	spin_lock(&vm_table_lock);
	vm = find_entry((const char *)&params->uuid);
	if (vm) {
		spin_lock(&vm->control);
		ret = create(vm, params);
		spin_unlock(&vm->control);
	}
	spin_unlock(&vm_table_lock);
	return ret;
}

static void kick_all(struct vm *vm)
{
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		vcpu_interrupt(vm->vcpus[i]);
}

int vm_start(struct vm *vm)
{
	if (vm->state != VM_CREATED || !vm->slots)
		return -EPERM;
	/* ACRN takes a page fault: the first vCPU's pointers are null. */
	if (!vm->nr_vcpus)
		panic("vm %u: started without a vCPU", vm->id);
	set_state(vm, VM_RUNNING);
	kick_all(vm);
	return 0;
}

/*
 * Pause the VM. When this returns no vCPU runs, and none will unless an event
 * wakes it, see wake_astray(). Control lock held.
 */
static void stop(struct vm *vm)
{
	spin_lock(&vm->lock);
	vm->state = VM_PAUSED;
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		vm->vcpus[i]->astray = false;
	spin_unlock(&vm->lock);
	kick_all(vm);
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		while (READ_ONCE(vm->vcpus[i]->on_cpu))
			cpu_relax();
}

/*
 * A running RTVM is of higher severity than the Service VM, so pausing it does
 * nothing, successfully, until it has powered off.
 */
int vm_pause(struct vm *vm)
{
	if (vm->state == VM_PAUSED ||
	    (vm->state == VM_RUNNING && vm->realtime && !vm->powers_off))
		return 0;
	stop(vm);
	return 0;
}

int vm_reset(struct vm *vm)
{
	if (vm->state != VM_PAUSED)
		return -EPERM;
	stop(vm);
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		vcpu_reset(vm->vcpus[i]);
	spin_lock(&vm->lock);
	vioapic_reset(vm);
	spin_unlock(&vm->lock);
	ioreq_free_slots(vm);
	vm->powers_off = false;
	set_state(vm, VM_CREATED);
	return 0;
}

void vm_poweroff(struct vm *vm)
{
	if (!vm->realtime)
		return;
	spin_lock(&vm->lock);
	if (vm->state == VM_RUNNING)
		vm->powers_off = true;
	spin_unlock(&vm->lock);
}

/*
 * ACRN does not check that no vCPU runs: it frees page tables and local APIC of
 * one that does. The vCPU's next entry into the guest fails, which stops a
 * debug build with an assertion, and costs a release build the CPU.
 */
static void check_asleep(const struct vm *vm)
{
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i]->astray)
			panic("vm %u: destroyed while vCPU %u runs", vm->id, i);
}

int vm_destroy(struct vm *vm)
{
	const struct vm_stats *stats = &vm->stats;

	if (vm->state != VM_PAUSED)
		return -EPERM;
	check_asleep(vm);
	npt_free(&vm->npt);
	devices_clear(vm);
	hv_log("vm %u: destroyed pio=%llu mmio=%llu finished=%llu ignored=%llu msi=%llu irqline=%llu async=%llu",
	       vm->id, stats->pio, stats->mmio, stats->finished, stats->ignored,
	       stats->msi, stats->irqline, stats->async);

	spin_lock(&vm->lock);
	memset(vm->vcpus, 0, sizeof(vm->vcpus));
	memset(vm->by_pcpu, 0, sizeof(vm->by_pcpu));
	vm->nr_vcpus = 0;
	vm->slots = NULL;
	memset(vm->name, 0, sizeof(vm->name));
	vm->state = VM_FREE;
	spin_unlock(&vm->lock);
	return 0;
}

void vm_crash(struct vcpu *vcpu, const char *why)
{
	struct vm *vm = vcpu->vm;

	hv_log("vm %u: vCPU %u: %s, rip 0x%llx exit 0x%llx info 0x%llx 0x%llx; vCPU stopped",
	       vm->id, vcpu->id, why, vcpu->vmcb.rip, vcpu->vmcb.exit_code,
	       vcpu->vmcb.exit_info_1, vcpu->vmcb.exit_info_2);
	vcpu_wait(vcpu, VCPU_CRASHED);
	__builtin_unreachable();
}

void vm_flush_tlb(struct vm *vm)
{
	u32 generation = READ_ONCE(vm->npt.generation);

	for (u32 i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *vcpu = vm->vcpus[i];

		smp_mb();
		if (!READ_ONCE(vcpu->in_guest))
			continue;
		vcpu_interrupt(vcpu);
		while (READ_ONCE(vcpu->in_guest) &&
		       READ_ONCE(vcpu->npt_generation) != generation)
			cpu_relax();
	}
}

void vm_forget_polling(void)
{
	for (u32 i = 0; i < MAX_USER_VMS; i++)
		if (READ_ONCE(user_vms[i].state) == VM_FREE)
			WRITE_ONCE(user_vms[i].polling, false);
}
