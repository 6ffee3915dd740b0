/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DM_POWER_H
#define DM_POWER_H

struct vm;

void power_init(struct vm *vm);

#endif /* DM_POWER_H */
