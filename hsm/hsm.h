/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The HSM's own structures, and which file offers what.
 *
 * Locks, outermost first:
 *   &struct acrn_file.lock	held by every ioctl, for writing by those that
 *				change the VM's state; not while one waits
 *   &struct acrn_memory.lock, &struct acrn_monitor.lock,
 *   &struct acrn_vm_events.lock, &struct acrn_dataplane.lock
 *   &struct acrn_vm_io.deferred_lock
 *   &struct acrn_async.lock
 *   &struct acrn_vm_io.lock
 *
 * The upcall, in hard-IRQ context, takes the last one, and none for a doorbell.
 */
#ifndef HSM_HSM_H
#define HSM_HSM_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/jump_label.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "acrn_hsm.h"
#include "histogram.h"
#include "slot.h"

struct acrn_async;
struct acrn_pci_register;
struct acrn_ring;
struct acrn_vm;
struct task_struct;

/**
 * struct acrn_file - An open /dev/acrn_hsm
 * @lock:	Guards @vm and its state: held for reading throughout an ioctl on
 *		the VM, for writing by those that change its state
 * @vm:		NULL until there is a VM and again once it is destroyed
 */
struct acrn_file {
	struct rw_semaphore lock;
	struct acrn_vm *vm;
};

/**
 * struct acrn_memory - The address space of a User VM
 * @lock:	Guards all of it
 * @ranges:	&struct acrn_segment by page frames of the User VM: what is mapped
 * @retired:	&struct acrn_range: what was mapped and is still pinned
 * @retired_count: How many
 * @started:	The VM has been started since it was created or reset. Written
 *		with &struct acrn_file.lock held for writing
 * @devices:	PCI devices of the machine that are the VM's, or about to be.
 *		Read and changed at any time
 */
struct acrn_memory {
	struct mutex lock;	/* the rest */
	struct maple_tree ranges;
	struct list_head retired;
	unsigned int retired_count;
	bool started;
	atomic_t devices;
};

/* What a read returns that nobody answers. */
#define ACRN_UNCLAIMED	(~0ULL)

/**
 * struct acrn_client - The attached device model
 * @ref:	Held by the VM and by whoever waits
 * @wait:	Where ACRN_IOCTL_ATTACH_IOREQ_CLIENT sleeps
 * @requests:	How many requests it has not answered. &struct acrn_vm_io.lock.
 * @gone:	Destroyed; never unset. &struct acrn_vm_io.lock.
 */
struct acrn_client {
	struct kref ref;
	wait_queue_head_t wait;
	unsigned int requests;
	bool gone;
};

/**
 * struct acrn_vm_io - I/O requests of a VM
 * @page:		I/O request page, pinned in the device model's memory
 * @slots:		The same, mapped; slot n is for vCPU n
 * @requests:		What has been taken from @slots
 * @deferred_lock:		Held by who deals with a request that is the thread's
 * @lock:		Guards @client, its requests and @pci_conf_address. Taken
 *			with interrupts off
 * @client:		Answers what the kernel does not, or NULL
 * @pci_conf_address:	The guest's port 0xCF8
 */
struct acrn_vm_io {
	struct page *page;
	struct acrn_io_request *slots;
	struct acrn_slot_request requests[ACRN_IO_REQUEST_MAX];
	spinlock_t deferred_lock;	/* the thread's requests */
	spinlock_t lock;	/* client, pci_conf_address */
	struct acrn_client *client;
	u32 pci_conf_address;
};

/**
 * struct acrn_upcall_ring - A ring that the hypervisor writes to
 * @ring:	The ring, or NULL. Stays once it is there
 * @tail:	Its tail at the last upcall
 */
struct acrn_upcall_ring {
	const struct acrn_ring *ring;
	u32 tail;
};

/**
 * struct acrn_upcall_entry - What the upcall has to know of a VM without requests
 * @link:	In the list of all such
 * @slots:	Those of its I/O request page; NULL before it is watched
 * @vcpu_num:	How many of @slots there are
 * @doorbells:	The ring of its asynchronous doorbells
 * @events:	The ring of what the hypervisor tells of it
 *
 * Each upcall looks at all VMs, so that it matters how much memory that takes:
 * this, the slots and the heads of the rings, unless a VM has something.
 */
struct acrn_upcall_entry {
	struct list_head link;
	const struct acrn_io_request *slots;
	unsigned int vcpu_num;
	struct acrn_upcall_ring doorbells;
	struct acrn_upcall_ring events;
};

