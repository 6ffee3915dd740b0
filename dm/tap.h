/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DM_TAP_H
#define DM_TAP_H

#include <stdbool.h>
#include <stdint.h>

int tap_open(const char *name, bool multi_queue);
int tap_attach(int fd, bool attached);
int tap_set_offloads(int fd, uint64_t features);

#endif /* DM_TAP_H */
