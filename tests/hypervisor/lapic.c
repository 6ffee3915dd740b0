// SPDX-License-Identifier: GPL-2.0
#include "lapic.h"

#define ICR2_DESTINATION_SHIFT 24

void lapic_init(void)
{
	lapic_write(LAPIC_SVR, LAPIC_SVR_ENABLE | HV_VECTOR_SPURIOUS);
	lapic_write(LAPIC_TDCR, LAPIC_TDCR_DIV_1);
	lapic_write(LAPIC_LVTT, HV_VECTOR_TIMER);
}

void lapic_release(void)
{
	lapic_write(LAPIC_TMICT, 0);
	lapic_write(LAPIC_LVTT, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_SVR, HV_VECTOR_SPURIOUS);
}

void lapic_send(u32 cpu, u32 command)
{
	u32 icr2 = lapic_read(LAPIC_ICR2);

	lapic_write(LAPIC_ICR2, cpu << ICR2_DESTINATION_SHIFT);
	lapic_write(LAPIC_ICR, command);
	lapic_write(LAPIC_ICR2, icr2);
}
