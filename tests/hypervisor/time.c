// SPDX-License-Identifier: GPL-2.0
#include "acpi.h"
#include "cpu.h"
#include "lapic.h"
#include "log.h"
#include "time.h"
#include "x86.h"

#define PM_TIMER_HZ	 3579545UL
#define PM_TIMER_MASK	 0xffffffU
#define MEASURE_MS	 100
#define READS_PER_SAMPLE 16

u64 tsc_khz;
static u64 lapic_timer_khz;
static u16 pm_port;

/* A counter's value and the TSC at that moment. */
struct sample {
	u64 value;
	u64 tsc;
};

static u32 read_pm_timer(void)
{
	return inl(pm_port);
}

static u32 read_lapic_timer(void)
{
	return lapic_read(LAPIC_TMCCT);
}

/*
 * Read a counter several times and keep the read that took the shortest time:
 * the host may run something else in the middle of any of them.
 */
static struct sample sample_counter(u32 (*read)(void))
{
	struct sample best = {};
	u64 best_cost = ~0UL;

	for (u32 i = 0; i < READS_PER_SAMPLE; i++) {
		u64 before = rdtsc();
		u64 value = read();
		u64 after = rdtsc();

		if (after - before < best_cost) {
			best_cost = after - before;
			best.value = value;
			best.tsc = before + best_cost / 2;
		}
	}
	return best;
}

static void wait_pm_ticks(u32 ticks)
{
	u32 start = read_pm_timer();

	while (((read_pm_timer() - start) & PM_TIMER_MASK) < ticks)
		cpu_relax();
}

void time_init(void)
{
	struct sample pm[2], lapic[2];
	u64 pm_ticks, tsc_ticks;

	pm_port = acpi_pm_timer_port();
	lapic_write(LAPIC_TDCR, LAPIC_TDCR_DIV_1);
	lapic_write(LAPIC_LVTT, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_TMICT, ~0U);

	pm[0] = sample_counter(read_pm_timer);
	lapic[0] = sample_counter(read_lapic_timer);
	wait_pm_ticks(PM_TIMER_HZ * MEASURE_MS / 1000);
	pm[1] = sample_counter(read_pm_timer);
	lapic[1] = sample_counter(read_lapic_timer);
	lapic_write(LAPIC_TMICT, 0);

	pm_ticks = (pm[1].value - pm[0].value) & PM_TIMER_MASK;
	tsc_ticks = pm[1].tsc - pm[0].tsc;
	tsc_khz = tsc_ticks * PM_TIMER_HZ / (pm_ticks * 1000);
	lapic_timer_khz = (lapic[0].value - lapic[1].value) * tsc_khz /
			  (lapic[1].tsc - lapic[0].tsc);
	if (!tsc_khz || !lapic_timer_khz)
		panic("TSC at %llu kHz, APIC timer at %llu kHz", tsc_khz,
		      lapic_timer_khz);
}

void delay_us(u64 us)
{
	u64 end = rdtsc() + us * tsc_khz / 1000;

	while (rdtsc() < end)
		cpu_relax();
}

void cpu_timer_request(struct pcpu *cpu, u64 deadline)
{
	u64 now, ticks = 1;

	if (!deadline ||
	    (cpu->timer_deadline && cpu->timer_deadline <= deadline))
		return;
	cpu->timer_deadline = deadline;
	now = rdtsc();
	/*
	 * The count has 32 bits. For a deadline further away the interrupt
	 * comes early, finds nothing due, and the deadline is requested again.
	 */
	if (deadline > now)
		ticks += min(deadline - now, 1UL << 32) * lapic_timer_khz /
			 tsc_khz;
	lapic_write(LAPIC_TMICT, min(ticks, 0xffffffffUL));
}