/**
 * struct acrn_share - What upcalls have done for a VM
 * @paid:	Up to when it has been paid for
 * @owed:	Not paid for
 * @paused:	What the VM asks waits
 * @timer:	Ends that
 * @taken:	All of it, paid or not
 * @pauses:	How many there were
 *
 * Times are in cycles of the TSC. Written by upcall and timer alone, which come to
 * one CPU.
 */
struct acrn_share {
	u64 paid;
	u64 owed;
	bool paused;
	struct hrtimer timer;
	u64 taken;
	u64 pauses;
};

/**
 * struct acrn_thread - A VM's thread
 * @task:	The thread; NULL before it is started. Constant
 * @work:	What it does. Constant
 * @pending:	There is something to do
 */
struct acrn_thread {
	struct task_struct *task;
	void (*work)(struct acrn_vm *vm);
	bool pending;
};

/**
 * struct acrn_monitor - Where the hypervisor counts a VM's interrupts
 * @lock:	Guards @page, and that the hypervisor has the same
 * @page:	Pinned in the device model's memory, or NULL
 */
struct acrn_monitor {
	struct mutex lock;	/* the page */
	struct page *page;
};

/**
 * struct acrn_vm_events - The VM's events, on their way to the device model
 * @lock:	Guards the rest
 * @ring:	The hypervisor's: a page of the kernel's own, or NULL
 * @page:	The device model's ring, pinned in its memory, or NULL
 * @size:	Bytes of the elements in @page
 * @tail:	Offset of the next element in @page
 * @eventfd:	Signalled when @page has new elements, or NULL
 */
struct acrn_vm_events {
	struct mutex lock;	/* the rest */
	struct event_ring *ring;
	struct page *page;
	u32 size;
	u32 tail;
	struct eventfd_ctx *eventfd;
};

/**
 * union acrn_cpu_state - What ACRN_IOCTL_PM_GET_CPU_STATE returns
 * @count:	Number of P- or C-states
 * @pstate:	One of the P-states
 * @cstate:	One of the C-states
 */
union acrn_cpu_state {
	u64 count;
	struct acrn_pstate_data pstate;
	struct acrn_cstate_data cstate;
};

/**
 * struct acrn_dataplane - A VM's side of the data plane
 * @lock:	Serialises attaching
 * @ops:	NULL until attached; published after @data
 * @data:	What &acrn_dataplane_ops.attach returned
 */
struct acrn_dataplane {
	struct mutex lock;	/* attaching */
	const struct acrn_dataplane_ops *ops;
	void *data;
};

/**
 * struct acrn_stats - What has been done for a VM
 * @doorbells:		Rung and completed in the upcall
 * @doorbells_deferred:	Rung and completed by the VM's thread
 * @doorbells_ring:	Rung through the hypervisor's ring, without any request
 * @cookies_stale:	Taken from that ring and no doorbell's
 * @requests_overload:	Left to the VM's thread as the VM was paused
 * @requests_kernel:	Answered without the client
 * @requests_client:	Handed to the client
 * @msis:		Injected by data plane and device model
 * @msis_failed:	Refused by the hypervisor
 * @latency:		Histogram of the nanoseconds from the beginning of the upcall
 *			to the completion of a doorbell, in the upcall or the thread
 *
 * @doorbells and @requests_overload are the upcall's to change, @requests_kernel
 * and @requests_client whoever has &struct acrn_vm_io.lock, @doorbells_deferred
 * who has &struct acrn_vm_io.deferred_lock, @doorbells_ring and @cookies_stale whoever's
 * turn it is at the ring.
 */
struct acrn_stats {
	u64 doorbells;
	u64 doorbells_deferred;
	u64 doorbells_ring;
	u64 cookies_stale;
	u64 requests_overload;
	u64 requests_kernel;
	u64 requests_client;
	atomic64_t msis;
	atomic64_t msis_failed;
	atomic64_t latency[HISTOGRAM_NS_BUCKETS];
};

/* For counters that one context alone changes at a time. */
static inline void acrn_stats_inc(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}

/**
 * enum acrn_vm_state - State of a VM; state.c has the transitions
 * @ACRN_VM_CREATED:	The VM has not run since it was created or reset
 * @ACRN_VM_RUNNING:	The VM was started
 * @ACRN_VM_PAUSED:	The VM does not run until it is reset
 * @ACRN_VM_DESTROYED:	The hypervisor may have given the id to another VM
 */
enum acrn_vm_state {
	ACRN_VM_CREATED,
	ACRN_VM_RUNNING,
	ACRN_VM_PAUSED,
	ACRN_VM_DESTROYED,
};

