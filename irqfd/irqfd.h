/* SPDX-License-Identifier: GPL-2.0 */
/*
 * irqfds: a signal on an eventfd becomes an MSI in a User VM, injected in the
 * context of whoever signals. Each VM has a &struct irqfd_set.
 */
#ifndef IRQFD_H
#define IRQFD_H

#include <linux/types.h>

struct acrn_irqfd;
struct acrn_vm;
struct irqfd_set;
struct seq_file;

struct irqfd_set *irqfd_set_create(struct acrn_vm *vm);
void irqfd_set_destroy(struct irqfd_set *set);
int irqfd_config(struct irqfd_set *set, const struct acrn_irqfd *args);
void irqfd_flush_held(struct irqfd_set *set, bool inject);
void irqfd_show(struct irqfd_set *set, struct seq_file *seq);
u64 irqfd_total_injected(void);

#endif /* IRQFD_H */
