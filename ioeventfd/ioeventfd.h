/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioeventfds: the write of a guest to a registered address is a doorbell, which
 * signals an eventfd, in the context in which the write is reported.
 *
 * Each VM has a &struct ioeventfd_set. Registering a doorbell takes the lock of
 * the set and may sleep. Looking one up takes no lock, and can be done in
 * hard-IRQ context.
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
