/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The devices that every VM has besides its console: PCI host bridge, clock and
 * power.
 */
#ifndef DM_PLATFORM_H
#define DM_PLATFORM_H

#include "machine/vm.h"

int platform_create(struct vm *vm);

#endif /* DM_PLATFORM_H */