/**
 * struct acrn_vm - A User VM
 * @vmid:	The hypervisor's number for it
 * @vcpu_num:	How many vCPUs, at most ACRN_IO_REQUEST_MAX
 * @polling:	vCPUs watch their slots and need no notification to go on. As
 *		the VM was created; constant
 * @state:	Written with &struct acrn_file.lock held for writing; read at any
 *		time
 * @held:	vCPUs whose notification is held back, see wake.c; atomic
 * @upcall:	What the upcall looks at
 * @share:	What that has cost
 * @thread:	Does what the upcall leaves
 * @memory:	Its address space
 * @io:	Its I/O requests
 * @monitor:	Its interrupt statistics
 * @events:	What the hypervisor tells of it
 * @dataplane:	Its ioeventfds and irqfds
 * @async:	Its asynchronous doorbells, or NULL: it has none
 * @stats:	What has been done for it
 * @debugfs_dir:	Shows that
 */
struct acrn_vm {
	u16 vmid;
	u16 vcpu_num;
	bool polling;
	enum acrn_vm_state state;
	unsigned long held;
	struct acrn_upcall_entry upcall;
	struct acrn_share share;
	struct acrn_thread thread;
	struct acrn_memory memory;
	struct acrn_vm_io io;
	struct acrn_monitor monitor;
	struct acrn_vm_events events;
	struct acrn_dataplane dataplane;
	struct acrn_async *async;
	struct acrn_stats stats;
	struct dentry *debugfs_dir;
};

/* ioctl.c: /dev/acrn_hsm */
extern const struct file_operations acrn_hsm_fops;

/* vm.c: what a VM is made of */
struct acrn_vm *acrn_vm_create(struct acrn_vm_creation *args);
int acrn_vm_destroy(struct acrn_vm *vm);
void acrn_vm_release(struct acrn_vm *vm);
void acrn_vm_clear_requests(struct acrn_vm *vm);
int acrn_vm_set_vcpu_regs(struct acrn_vm *vm, struct acrn_vcpu_regs *regs);

/* state.c: its life */
int acrn_vm_start(struct acrn_vm *vm);
int acrn_vm_pause(struct acrn_vm *vm);
int acrn_vm_reset(struct acrn_vm *vm);
int acrn_vm_end(struct acrn_vm *vm);

/* memory.c: what the VM's physical addresses lead to */
void acrn_memory_init(struct acrn_memory *memory);
void acrn_memory_deinit(struct acrn_memory *memory, bool unpin);
int acrn_memory_set(struct acrn_vm *vm, const struct acrn_vm_memmap *map);
int acrn_memory_unset(struct acrn_vm *vm, const struct acrn_vm_memmap *map);
void acrn_memory_reset(struct acrn_memory *memory);

/* segment.c: the memory behind them */
int acrn_pin_page(u64 address, struct page **page);
int acrn_replace_page(struct acrn_vm *vm, u64 address,
		      struct page *(*replace)(struct acrn_vm *vm,
					      struct page *page, int *ret));
bool acrn_mmiodev_is_device(const struct acrn_mmiodev *device);

/* upcall.c: the hypervisor's interrupt */
void acrn_upcall_hook(void);
void acrn_upcall_unhook(void);
void acrn_upcall_flush(struct acrn_vm *vm);
void acrn_upcall_add(struct acrn_vm *vm);
void acrn_upcall_remove(struct acrn_vm *vm);

/* share.c: how much of its CPU it may take */
void acrn_share_measure(void);
void acrn_share_init(struct acrn_share *share);
void acrn_share_deinit(struct acrn_share *share);
void acrn_share_add_vms(int count);
u64 acrn_share_begin(u64 now);
bool acrn_share_used_up(struct acrn_vm *vm);
void acrn_share_charge(struct acrn_vm *vm);
void acrn_share_end(void);

/* thread.c: who does what the upcall leaves */
int acrn_thread_start(struct acrn_vm *vm, void (*work)(struct acrn_vm *vm));
void acrn_thread_stop(struct acrn_vm *vm);
void acrn_thread_wake_if_due(struct acrn_vm *vm);
void acrn_thread_kick(struct acrn_vm *vm);

/* ioreq.c: I/O requests from the slot to whoever answers */
int acrn_ioreq_init(struct acrn_vm_io *io, u64 user_address);
void acrn_ioreq_deinit(struct acrn_vm_io *io, bool unpin);
void acrn_ioreq_upcall(struct acrn_vm *vm, u64 start, bool defer, bool paused);
void acrn_ioreq_defer_all(struct acrn_vm *vm);
void acrn_ioreq_serve(struct acrn_vm *vm);
unsigned long acrn_ioreq_polling(struct acrn_vm *vm);
void acrn_ioreq_reset(struct acrn_vm *vm, unsigned long polling);

