/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hypervisor is told what the addresses of a User VM lead to, in regions,
 * many of them in one hypercall.
 */
#ifndef HSM_REGIONS_H
#define HSM_REGIONS_H

#include <linux/types.h>

struct acrn_regions;
struct acrn_segment;

struct acrn_regions *acrn_regions_alloc(u16 vmid);
void acrn_regions_free(struct acrn_regions *regions);
int acrn_regions_map(struct acrn_regions *regions,
		     const struct acrn_segment *segment, unsigned long first,
		     unsigned long last, unsigned long *end);
int acrn_regions_unmap(struct acrn_regions *regions, unsigned long first,
		       unsigned long last, unsigned long *end);

#endif /* HSM_REGIONS_H */
