// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts that arrive while the guest goes to sleep. Like every idle loop it
 * looks for work with interrupts off and then executes "sti; hlt". If an
 * interrupt were delivered between the two, the guest would sleep although it
 * has work to do.
 *
 * Arguments: number of interrupts, a physical CPU for the User VM.
 */
#include "clock.h"
#include "irq_guest.h"
#include "raw_guest.h"
#include "tap.h"

/* Addresses in the User VM's memory, besides those of raw_guest.h */
#define COUNTER_ADDR 0x9000 /* interrupts that the handler has counted */
#define DONE_ADDR    0x9004 /* interrupts that the idle loop has seen */

#define MSI_VECTOR 0x41

/* Longer than the idle loop takes from one sleep to the next */
#define DELAY_NS_MAX 60000
#define WAIT_NS	     5000000000ULL

/*
 * Code of the User VM: enable the local APIC in x2APIC mode, then sleep again
 * and again. The many FSIN before STI make it likely that an interrupt arrives
 * there: they take long, and an emulator that translates code in blocks does
 * not look for interrupts before the block's end, which is the STI.
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

/* Wait until the idle loop has seen @count interrupts; false if it does not. */
static bool done(const struct guest *guest, uint32_t count)
{
	uint64_t end = now_ns() + WAIT_NS;

	while (word(guest, DONE_ADDR) != count)
		if (now_ns() > end)
			return false;
	return true;
}

/*
 * Inject @count interrupts, each a random time after the idle loop has seen the
 * last. Returns how many it has seen.
 */
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
