/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioctls of /dev/acrn_hsm, which has one VM per open file. Functions return
 * 0 or -errno, with a message printed unless their comment says otherwise.
 *
 * Used by the main thread before the VM runs and after it has ended, by the
 * thread that handles I/O requests in between; other threads only where noted.
 */
#ifndef DM_HSM_H
#define DM_HSM_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/acrn.h>

#include "bus/mem.h"

/* A vCPU takes one I/O request slot, a physical CPU one bit. */
#define HSM_MAX_VCPUS ACRN_IO_REQUEST_MAX
#define HSM_MAX_CPUS  64

/**
 * struct hsm - A VM of the hypervisor
 * @fd:		/dev/acrn_hsm, on which the VM was created
 * @vmid:	Number of the VM that the hypervisor has chosen
 * @vcpus:	Number of vCPUs
 * @slots:	I/O requests, one slot per vCPU, shared with the hypervisor
 */
struct hsm {
	int fd;
	uint16_t vmid;
	unsigned int vcpus;
	struct acrn_io_request_buffer *slots;
};

int hsm_open(struct hsm *hsm);
void hsm_close(struct hsm *hsm);
int hsm_create_vm(struct hsm *hsm, const char *name, uint64_t cpus,
		  bool completion_polling);
void hsm_pause_vm(struct hsm *hsm);
void hsm_destroy_vm(struct hsm *hsm);
int hsm_map_memory(struct hsm *hsm, const struct guest_mem *mem);
int hsm_start(struct hsm *hsm, const struct acrn_regs *regs);
int hsm_stop_for_reset(struct hsm *hsm);
int hsm_wait_request(struct hsm *hsm);
int hsm_finish_request(struct hsm *hsm, unsigned int vcpu);
int hsm_set_irq(struct hsm *hsm, uint32_t gsi, bool high);
int hsm_inject_msi(struct hsm *hsm, const struct acrn_msi_entry *msi);

#endif /* DM_HSM_H */
