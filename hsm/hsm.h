/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The structures of acrn_hsm.ko, and what each of its files offers to the others.
 *
 * The files in the order of who calls whom. A file calls functions of files below
 * it, and of no others; make check refuses circles:
 *
 *	main.c		loads and unloads the module
 *	ioctl.c		/dev/acrn_hsm
 *	vm.c		a VM is created and destroyed
 *	state.c		it is started, paused and reset
 *	upcall.c	the hypervisor's interrupt: there may be something for a VM
 *	ioreq.c		an I/O request gets its answer
 *	client.c	the device model gives the answer
 *	poll.c		it polls for requests before it sleeps
 *	slot.c		a request is taken from its slot and put back
 *	pci_conf.c	ports 0xCF8 and 0xCFC become accesses to PCI registers
 *	async.c		doorbells that are no I/O requests
 *	async_mode.c	which doorbells these are
 *	vm_event.c	events of a VM, such as a triple fault
 *	ring.c		rings that the hypervisor writes to
 *	share.c		how much of its CPU the upcall may use
 *	thread.c	a VM's thread does what the upcall leaves
 *	dataplane.c	ioeventfds and irqfds, which acrn_vhost.ko implements
 *	wake.c		notifications and interrupts to the VM
 *	monitor.c	interrupt statistics
 *	memory.c	the VM's address space
 *	regions.c	the hypervisor is told of it
 *	segment.c	the memory behind it
 *	memseg.c	arithmetic on that
 *	power.c		P- and C-states
 *	remove_cpu.c	a CPU is taken from the Service VM
 *	platform.c	the CPUs of the machine
 *	sysfs.c		counters of a VM
 *	debugfs.c	how long doorbells took
 *
 * The code for a VM runs in one of three contexts:
 *
 *	the upcall	hard IRQ on CPU 0, see upcall.c; the timers of share.c
 *			run there as well
 *	the VM's thread	acrn_ioreq/N, an ordinary task, see thread.c
 *	an ioctl	the task of the device model that calls it, or that
 *			closes the file last, see ioctl.c
 *
 * Beside these, any task may read sysfs.c and debugfs.c, and workqueues call
 * modprobe, see dataplane.c, and signal the eventfd of a paused VM, see
 * vm_event.c.
 *
 * "Process context" is an ioctl or the VM's thread, and may sleep unless a
 * spinlock is held or interrupts are off. An MSI goes to the VM in the context of
 * whoever signals its irqfd, which may be any.
 *
 * Locks, outermost first:
 *
 *	&struct acrn_file.lock		every ioctl but the one that waits
 *	vmid_lock of vm.c
 *	&struct acrn_memory.lock, &struct acrn_monitor.lock,
 *	&struct acrn_vm_events.lock, &struct acrn_dataplane.lock
 *	&struct acrn_vm_io.deferred_lock
 *	&struct acrn_async.lock
 *	&struct acrn_vm_io.lock
 *
 * The upcall takes no lock for a doorbell that is an I/O request, &struct
 * acrn_async.lock for one that is not, and &struct acrn_vm_io.lock for any
 * other request. On PREEMPT_RT, where these locks sleep, it leaves all of that
 * to the VM's thread.
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
#include <linux/time64.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/tsc.h>

#include "acrn_hsm.h"
#include "histogram.h"
#include "slot.h"

struct acrn_async;
struct acrn_pci_register;
struct acrn_ring;
struct acrn_vm;
struct acrn_vm_dir;
struct kobject;
struct task_struct;

/**
 * struct acrn_file - An open /dev/acrn_hsm
 * @dir:	The device's directory in sysfs. Constant
 * @lock:	Guards @vm and &acrn_vm.state. An ioctl on the VM holds it for
 *		reading until it returns; one that creates or destroys the VM or
 *		changes its state holds it for writing.
 * @vm:		The VM of this file, NULL while there is none
 */
struct acrn_file {
	struct kobject *dir;
	struct rw_semaphore lock;
	struct acrn_vm *vm;
};

/**
 * struct acrn_memory - Address space of a User VM
 * @lock:	Guards @ranges, @retired and @retired_count
 * @ranges:	What is mapped: &struct acrn_segment by page frames of the User VM
 * @retired:	What was mapped and is still pinned: &struct acrn_range
 * @retired_count: Number of elements in @retired
 * @started:	Whether the VM was started since it was created or reset. Written
 *		with &struct acrn_file.lock held for writing
 * @devices:	Number of PCI devices that are assigned to the VM, or about to be.
 *		Atomic
 */
