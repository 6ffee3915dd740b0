// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts that come while the guest makes up its mind to sleep. Like every
 * idle loop it looks for work with interrupts off and then does "sti; hlt": no
 * interrupt may come between the two, or the guest sleeps on its work.
 *
 * Arguments: number of interrupts, a physical CPU for the User VM.
 */
#include "clock.h"
#include "irq_guest.h"
#include "raw_guest.h"
#include "tap.h"

/* The User VM's address space beside that of raw_guest.h */
#define COUNTER_ADDR 0x9000 /* interrupts that the handler has seen */
#define DONE_ADDR    0x9004 /* and the idle loop */

#define MSI_VECTOR 0x41

/* The idle loop's way from one sleep to the next, and more. */
#define DELAY_NS_MAX 60000
#define WAIT_NS	     5000000000ULL

/*
 * What the User VM runs: switch on its local APIC, in x2APIC mode, and go to
 * sleep again and again. The instructions before STI take long, and an emulator
 * that translates code in blocks looks for interrupts not before it.
 */
extern const char sleep_code[], sleep_handler[], sleep_code_end[];
asm(".pushsection .rodata\n"
    "sleep_code:\n"
    ".code32\n"
    "	apic_on\n"
    "	mov $0x80, %edx\n"
    "	in (%dx), %eax\n"
    "	fninit\n"
    "	fldpi\n"
    "sleep_again:\n"
    "	cli\n"
    "	mov 0x9000, %eax\n"
    "	cmp %eax, 0x9004\n"
    "	je sleep_idle\n"
    "	mov %eax, 0x9004\n"
    "	jmp sleep_again\n"
    "sleep_idle:\n"
    ".rept 200\n"
    "	fsin\n"
    ".endr\n"
    "	sti\n"
    "	hlt\n"
    "	jmp sleep_again\n"
    "sleep_handler:\n"
    "	push %eax\n"
    "	apic_eoi\n"
    "	incl 0x9000\n"
    "	pop %eax\n"
    "	iret\n"
    ".code64\n"
    "sleep_code_end:\n"
    ".popsection\n");

static uint32_t word(const struct guest *guest, uint32_t address)
{
	return *(volatile uint32_t *)(guest->ram + address);
}

/* Has the idle loop seen @count interrupts? */
static bool done(const struct guest *guest, uint32_t count)
{
	uint64_t end = now_ns() + WAIT_NS;

	while (word(guest, DONE_ADDR) != count)
		if (now_ns() > end)
			return false;
	return true;
}

/* One after the other, each some time after the last has been seen. */
static uint32_t interrupt(const struct guest *guest, uint32_t count)
{
	uint64_t end;
	uint32_t i;

	for (i = 0; i < count; i++) {
		end = now_ns() + random() % DELAY_NS_MAX;
		while (now_ns() < end)
			;
		if (raw_inject_msi(guest->vm.fd, guest->vm.msi, MSI_VECTOR))
			err(1, "INJECT_MSI");
		if (!done(guest, i + 1))
			break;
	}
	return i;
}

int main(int argc, char **argv)
{
	struct guest guest;
	uint32_t count, seen;

	if (argc != 3)
		errx(1, "usage: guest_sleep NUMBER CPU");
	count = atoi(argv[1]);
	guest = guest_create(atoi(argv[2]), 0);
	memcpy(guest.ram + CODE_ADDR, sleep_code, sleep_code_end - sleep_code);
	((uint64_t *)(guest.ram + RAW_IDT))[MSI_VECTOR] =
		irq_gate(CODE_ADDR + (sleep_handler - sleep_code));
	create_client(&guest);
	start(&guest);
	wait_request(&guest);
	finish(&guest, 0);

	seen = interrupt(&guest, count);
	tap_eq(seen, count, "each interrupt wakes the guest");
	tap_eq(word(&guest, COUNTER_ADDR), count, "each came once");
	guest_close(&guest);
	return tap_done();
}
