// SPDX-License-Identifier: GPL-2.0
/* Interrupts and exceptions of the hypervisor itself. */
#include "cpu.h"
#include "lapic.h"
#include "log.h"
#include "x86.h"

#define NR_VECTORS     256
#define NR_EXCEPTIONS  32
#define STUB_SIZE      16
#define CODE_SELECTOR  0x08
#define INTERRUPT_GATE 0x8e

struct idt_gate {
	u16 offset_low;
	u16 selector;
	u8 stack_index;
	u8 type;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};

/*
 * Frame that the processor and interrupt_common in entry.S push. @scratch are
 * the registers that C functions may change.
 */
struct interrupt_frame {
	u64 scratch[9];
	u64 vector;
	u64 error;
	u64 rip;
	u64 cs;
	u64 rflags;
	u64 rsp;
	u64 ss;
};

extern char interrupt_stubs[];
void interrupt_handle(struct interrupt_frame *frame);

static struct idt_gate idt[NR_VECTORS];

void idt_init(void)
{
	for (u32 i = 0; i < NR_VECTORS; i++) {
		u64 stub = (u64)interrupt_stubs + i * STUB_SIZE;

		idt[i] = (struct idt_gate){
			.offset_low = stub,
			.offset_mid = stub >> 16,
			.offset_high = stub >> 32,
			.selector = CODE_SELECTOR,
			.type = INTERRUPT_GATE,
		};
	}
}

void idt_load(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(pointer));
}

/*
 * Called by entry.S, interrupts off. A kick has done its work when it arrives:
 * it has ended guest mode or HLT, and its sender has left the reason where the
 * CPU looks before it enters a guest again. Stray IPIs, NMIs among them, are
 * ignored in the same way: the Service VM's kernel may broadcast some.
 */
void interrupt_handle(struct interrupt_frame *frame)
{
	if (frame->vector == VECTOR_NMI)
		return;
	if (frame->vector < NR_EXCEPTIONS)
		panic("CPU %u: exception %llu error 0x%llx at 0x%llx, cr2 0x%llx",
		      this_cpu()->id, frame->vector, frame->error, frame->rip,
		      read_cr2());
	if (frame->vector == HV_VECTOR_TIMER)
		this_cpu()->timer_fired = true;
	lapic_eoi();
}