struct acrn_memory {
	struct mutex lock;	/* ranges, retired */
	struct maple_tree ranges;
	struct list_head retired;
	unsigned int retired_count;
	bool started;
	atomic_t devices;
};

/* Result of a read that neither the kernel nor the device model answers */
#define ACRN_UNCLAIMED	(~0ULL)

/**
 * struct acrn_client - The attached device model
 * @ref:	References of the VM and of whoever waits. Atomic
 * @wait:	Where ACRN_IOCTL_ATTACH_IOREQ_CLIENT sleeps. Has a lock of its
 *		own
 * @requests:	Number of requests that it has not answered; written under
 *		&struct acrn_vm_io.lock, read by whoever waits without it
 * @gone:	The client was destroyed, and stays so; likewise
 * @arrived:	TSC when it last got a request. Written under &struct
 *		acrn_vm_io.lock, read by whoever waits without it
 * @prompt:	That was soon after the last wait began. Written and read by whoever
 *		waits, without a lock
 * @polling:	Whoever waits is polling. Written without a lock, read under
 *		&struct acrn_vm_io.lock
 */
struct acrn_client {
	struct kref ref;
	wait_queue_head_t wait;
	unsigned int requests;
	bool gone;
	u64 arrived;
	bool prompt;
	bool polling;
};

/**
 * acrn_client_has_news() - Whether whoever waits for a client has to return
 * @client:	Client
 *
 * Context: Any, no lock needed.
 */
static inline bool acrn_client_has_news(const struct acrn_client *client)
{
	return READ_ONCE(client->requests) || READ_ONCE(client->gone);
}

/**
 * struct acrn_vm_io - I/O requests of a VM
 * @page:		I/O request page, pinned in the memory of the device
 *			model. Constant
 * @slots:		The same page, mapped; slot n is that of vCPU n. The
 *			pointer is constant
 * @requests:		Private copies of the requests in @slots. No lock guards
 *			a copy and its slot: they belong to whom their field
 *			owner names, see slot.c
 * @deferred_lock:	Held while a request is dealt with that was left to the VM's
 *			thread, in the thread or, in an ioctl, instead of it
 * @lock:		Guards @client, its requests and @pci_conf_address. Taken
 *			with interrupts off
 * @client:		The attached device model, or NULL
 * @pci_conf_address:	Register behind port 0xCF8 of the guest
 */
struct acrn_vm_io {
	struct page *page;
	struct acrn_io_request *slots;
	struct acrn_slot_request requests[ACRN_IO_REQUEST_MAX];
	struct mutex deferred_lock;	/* the thread's requests */
	spinlock_t lock;	/* client, pci_conf_address */
	struct acrn_client *client;
	u32 pci_conf_address;
};

/**
 * struct acrn_upcall_ring - A ring that the hypervisor writes to
 * @ring:	Header of the ring. NULL before there is a ring; constant
 *		afterwards. Published by an ioctl, read by the upcall, without a
 *		lock
 * @tail:	Tail of the ring at the last upcall. The upcall's own
 */
struct acrn_upcall_ring {
	const struct acrn_ring *ring;
	u32 tail;
};

/**
 * struct acrn_upcall_entry - A VM in the list of the upcall
 * @link:	In that list
 * @slots:	Slots of the VM; NULL while the VM is not in the list
 * @vcpu_num:	Number of @slots
 * @doorbells:	Ring of the VM's asynchronous doorbells
 * @events:	Ring of the VM's events
 *
 * Only the upcall uses an entry while it is in the list, so there is no lock.
 * acrn_upcall_add() and acrn_upcall_remove() put it there and take it out.
 *
 * Each upcall looks at all VMs, so it matters how much memory that touches: this
 * structure, the slots and the headers of the rings, and no more of a VM that has
 * nothing for the upcall.
 */
struct acrn_upcall_entry {
	struct list_head link;
	const struct acrn_io_request *slots;
	unsigned int vcpu_num;
	struct acrn_upcall_ring doorbells;
	struct acrn_upcall_ring events;
};

/**
 * struct acrn_share - What upcalls cost for one VM
 * @earned:	What upcalls had earned when @owed was last paid back
 * @owed:	Charged to the VM and not paid back
 * @paused:	The VM has used up its share: its requests wait for its thread
 * @timer:	Ends the pause
 * @taken:	All that was charged to the VM since it was created
 * @pauses:	Number of pauses
 *
 * Times are in cycles of the TSC. Only the upcall and @timer write, both in
 * hard IRQ of one CPU, so there is no lock. The VM's thread reads @paused, and
 * sysfs.c @taken and @pauses, at any time.
 */
