/* SPDX-License-Identifier: GPL-2.0 */
/* The devices that the command line asks for, and those that every VM has. */
#ifndef DM_DEVICES_H
#define DM_DEVICES_H

#include "machine/vm.h"
#include "options/options.h"

int devices_create(struct vm *vm, const struct options *options);

#endif /* DM_DEVICES_H */
