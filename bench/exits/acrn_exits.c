// SPDX-License-Identifier: GPL-2.0
/*
 * Counts VM exits on the real ACRN hypervisor, by physical CPU and reason. A
 * debug build of the hypervisor writes each exit, and some more, into a ring of
 * the CPU that it happens on, once the Service VM has given it one.
 *
 * Reading /sys/kernel/debug/acrn_exits gives a line "CPU REASON COUNT" for each
 * pair that there was since the module was loaded; the reasons are those of the
 * processor. "full CPU" says that a ring was full when this was read, so that
 * exits before are missing. For measurements only: an exit takes longer with it,
 * and as the hypervisor takes no ring back, the module cannot be unloaded.
 */
#include <linux/build_bug.h>
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <asm/acrn.h>

/* The hypercall, its argument and the ring are those of ACRN's acrn_hv_defs.h
 * and acrn_common.h, entries and events those of its debug/trace.c and trace.h.
 */
#define HC_SETUP_SBUF	0x80000044
#define SBUF_TRACE	0
#define EVENT_VM_EXIT	0x10
#define EVENT_MASK	GENMASK_ULL(47, 0)
#define SERVICE_VM	0

#define CPUS_MAX	8
#define REASONS		128
#define RING_ORDER	10
#define RING_BYTES	(PAGE_SIZE << RING_ORDER)

/**
 * struct sbuf_param - Argument of HC_SETUP_SBUF
 * @cpu:	Physical CPU
 * @reserved:	0
 * @id:		What the ring is for
 * @pa:		Physical address of the ring
 */
struct sbuf_param {
	u16 cpu;
	u16 reserved;
	u32 id;
	u64 pa;
};

/**
 * struct trace_entry - What the hypervisor writes
 * @tsc:	When
 * @event:	What, in the low 48 bits
 * @data:	Of an exit the reason and the guest's instruction pointer
 */
struct trace_entry {
	u64 tsc;
	u64 event;
	u64 data[2];
};

/**
 * struct ring - A ring of the hypervisor's and what fits in
 * @magic:	Not looked at
 * @count:	Entries that there is room for
 * @entry_size:	Bytes
 * @head:	Offset of the next to read, which we advance
 * @tail:	Offset of the next to write, which the hypervisor advances
 * @flags:	0: what does not fit is dropped
 * @reserved:	0
 * @overrun:	Not counted without a flag
 * @size:	Bytes of all entries
 * @padding:	0
 * @entries:	The entries
 */
struct ring {
	u64 magic;
	u32 count;
	u32 entry_size;
	u32 head;
	u32 tail;
	u32 flags;
	u32 reserved;
	u32 overrun;
	u32 size;
	u32 padding[6];
	struct trace_entry entries[];
};

static_assert(sizeof(struct ring) == 64);

#define RING_ENTRIES \
	((u32)((RING_BYTES - sizeof(struct ring)) / sizeof(struct trace_entry)))

/* What is read out of the rings, and counts of it; under the mutex. */
static struct ring *rings[CPUS_MAX];
static u64 exits[CPUS_MAX][REASONS];
static DEFINE_MUTEX(mutex);

/* Empty the ring of @cpu. Returns whether it was full. */
static bool take(unsigned int cpu)
{
	struct ring *ring = rings[cpu];
	u32 at = ring->head / sizeof(*ring->entries);
	/* The hypervisor writes an entry before it advances the tail */
	u32 end = smp_load_acquire(&ring->tail) / sizeof(*ring->entries);
	bool full = (end + 1) % RING_ENTRIES == at;

	for (; at != end; at = (at + 1) % RING_ENTRIES) {
		const struct trace_entry *entry = &ring->entries[at];

		if ((entry->event & EVENT_MASK) == EVENT_VM_EXIT)
			exits[cpu][entry->data[0] % REASONS]++;
	}
	/* The entries have been read when the hypervisor may write them again */
	smp_store_release(&ring->head, end * sizeof(*ring->entries));
	return full;
}

static void show_cpu(struct seq_file *seq, unsigned int cpu)
{
	if (take(cpu))
		seq_printf(seq, "full %u\n", cpu);
	for (unsigned int reason = 0; reason < REASONS; reason++)
		if (exits[cpu][reason])
			seq_printf(seq, "%u %u %llu\n", cpu, reason,
				   exits[cpu][reason]);
}

static int exits_show(struct seq_file *seq, void *unused)
{
	mutex_lock(&mutex);
	for (unsigned int cpu = 0; cpu < CPUS_MAX && rings[cpu]; cpu++)
		show_cpu(seq, cpu);
	mutex_unlock(&mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(exits);

/* Tell the hypervisor where the ring of @cpu is. Fails for a CPU there is not. */
static bool set_up(unsigned int cpu, struct ring *ring)
{
	struct sbuf_param *param = kzalloc(sizeof(*param), GFP_KERNEL);
	long result;

	if (!param)
		return false;
	param->cpu = cpu;
	param->id = SBUF_TRACE;
	param->pa = virt_to_phys(ring);
	result = acrn_hypercall2(HC_SETUP_SBUF, SERVICE_VM, virt_to_phys(param));
	kfree(param);
	return !result;
}

static bool give_ring(unsigned int cpu)
{
	unsigned long pages = __get_free_pages(GFP_KERNEL | __GFP_ZERO,
					       RING_ORDER);
	struct ring *ring = (struct ring *)pages;

	if (!ring)
		return false;
	ring->entry_size = sizeof(*ring->entries);
	ring->count = RING_ENTRIES;
	ring->size = ring->count * ring->entry_size;
	if (!set_up(cpu, ring)) {
		free_pages(pages, RING_ORDER);
		return false;
	}
	rings[cpu] = ring;
	return true;
}

static int __init exits_init(void)
{
	for (unsigned int cpu = 0; cpu < CPUS_MAX && give_ring(cpu);)
		cpu++;
	if (!rings[0])
		return -ENODEV;
	debugfs_create_file("acrn_exits", 0400, NULL, NULL, &exits_fops);
	return 0;
}
module_init(exits_init);

MODULE_DESCRIPTION("Count of the real ACRN hypervisor's VM exits");
MODULE_LICENSE("GPL");