struct acrn_share {
	u64 earned;
	u64 owed;
	bool paused;
	struct hrtimer timer;
	u64 taken;
	u64 pauses;
};

/**
 * struct acrn_thread - The thread of a VM
 * @task:	The thread; NULL before it is started, constant afterwards
 * @work:	What it calls when there is something to do. Constant
 * @pending:	There is something to do. Set by the upcall and cleared by the
 *		thread, without a lock; memory barriers order both, see thread.c
 */
struct acrn_thread {
	struct task_struct *task;
	void (*work)(struct acrn_vm *vm);
	bool pending;
};

/**
 * struct acrn_monitor - Where the hypervisor counts the interrupts of a VM
 * @lock:	Guards @page, and that the hypervisor uses the same page
 * @page:	Pinned in the memory of the device model; NULL if there is none
 */
struct acrn_monitor {
	struct mutex lock;	/* the page */
	struct page *page;
};

/**
 * struct acrn_vm_events - Events of a VM on their way to the device model
 * @lock:	Guards the other members
 * @ring:	Ring that the hypervisor writes to, in a page of the kernel's
 *		own; NULL before there is one
 * @page:	Ring of the device model, pinned in its memory; NULL before
 *		there is one
 * @size:	Bytes of the elements in @page
 * @tail:	Offset of the next element in @page
 * @eventfd:	Signalled when @page has new elements; NULL if there is none
 * @wake_ups:	How often acrn_vm_event_paused() has had @eventfd signalled
 * @wake_up:	Signals @eventfd when the VM has been paused for some time
 */
struct acrn_vm_events {
	struct mutex lock;	/* ring, page, size, tail, eventfd */
	struct event_ring *ring;
	struct page *page;
	u32 size;
	u32 tail;
	struct eventfd_ctx *eventfd;
	unsigned int wake_ups;
	struct delayed_work wake_up;
};

/**
 * union acrn_cpu_state - Result of ACRN_IOCTL_PM_GET_CPU_STATE
 * @count:	Number of P- or C-states
 * @pstate:	One P-state
 * @cstate:	One C-state
 */
union acrn_cpu_state {
	u64 count;
	struct acrn_pstate_data pstate;
	struct acrn_cstate_data cstate;
};

/**
 * struct acrn_dataplane - What the data plane keeps for a VM
 * @lock:	Held while the data plane is being attached to the VM
 * @ops:	Functions of the data plane; NULL until it is attached, constant
 *		until the VM is destroyed. Written under @lock and published
 *		after @data; read without a lock
 * @data:	What &acrn_dataplane_ops.attach returned; valid once @ops is set
 */
struct acrn_dataplane {
	struct mutex lock;	/* attaching */
	const struct acrn_dataplane_ops *ops;
	void *data;
};

/**
 * struct acrn_stats - Counters of a VM
 * @doorbells:		Doorbells signalled and completed in the upcall. Counted
 *			there
 * @doorbells_deferred:	Doorbells signalled and completed by the VM's thread.
 *			Counted under &struct acrn_vm_io.deferred_lock
 * @doorbells_ring:	Asynchronous doorbells signalled. Counted under &struct
 *			acrn_async.lock
 * @cookies_stale:	Cookies that belonged to no doorbell any more. Counted like
 *			@doorbells_ring
 * @requests_overload:	Requests left to the VM's thread because the VM was paused.
 *			Counted in the upcall
 * @requests_kernel:	Requests other than doorbells that the kernel answered.
 *			Counted under &struct acrn_vm_io.lock
 * @requests_client:	Requests handed to the client. Counted like @requests_kernel
 * @requests_polled:	Those of @requests_client for which it was polling. Counted
 *			like these
 * @msis:		MSIs that the hypervisor has accepted. Atomic
 * @msis_failed:	MSIs that the hypervisor has refused. Atomic
 * @latency:		Histogram of the nanoseconds from the beginning of the
 *			upcall to the completion of a doorbell, in the upcall or
 *			in the thread. Atomic
 *
 * sysfs.c reads them without a lock, debugfs.c @latency.
 */
struct acrn_stats {
	u64 doorbells;
	u64 doorbells_deferred;
	u64 doorbells_ring;
	u64 cookies_stale;
	u64 requests_overload;
	u64 requests_kernel;
	u64 requests_client;
	u64 requests_polled;
	atomic64_t msis;
	atomic64_t msis_failed;
	atomic64_t latency[HISTOGRAM_NS_BUCKETS];
};

