// SPDX-License-Identifier: GPL-2.0
/*
 * Makes sequences of calls. Calls that the in-tree HSM does not survive are
 * left out; names in comments, like start-no-vcpu, are entries of
 * Documentation/differences.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/acrn.h>

#include "acrn_hypercall.h"
#include "calls.h"

#define PAGE 0x1000
#define RWX  ACRN_MEM_ACCESS_RWX
#define HPET 0xfed00000
#define VRP  0x9d148086
#define PIO  ACRN_IOEVENTFD_FLAG_PIO
#define DATA ACRN_IOEVENTFD_FLAG_DATAMATCH
#define GONE ACRN_IOEVENTFD_FLAG_DEASSIGN

/**
 * struct field - An argument of a call
 * @name:	Name for the listing
 * @usual:	Number of ordinary values, which are the first of @values
 * @n:		Number of @values
 * @is_place:	The values are &enum place
 * @values:	Values that the argument can have
 */
struct field {
	const char *name;
	unsigned int usual;
	unsigned int n;
	bool is_place;
	const uint64_t *values;
};

#define VALUES(...)                                                            \
	sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), false,         \
		(const uint64_t[])                                             \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define PLACES(...)                                                            \
	sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), true,          \
		(const uint64_t[])                                             \
	{                                                                      \
		__VA_ARGS__                                                    \
	}

/**
 * struct shape - Description of a kind of call
 * @name:	Name for the listing
 * @weight:	Frequency, relative to that of the other kinds
 * @fields:	Arguments; an entry without a name ends them
 */
struct shape {
	const char *name;
	unsigned int weight;
	struct field fields[ARGS_MAX];
};

#define MEMSEG_GPAS                                                            \
	VALUES(0x10000, 0x11000, 0x14000, 0x20000, 0x40000, 0x200000,          \
	       0x400000, 0x10000000, 0x40000000, 0, 0x100000000, 0x10800,      \
	       (1ULL << 40) - PAGE, 1ULL << 40, 1ULL << 52, -0x1000ULL)

