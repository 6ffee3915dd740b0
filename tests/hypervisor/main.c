// SPDX-License-Identifier: GPL-2.0
#include "cpu.h"
#include "log.h"
#include "msr.h"
#include "multiboot.h"
#include "page.h"
#include "sched.h"
#include "service_vm.h"
#include "string.h"
#include "time.h"
#include "vcpu.h"

void hv_main(const struct multiboot_info *info) __attribute__((noreturn));

/* The number after @option ("name=") in @cmdline; @fallback if it is absent. */
static u32 parse_option(const char *cmdline, const char *option, u32 fallback)
{
	const u32 max = 1000000;
	const char *p = strstr(cmdline, option);
	u32 n = 0;

	if (!p)
		return fallback;
	for (p += strlen(option); *p >= '0' && *p <= '9' && n <= max; p++)
		n = n * 10 + *p - '0';
	return n;
}

/* Called by boot.S on the first CPU. */
void hv_main(const struct multiboot_info *info)
{
	const char *cmdline = (const char *)(u64)info->cmdline;

	idt_init();
	time_init();
	smp_init();
	nr_service_cpus = parse_option(cmdline, "service_cpus=", 1);
	sched_spin_us = parse_option(cmdline, "spin_us=", 0);
	static_cpus = parse_option(cmdline, "static_cpus=", 0);
	if (!nr_service_cpus || FIRST_SERVICE_CPU + nr_service_cpus > nr_pcpus)
		panic("service_cpus=%u with %u CPUs", nr_service_cpus,
		      nr_pcpus);
	page_init();
	msr_init();
	vcpu_init_host();
	service_vm_init(info);
	hv_log("hv: ready tsc_khz=%llu cpus=%u service_cpus=%u", tsc_khz,
	       nr_pcpus, nr_service_cpus);
	smp_release();
	cpu_stop();
}
