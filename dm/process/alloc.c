// SPDX-License-Identifier: GPL-2.0
/*
 * Any thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process/alloc.h"
#include "process/log.h"

/* Returns memory to be freed by free(), or NULL, with a message printed. */
void *alloc_zeroed(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		log_error("cannot allocate %zu bytes: %s", size,
			  strerror(ENOMEM));
	return memory;
}