static const struct shape shapes[KINDS] = {
	[CREATE_VM] = { "CREATE_VM",
			12,
			{ { "reserved", 1, VALUES(0, 1) },
			  /*
			   * Bit 0 is the first CPU of User VMs. Never without
			   * a CPU: START_VM takes the machine down then
			   * (start-no-vcpu).
			   */
			  { "affinity", 3, VALUES(1, 2, 3, 1ULL << 63) },
			  { "flag", 2,
			    VALUES(0, ACRN_VM_FLAG_IO_COMPLETION_POLLING) },
			  { "name", 2, VALUES(0, 0x766d316d76) },
			  { "slots", 1,
			    PLACES(SLOTS, SLOTS_ODD, HOLE, READ_ONLY, NOWHERE,
				   KERNEL) } } },
	[DESTROY_VM] = { "DESTROY_VM", 2 },
	[START_VM] = { "START_VM", 3 },
	[PAUSE_VM] = { "PAUSE_VM", 5 },
	[RESET_VM] = { "RESET_VM", 5 },
	[SET_VCPU_REGS] = { "SET_VCPU_REGS",
			    4,
			    { { "vcpu", 1, VALUES(0, 1, 2, 15, 16, 0xffff) },
			      { "reserved", 1, VALUES(0, 1, 2, 3, 4, 5) } } },
	[SET_MEMSEG] = { "SET_MEMSEG",
			 16,
			 { { "type", 2,
			     VALUES(ACRN_MEMMAP_RAM, ACRN_MEMMAP_MMIO, 2) },
			   { "attr", 3,
			     VALUES(RWX, ACRN_MEM_ACCESS_READ,
				    RWX | ACRN_MEM_TYPE_WB, 0,
				    ACRN_MEM_ACCESS_WRITE, RWX | 0x1000) },
			   { "gpa", 9, MEMSEG_GPAS },
			   { "from", 0, VALUES(0) },
			   /* No longer ones: memseg-large */
			   { "len", 4,
			     VALUES(PAGE, 2 * PAGE, 4 * PAGE, 0x10000, 0, 100,
				    PAGE + 100, 0x300000,
				    (1ULL << 44) + PAGE) } } },
	[UNSET_MEMSEG] = { "UNSET_MEMSEG",
			   8,
			   { { "type", 2,
			       VALUES(ACRN_MEMMAP_MMIO, ACRN_MEMMAP_RAM, 2) },
			     { "attr", 1, VALUES(RWX, 0) },
			     { "gpa", 9, MEMSEG_GPAS },
			     { "from", 1, VALUES(0) },
			     { "len", 2,
			       VALUES(PAGE, 2 * PAGE, 0, 100, -0x1000ULL) } } },
	[CREATE_CLIENT] = { "CREATE_IOREQ_CLIENT", 5 },
	[DESTROY_CLIENT] = { "DESTROY_IOREQ_CLIENT", 3 },
	/* Nothing destroys the client during the call: attach-destroy */
	[ATTACH_CLIENT] = { "ATTACH_IOREQ_CLIENT", 2 },
	[NOTIFY] = { "NOTIFY_REQUEST_FINISH",
		     2,
		     { { "vmid", 3, VALUES(0, 1, 0xffff) },
		       { "reserved", 1, VALUES(0, 1) },
		       { "vcpu", 2,
			 VALUES(0, 1, 2, 15, 16, 0xffff, 0x10000, ~0U) } } },
	[CLEAR_IOREQ] = { "CLEAR_VM_IOREQ", 3 },
	[INJECT_MSI] = { "INJECT_MSI",
			 6,
			 { { "address", 4,
			     VALUES(0xfee00000, 0xfee01000, 0xfeeff000,
				    0xfee00004, 0, 0xfedff000, 0xfef00000,
				    0x1fee00000) },
			   { "data", 2,
			     VALUES(0x41, 0x83, 0xf, 0x541, 0x4041, 0x141,
				    0x100000041) } } },
	[SET_IRQLINE] = { "SET_IRQLINE",
			  5,
			  { { "line", 4,
			      VALUES(4, 4 | 1ULL << 32, 16 | 2ULL << 32,
				     17 | 3ULL << 32, 23, 24, 1000,
				     4 | 4ULL << 32, ~0ULL) } } },
	[INTR_MONITOR] = { "VM_INTR_MONITOR",
			   4,
			   { { "page", 2,
			       PLACES(MONITOR, MONITOR_OTHER, MONITOR_ODD,
				      MONITOR_COMMAND, HOLE, READ_ONLY, NOWHERE,
				      KERNEL) } } },
#define PTDEV_FIELDS                                                           \
	{                                                                      \
		{ "type", 1,                                                   \
		  VALUES(ACRN_PTDEV_IRQ_INTX, ACRN_PTDEV_IRQ_MSI) },           \
			{ "virt", 2, VALUES(8, 16) },                          \
			{ "phys", 2, VALUES(8, 16) },                          \
			{ "virt_pin", 2, VALUES(3, 17, 24) },                  \
			{ "phys_pin", 1, VALUES(19, 24) },                     \
		{                                                              \
			"pic", 1, VALUES(0, 1)                                 \
		}                                                              \
	}
	[SET_PTDEV_INTR] = { "SET_PTDEV_INTR", 4, PTDEV_FIELDS },
	[RESET_PTDEV_INTR] = { "RESET_PTDEV_INTR", 3, PTDEV_FIELDS },
#define PCIDEV_FIELDS                                                          \
	{                                                                      \
		{ "type", 1, VALUES(0, ACRN_PTDEV_QUIRK_ASSIGN) },             \
			{ "virt", 2, VALUES(8, 16) },                          \
		{                                                              \
			"phys", 2, VALUES(8, 16)                               \
		}                                                              \
	}
	[ASSIGN_PCIDEV] = { "ASSIGN_PCIDEV", 5, PCIDEV_FIELDS },
	[DEASSIGN_PCIDEV] = { "DEASSIGN_PCIDEV", 3, PCIDEV_FIELDS },
#define MMIODEV_FIELDS                                                         \
	{                                                                      \
		{ "gpa", 2, VALUES(0x90000000, 0x90001000, 0x90000800) },      \
			{ "from",                                              \
			  1, /* No memory of the kernel: mmio-is-ram */        \
			  VALUES(HPET, HPET + 8, -0x1000ULL, 0xfec00000) },    \
		{                                                              \
			"size", 1, VALUES(PAGE, 0, 100, 2 * PAGE, 0x200000)    \
		}                                                              \
	}
	[ASSIGN_MMIODEV] = { "ASSIGN_MMIODEV", 4, MMIODEV_FIELDS },
	[DEASSIGN_MMIODEV] = { "DEASSIGN_MMIODEV", 3, MMIODEV_FIELDS },
#define VDEV_FIELDS                                                            \
	{                                                                      \
		{ "id", 1, VALUES(VRP, 0x12345678) },                          \
		{                                                              \
			"slot", 2, VALUES(0x48, 0x50, 0xffff)                  \
		}                                                              \
	}
	[CREATE_VDEV] = { "CREATE_VDEV", 4, VDEV_FIELDS },
	[DESTROY_VDEV] = { "DESTROY_VDEV", 3, VDEV_FIELDS },
	[PM_GET_STATE] = { "PM_GET_CPU_STATE",
			   5,
			   { { "type", 4,
			       VALUES(ACRN_PMCMD_GET_PX_CNT,
				      ACRN_PMCMD_GET_PX_DATA,
				      ACRN_PMCMD_GET_CX_CNT,
				      ACRN_PMCMD_GET_CX_DATA, 4, 0xff) },
			     { "vcpu", 1, VALUES(0, 1, 0xff) },
			     { "state", 4, VALUES(0, 1, 2, 3, 0xff) },
			     { "vmid", 1,
			       VALUES(VMID_OWN, VMID_OTHER, VMID_NONE) } } },
	[IOEVENTFD] = { "IOEVENTFD",
			14,
			{ { "fd", 4, VALUES(0, 1, 2, 3, 4, 5) },
			  { "flags", 5,
			    VALUES(PIO, PIO | DATA, 0, DATA, PIO, GONE,
				   PIO | GONE, PIO | DATA | GONE, PIO | 8) },
			  { "addr", 4,
			    VALUES(0x1000, 0x1002, 0x2000, 0xc000, 0xffff,
				   0x10000, 0xc0000000, ~0ULL) },
			  { "len", 2, VALUES(2, 4, 1, 8, 0, 3, 16) },
			  { "data", 3, VALUES(0, 1, 2, 0x10000, ~0ULL) },
			  { "reserved", 1, VALUES(0, 1) } } },
	[IRQFD] = { "IRQFD",
		    8,
		    { { "fd", 4, VALUES(0, 1, 2, 3, 4, 5) },
		      { "flags", 1, VALUES(0, ACRN_IRQFD_FLAG_DEASSIGN, 2) },
		      { "address", 2,
			VALUES(0xfee00000, 0xfee01000, 0, 0xfef00000) },
		      { "data", 2, VALUES(0x41, 0x83, 0xf, 0x541) } } },
	[UNKNOWN] = { "UNKNOWN",
		      1,
		      { { "command", 3,
			  VALUES(_IO(ACRN_IOCTL_TYPE, 0),
				 _IO(ACRN_IOCTL_TYPE, 0x14),
				 _IOW(ACRN_IOCTL_TYPE, 0x12, int)) } } },
	[ANSWER] = { "ANSWER", 14, { { "value", 2, VALUES(0, 0x12345678) } } },
	[SIGNAL] = { "SIGNAL", 5, { { "fd", 4, VALUES(0, 1, 2, 3) } } },
	[READ] = { "READ", 2, { { "fd", 4, VALUES(0, 1, 2, 3) } } },
	[REOPEN] = { "REOPEN", 2, { { "fd", 4, VALUES(0, 1, 2, 3) } } },
};

