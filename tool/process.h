/* SPDX-License-Identifier: GPL-2.0 */
/* What a device model was started as. */
#ifndef TOOL_PROCESS_H
#define TOOL_PROCESS_H

#include <stddef.h>
#include <stdint.h>

void process_name(uint64_t pid, char *name, size_t size);
void process_vm_name(uint64_t pid, char *name, size_t size);

#endif /* TOOL_PROCESS_H */