/**
 * acrn_stats_inc() - Count one
 * @counter:	Counter that only the caller writes at this time
 *
 * Context: Any.
 */
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
 * @vmid:	Id that the hypervisor has given it. Constant
 * @vcpu_num:	Number of vCPUs, at most ACRN_IO_REQUEST_MAX. Constant
 * @polling:	vCPUs poll their slots and need no notification that a request is
 *		complete. Constant
 * @state:	Written with &struct acrn_file.lock held for writing; read at any
 *		time
 * @held:	vCPUs whose notification is held back, see wake.c. Atomic
 * @upcall:	The VM as the upcall sees it; the upcall's own
 * @share:	What upcalls cost for it; the upcall's own
 * @thread:	Its thread
 * @memory:	Its address space
 * @io:		Its I/O requests
 * @monitor:	Its interrupt statistics
 * @events:	Its events
 * @dataplane:	Its ioeventfds and irqfds
 * @async:	Its asynchronous doorbells; NULL until it has any, and constant
 *		afterwards. Published by acrn_async_prepare()
 * @stats:	Its counters
 * @pid:	Process that created it, as the initial namespace numbers it.
 *		Constant
 * @dir:	Directory in sysfs that shows the counters; NULL when there was no
 *		memory for it. Set when the VM is created, cleared when it is
 *		destroyed
 * @debugfs_dir: Directory in debugfs, likewise
 *
 * Members that are structures say themselves what guards their fields.
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
	pid_t pid;
	struct acrn_vm_dir *dir;
	struct dentry *debugfs_dir;
};

/* ioctl.c */
extern const struct file_operations acrn_hsm_fops;

/* vm.c */
struct acrn_vm *acrn_vm_create(struct acrn_vm_creation *args,
			       struct kobject *parent);
int acrn_vm_destroy(struct acrn_vm *vm);
void acrn_vm_release(struct acrn_vm *vm);
void acrn_vm_clear_requests(struct acrn_vm *vm);
int acrn_vm_set_vcpu_regs(struct acrn_vm *vm, struct acrn_vcpu_regs *regs);

/* state.c */
int acrn_vm_start(struct acrn_vm *vm);
int acrn_vm_pause(struct acrn_vm *vm);
int acrn_vm_reset(struct acrn_vm *vm);
int acrn_vm_end(struct acrn_vm *vm);

/* memory.c */
void acrn_memory_init(struct acrn_memory *memory);
void acrn_memory_deinit(struct acrn_memory *memory, bool unpin);
int acrn_memory_set(struct acrn_vm *vm, const struct acrn_vm_memmap *map);
int acrn_memory_unset(struct acrn_vm *vm, const struct acrn_vm_memmap *map);
void acrn_memory_reset(struct acrn_memory *memory);

/* segment.c */
int acrn_pin_page(u64 address, struct page **page);
int acrn_replace_page(struct acrn_vm *vm, u64 address,
		      struct page *(*replace)(struct acrn_vm *vm,
					      struct page *page, int *ret));
bool acrn_mmiodev_is_device(const struct acrn_mmiodev *device);

/* upcall.c */

/* vCPU 0 of the Service VM, on which Linux starts */
#define ACRN_UPCALL_CPU	0

void acrn_upcall_hook(void);
void acrn_upcall_unhook(void);
void acrn_upcall_flush(struct acrn_vm *vm);
void acrn_upcall_add(struct acrn_vm *vm);
void acrn_upcall_remove(struct acrn_vm *vm);

/* share.c */

/**
 * acrn_us_to_cycles() - Convert a time
 * @us:	Microseconds
 *
 * Not by mul_u64_u32_div(): on x86 it divides by a wrong number if @us is a
 * constant that equals its divisor, 1000, since the compiler takes one register
 * for both and the multiplication overwrites it.
 *
 * Context: Any.
 * Return: cycles of the TSC
 */
static inline u64 acrn_us_to_cycles(u64 us)
{
	u64 ms = us / USEC_PER_MSEC;

	return ms * tsc_khz + us % USEC_PER_MSEC * tsc_khz / USEC_PER_MSEC;
}

