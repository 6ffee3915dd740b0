/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DM_TAP_H
#define DM_TAP_H

#include <stdint.h>

int tap_open(const char *name);
int tap_set_offloads(int fd, uint64_t features);

#endif /* DM_TAP_H */