/* The argument "from" of SET_MEMSEG: its values depend on the type */
static const struct field ram_from = {
	"from", 2,
	/* Never the middle of a huge page: memseg-huge */
	PLACES(RAM, RAM_SECOND, RAM_ODD, RAM_END, HOLE, READ_ONLY, NOWHERE,
	       KERNEL, HUGE_PAGES, DEVICE, DEVICE_READ_ONLY)
};
static const struct field mmio_from = {
	"from", 1,
	VALUES(HPET, HPET + 8, 16 << 20, 0x30000000, 0xfee00000, 1ULL << 40,
	       1ULL << 52, -0x1000ULL)
};

static const char *const places[PLACES] = {
	[RAM] = "ram",
	[RAM_SECOND] = "ram_second",
	[RAM_ODD] = "ram_odd",
	[RAM_END] = "ram_end",
	[HOLE] = "hole",
	[READ_ONLY] = "read_only",
	[NOWHERE] = "nowhere",
	[KERNEL] = "kernel",
	[HUGE_PAGES] = "huge_pages",
	[DEVICE] = "device",
	[DEVICE_READ_ONLY] = "device_read_only",
	[GUEST] = "guest",
	[SLOTS] = "slots",
	[SLOTS_ODD] = "slots_odd",
	[MONITOR] = "monitor",
	[MONITOR_OTHER] = "monitor_other",
	[MONITOR_ODD] = "monitor_odd",
	[MONITOR_COMMAND] = "monitor_command",
};

