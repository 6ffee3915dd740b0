/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The doorbell router: a guest's write to a registered address becomes a signal
 * on an eventfd, in the context in which the write is reported.
 *
 * Every VM has a &struct ioeventfd_set. Registration takes its lock and may
 * sleep; routing takes none and runs in hard-IRQ context.
 */
#ifndef IOEVENTFD_H
#define IOEVENTFD_H

#include <linux/types.h>

struct acrn_access;
struct acrn_ioeventfd;
struct acrn_vm;
struct doorbell;
struct ioeventfd_set;
struct seq_file;

struct ioeventfd_set *ioeventfd_set_create(struct acrn_vm *vm);
void ioeventfd_set_destroy(struct ioeventfd_set *set);
int ioeventfd_config(struct ioeventfd_set *set,
		     const struct acrn_ioeventfd *args);
void ioeventfd_show(struct ioeventfd_set *set, struct seq_file *seq);
bool ioeventfd_route(struct ioeventfd_set *set,
		     const struct acrn_access *write);
bool ioeventfd_has(struct ioeventfd_set *set, const struct acrn_access *write);
void ioeventfd_ring(struct doorbell *doorbell);
u64 ioeventfd_total_rings(void);

#endif /* IOEVENTFD_H */
