// SPDX-License-Identifier: GPL-2.0
#include "cpu.h"
#include "log.h"
#include "msr.h"
#include "multiboot.h"
#include "page.h"
#include "service_vm.h"
#include "string.h"
#include "time.h"
#include "vcpu.h"

void hv_main(const struct multiboot_info *info) __attribute__((noreturn));

/* service_cpus=<number> on the hypervisor's command line; 1 if not given. */
static u32 parse_service_cpus(const char *cmdline)
{
	static const char option[] = "service_cpus=";
	const char *p = strstr(cmdline, option);
	u32 n = 0;

	if (!p)
		return 1;
	for (p += strlen(option); *p >= '0' && *p <= '9' && n <= MAX_PCPUS; p++)
		n = n * 10 + *p - '0';
	return n;
}

/* Called by boot.S on the first CPU. */
void hv_main(const struct multiboot_info *info)
{
	idt_init();
	time_init();
	smp_init();
	nr_service_cpus = parse_service_cpus((char *)(u64)info->cmdline);
	if (!nr_service_cpus || nr_service_cpus > nr_pcpus)
		panic("service_cpus=%u with %u CPUs", nr_service_cpus,
		      nr_pcpus);
	page_init();
	msr_init();
	vcpu_init_host();
	service_vm_init(info);
	hv_log("hv: ready tsc_khz=%llu cpus=%u service_cpus=%u", tsc_khz,
	       nr_pcpus, nr_service_cpus);
	smp_release();
	service_vm_run(&pcpus[0]);
}
