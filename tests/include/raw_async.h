/* SPDX-License-Identifier: GPL-2.0 */
/* The HSM's parameter "async", and which doorbells are asynchronous. */
#ifndef RAW_ASYNC_H
#define RAW_ASYNC_H

#include <errno.h>

#include "acrn_ioctl.h"
#include "raw_vm.h"

#define RAW_ASYNC "/sys/module/acrn_hsm/parameters/async"

/* Set the parameter to @mode. Returns 0 or the errno. */
static inline int raw_set_async(const char *mode)
{
	int fd = open(RAW_ASYNC, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		err(1, RAW_ASYNC);
	if (write(fd, mode, strlen(mode)) < 0)
		ret = errno;
	close(fd);
	return ret;
}

/* Set the parameter for VMs created from now on; nothing on the in-tree HSM. */
static inline void raw_use_async(const char *mode)
{
	if (!raw_hsm_is_in_tree() && raw_set_async(mode))
		errx(1, RAW_ASYNC ": %s", mode);
}

/* Return the number of asynchronous doorbells of a VM. */
static inline unsigned int raw_async_doorbells(const struct raw_vm *vm)
{
	char path[64], line[128];
	unsigned int count = 0;
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/kernel/debug/acrn_hsm/vm%u/doorbells", vm->vmid);
	file = fopen(path, "r");
	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, " async=yes\n") != NULL;
	fclose(file);
	return count;
}

#endif /* RAW_ASYNC_H */