void acrn_share_measure(void);
void acrn_share_init(struct acrn_share *share);
void acrn_share_deinit(struct acrn_share *share);
void acrn_share_add_vms(int count);
u64 acrn_share_begin(u64 now);
bool acrn_share_is_long(u64 start);
bool acrn_share_used_up(struct acrn_vm *vm);
void acrn_share_charge(struct acrn_vm *vm);
void acrn_share_end(void);
u64 acrn_share_idle_begin(void);
void acrn_share_idle_end(u64 mark);

/* thread.c */
int acrn_thread_start(struct acrn_vm *vm, void (*work)(struct acrn_vm *vm));
void acrn_thread_stop(struct acrn_vm *vm);
void acrn_thread_wake_if_due(struct acrn_vm *vm);
void acrn_thread_kick(struct acrn_vm *vm);

/* ioreq.c */
int acrn_ioreq_init(struct acrn_vm_io *io, u64 user_address);
void acrn_ioreq_deinit(struct acrn_vm_io *io, bool unpin);
void acrn_ioreq_upcall(struct acrn_vm *vm, u64 start, bool defer, bool paused);
void acrn_ioreq_defer_all(struct acrn_vm *vm);
void acrn_ioreq_serve(struct acrn_vm *vm);
unsigned long acrn_ioreq_polling(struct acrn_vm *vm);
void acrn_ioreq_reset(struct acrn_vm *vm, unsigned long polling);

/* client.c */
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

/* poll.c */
void acrn_poll(struct acrn_client *client, u64 start);
void acrn_poll_learn(struct acrn_client *client, u64 start);

/* async.c */
bool acrn_async_mode_any(void);
bool acrn_async_mode_wants(bool asked_for);
void acrn_async_prepare(struct acrn_vm *vm);
bool acrn_async_upcall(struct acrn_vm *vm, u64 start, bool defer);
bool acrn_async_pending(const struct acrn_vm *vm);
void acrn_async_drain(struct acrn_vm *vm);
void acrn_async_withdraw(struct acrn_vm *vm);
void acrn_async_restore(struct acrn_vm *vm);
void acrn_async_deinit(struct acrn_vm *vm, bool unpin);

/* dataplane.c */
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

/* monitor.c */
void acrn_monitor_init(struct acrn_monitor *monitor);
void acrn_monitor_deinit(struct acrn_monitor *monitor, bool unpin);
int acrn_monitor_set(struct acrn_vm *vm, u64 user_address);

/* ring.c */
int acrn_ring_set_up(const struct acrn_vm *vm, u32 id, struct acrn_ring *ring,
		     u32 elements, u32 size);

/* vm_event.c */
void acrn_vm_event_init(struct acrn_vm_events *events);
void acrn_vm_event_deinit(struct acrn_vm_events *events, bool unpin);
int acrn_vm_event_set_ring(struct acrn_vm *vm, u64 user_address);
int acrn_vm_event_set_fd(struct acrn_vm *vm, u64 fd);
int acrn_vm_event_probe(struct acrn_vm *vm, struct acrn_ring *ring,
			u32 elements);
void acrn_vm_event_deliver(struct acrn_vm *vm);
void acrn_vm_event_paused(struct acrn_vm *vm);
void acrn_vm_event_reset(struct acrn_vm *vm);

/* power.c */
int acrn_cpu_state_get(struct acrn_vm *vm, u64 command,
		       union acrn_cpu_state *state);

/* sysfs.c */
void acrn_sysfs_add(struct acrn_vm *vm, struct kobject *parent);
void acrn_sysfs_remove(struct acrn_vm *vm);

/* debugfs.c */
DECLARE_STATIC_KEY_FALSE(acrn_latency_key);
void acrn_debugfs_init(void);
void acrn_debugfs_exit(void);
void acrn_debugfs_add(struct acrn_vm *vm);
void acrn_debugfs_remove(struct acrn_vm *vm);
void acrn_latency_add(struct acrn_vm *vm, u64 cycles);

/* platform.c */
void acrn_platform_init(void);
bool acrn_platform_has(u64 mask);

/* remove_cpu.c */
extern const struct attribute_group *acrn_hsm_groups[];

/* wake.c */
int acrn_wake_init(void);
void acrn_wake_deinit(void);
void acrn_wake_set_state(struct acrn_vm *vm, enum acrn_vm_state state);
int acrn_wake_vcpu(struct acrn_vm *vm, unsigned int vcpu);
void acrn_wake_held(struct acrn_vm *vm);
void acrn_wake_forget_held(struct acrn_vm *vm);
int acrn_wake_irqline(struct acrn_vm *vm, u64 line);

#endif /* HSM_HSM_H */