/**
 * struct file_state - State of a descriptor in the generator
 * @may_have_vm:	It has a VM on at least one of the HSMs
 * @spent:		It must get no further CREATE_VM
 * @can_start:		Its VM has memory with code in it
 * @memseg:		Last SET_MEMSEG
 * @ioeventfd:		Last IOEVENTFD that assigned
 */
struct file_state {
	bool may_have_vm;
	bool spent;
	bool can_start;
	struct call memseg;
	struct call ioeventfd;
};

/**
 * struct generator - State of the generator
 * @random:	State of the random numbers
 * @strange:	One in this many arguments is not an ordinary one; 0: none
 * @files:	State of each descriptor
 * @out:	The sequence that is made
 */
struct generator {
	uint64_t random;
	unsigned int strange;
	struct file_state files[FILES];
	struct sequence *out;
};

/* splitmix64 */
static uint64_t random64(struct generator *gen)
{
	uint64_t z = gen->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static unsigned int below(struct generator *gen, unsigned int n)
{
	return random64(gen) % n;
}

static bool one_in(struct generator *gen, unsigned int n)
{
	return n && !below(gen, n);
}

static uint64_t pick(struct generator *gen, const struct field *field)
{
	if (!field->usual || one_in(gen, gen->strange))
		return field->values[below(gen, field->n)];
	return field->values[below(gen, field->usual)];
}

static const struct field *field_of(const struct call *call, unsigned int i)
{
	if (call->kind != SET_MEMSEG || i != MEMSEG_FROM)
		return &shapes[call->kind].fields[i];
	return call->args[MEMSEG_TYPE] == ACRN_MEMMAP_MMIO ? &mmio_from
							   : &ram_from;
}

static bool has_argument(enum kind kind)
{
	return kind < ANSWER && kind != SET_IRQLINE && kind != INTR_MONITOR &&
	       kind != UNKNOWN && shapes[kind].fields[0].name;
}

static void add(struct generator *gen, const struct call *call)
{
	gen->out->calls[gen->out->n++] = *call;
}

static struct call random_call(struct generator *gen, enum kind kind,
			       unsigned int file)
{
	struct call call = { .kind = kind, .file = file };

	for (unsigned int i = 0; shapes[kind].fields[i].name; i++)
		call.args[i] = pick(gen, field_of(&call, i));
	if (has_argument(kind) && one_in(gen, gen->strange * 2))
		call.arg = 1 + below(gen, 2);
	return call;
}

static void add_create(struct generator *gen, struct call *call)
{
	struct file_state *file = &gen->files[call->file];
	uint64_t slots = call->args[CREATE_SLOTS];

	/* create-twice, create-again */
	if (file->may_have_vm || file->spent)
		return;
	add(gen, call);
	if (call->arg == ARG_NULL || call->args[CREATE_RESERVED] ||
	    call->args[CREATE_AFFINITY] > 3 ||
	    (slots != SLOTS && slots != SLOTS_ODD))
		return;
	file->spent = true;
	file->may_have_vm = call->arg == ARG_OK;
	file->can_start = false;
}

/*
 * Add START_VM and, before it, SET_VCPU_REGS, unless there may be a VM without
 * code to run.
 */
static void add_start(struct generator *gen, unsigned int file)
{
	struct call regs = { .kind = SET_VCPU_REGS, .file = file };
	struct call start = { .kind = START_VM, .file = file };

	if (gen->files[file].may_have_vm && !gen->files[file].can_start)
		return;
	add(gen, &regs);
	add(gen, &start);
}

static void add_unset(struct generator *gen, struct call *call)
{
	const struct call *last = &gen->files[call->file].memseg;

	if (last->kind == SET_MEMSEG && below(gen, 3)) {
		memcpy(call->args, last->args, sizeof(call->args));
		if (call->args[MEMSEG_TYPE] != ACRN_MEMMAP_MMIO)
			call->args[MEMSEG_FROM] = 0;
		/* The in-tree HSM refuses RAM here, so mostly say MMIO. */
		if (below(gen, 4))
			call->args[MEMSEG_TYPE] = ACRN_MEMMAP_MMIO;
		if (one_in(gen, 3))
			call->args[MEMSEG_LEN] = PAGE;
	}
	add(gen, call);
}

static void add_ioeventfd(struct generator *gen, struct call *call)
{
	struct call *last = &gen->files[call->file].ioeventfd;

	if (last->kind == IOEVENTFD && one_in(gen, 3)) {
		memcpy(call->args, last->args, sizeof(call->args));
		call->args[IOEVENTFD_FLAGS] |= GONE;
		last->kind = KINDS;
	} else {
		*last = *call;
	}
	add(gen, call);
}

static void add_irqfd(struct generator *gen, struct call *call)
{
	if (one_in(gen, 4))
		call->args[IRQFD_FLAGS] = ACRN_IRQFD_FLAG_DEASSIGN;
	add(gen, call);
}

static enum kind random_kind(struct generator *gen)
{
	unsigned int sum = 0, n;

	for (int i = 0; i < KINDS; i++)
		sum += shapes[i].weight;
	n = below(gen, sum);
	for (int i = 0;; i++) {
		if (n < shapes[i].weight)
			return i;
		n -= shapes[i].weight;
	}
}

static void add_random(struct generator *gen)
{
	unsigned int file = one_in(gen, 5);
	struct call call = random_call(gen, random_kind(gen), file);

	switch (call.kind) {
	case CREATE_VM:
		add_create(gen, &call);
		return;
	case START_VM:
		add_start(gen, file);
		return;
	case UNSET_MEMSEG:
		add_unset(gen, &call);
		return;
	case IOEVENTFD:
		add_ioeventfd(gen, &call);
		return;
	case IRQFD:
		add_irqfd(gen, &call);
		return;
	case DESTROY_VM:
		gen->files[file].may_have_vm = false;
		break;
	case SET_MEMSEG:
		gen->files[file].memseg = call;
		break;
	default:
		break;
	}
	add(gen, &call);
}

/* Add the calls that start a VM with a running vCPU; execute.c has its code. */
static void add_guest(struct generator *gen)
{
	struct call create = { .kind = CREATE_VM };
	struct call memory = { .kind = SET_MEMSEG };
	struct call client = { .kind = CREATE_CLIENT };

	create.args[CREATE_AFFINITY] = 1;
	create.args[CREATE_FLAG] =
		one_in(gen, 2) ? ACRN_VM_FLAG_IO_COMPLETION_POLLING : 0;
	create.args[CREATE_SLOTS] = SLOTS;
	add_create(gen, &create);
	memory.args[MEMSEG_TYPE] = ACRN_MEMMAP_RAM;
	memory.args[MEMSEG_ATTR] = RWX;
	memory.args[MEMSEG_FROM] = GUEST;
	memory.args[MEMSEG_LEN] = GUEST_SIZE;
	add(gen, &memory);
	if (below(gen, 8))
		add(gen, &client);
	gen->files[0].can_start = true;
	add_start(gen, 0);
}

void generate(struct sequence *sequence, uint64_t seed, uint64_t number)
{
	struct generator gen = { .random = seed, .out = sequence };
	unsigned int n;

	gen.random = random64(&gen) + number;
	sequence->n = 0;
	gen.strange = below(&gen, 3) ? 40 : 0;
	n = 6 + below(&gen, 24);
	if (one_in(&gen, 3)) {
		add_guest(&gen);
	} else if (below(&gen, 20)) {
		struct call create = random_call(&gen, CREATE_VM, 0);

		add_create(&gen, &create);
	}
	while (sequence->n < n)
		add_random(&gen);
}

void print_call(const struct call *call)
{
	static const char *const args[] = { "ok", "null", "read_only" };

	printf("%u %s arg=%s", call->file, shapes[call->kind].name,
	       args[call->arg]);
	for (unsigned int i = 0; shapes[call->kind].fields[i].name; i++) {
		const struct field *field = field_of(call, i);

		if (field->is_place)
			printf(" %s=%s", field->name, places[call->args[i]]);
		else
			printf(" %s=%#" PRIx64, field->name, call->args[i]);
	}
	printf("\n");
}