/* client.c: the device model as the one who answers */
int acrn_client_create(struct acrn_vm *vm);
void acrn_client_destroy(struct acrn_vm *vm);
struct acrn_client *acrn_client_get(struct acrn_vm *vm);
int acrn_client_wait(struct acrn_client *client);
void acrn_client_put(struct acrn_client *client);
bool acrn_client_pass(struct acrn_vm *vm, unsigned int vcpu,
		      const struct acrn_pci_register *reg);
int acrn_client_finish(struct acrn_vm *vm, u32 vcpu);
void acrn_client_clear(struct acrn_vm *vm);
void acrn_client_reset(struct acrn_vm *vm);

/* async.c: doorbells that the hypervisor writes to a ring */
void acrn_async_prepare(struct acrn_vm *vm);
bool acrn_async_upcall(struct acrn_vm *vm, bool wait);
bool acrn_async_waits(const struct acrn_vm *vm);
void acrn_async_drain(struct acrn_vm *vm);
void acrn_async_withdraw(struct acrn_vm *vm);
void acrn_async_restore(struct acrn_vm *vm);
void acrn_async_deinit(struct acrn_vm *vm, bool unused);

/* dataplane.c: what is handed to acrn_vhost.ko */
int acrn_dataplane_load(void);
void acrn_dataplane_exit(void);
void acrn_dataplane_init(struct acrn_dataplane *dataplane);
void acrn_dataplane_detach(struct acrn_dataplane *dataplane);
int acrn_dataplane_ioeventfd(struct acrn_vm *vm,
			     const struct acrn_ioeventfd *args);
int acrn_dataplane_irqfd(struct acrn_vm *vm, const struct acrn_irqfd *args);
void acrn_dataplane_flush_held(struct acrn_vm *vm, bool inject);
enum acrn_doorbell acrn_dataplane_doorbell(struct acrn_vm *vm,
					   const struct acrn_slot_request *request);
bool acrn_dataplane_ring(struct acrn_vm *vm, void *doorbell);

/* monitor.c: the VM's interrupt statistics */
void acrn_monitor_init(struct acrn_monitor *monitor);
void acrn_monitor_deinit(struct acrn_monitor *monitor, bool unpin);
int acrn_monitor_set(struct acrn_vm *vm, u64 user_address);

/* ring.c: rings that the hypervisor writes to */
int acrn_ring_set_up(const struct acrn_vm *vm, u32 id, struct acrn_ring *ring,
		     u32 elements, u32 size);

/* vm_event.c: what the hypervisor tells of the VM */
void acrn_vm_event_init(struct acrn_vm_events *events);
void acrn_vm_event_deinit(struct acrn_vm_events *events, bool unpin);
int acrn_vm_event_set_ring(struct acrn_vm *vm, u64 user_address);
int acrn_vm_event_set_fd(struct acrn_vm *vm, int fd);
int acrn_vm_event_probe(struct acrn_vm *vm, struct acrn_ring *ring,
			u32 elements);
void acrn_vm_event_deliver(struct acrn_vm *vm);

/* power.c: the P- and C-states of the VM's vCPUs */
int acrn_cpu_state_get(struct acrn_vm *vm, u64 command,
		       union acrn_cpu_state *state);

/* debugfs.c: what has been done, for people to see */
DECLARE_STATIC_KEY_FALSE(acrn_latency_key);
void acrn_debugfs_init(void);
void acrn_debugfs_exit(void);
void acrn_debugfs_add(struct acrn_vm *vm);
void acrn_debugfs_remove(struct acrn_vm *vm);
void acrn_latency_add(struct acrn_vm *vm, u64 cycles);

/* remove_cpu.c: the Service VM's CPUs for User VMs, an attribute of the device */
extern const struct attribute_group *acrn_hsm_groups[];

/* wake.c: notifications and interrupts, which wake vCPUs */
int acrn_wake_init(void);
void acrn_wake_deinit(void);
void acrn_wake_set_state(struct acrn_vm *vm, enum acrn_vm_state state);
int acrn_wake_vcpu(struct acrn_vm *vm, unsigned int vcpu);
void acrn_wake_held(struct acrn_vm *vm);
void acrn_wake_forget_held(struct acrn_vm *vm);
int acrn_wake_irqline(struct acrn_vm *vm, u64 line);

#endif /* HSM_HSM_H */
