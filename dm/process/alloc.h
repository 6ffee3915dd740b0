/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DM_ALLOC_H
#define DM_ALLOC_H

#include <stddef.h>

void *alloc_zeroed(size_t size);

#endif /* DM_ALLOC_H */
