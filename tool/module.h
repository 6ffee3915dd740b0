/* SPDX-License-Identifier: GPL-2.0 */
/* A kernel module, as it is installed and as it is loaded. */
#ifndef TOOL_MODULE_H
#define TOOL_MODULE_H

#include <stdbool.h>

/**
 * struct module - A module
 * @name:	Its name, with underscores
 * @built_in:	It is a part of the kernel that runs
 * @installed:	depmod knows a file of it for that kernel
 * @readable:	The file could be read: the next four are known
 * @sign:	It has a signature
 * @version:	Its version
 * @source:	The sum over its sources, srcversion
 * @kernel:	The kernel that it was built for
 * @loaded:	It is loaded
 * @loaded_version: The version of what is loaded
 * @loaded_source: And its srcversion
 */
struct module {
	const char *name;
	bool built_in;
	bool installed;
	bool readable;
	bool sign;
	char version[32];
	char source[32];
	char kernel[80];
	bool loaded;
	char loaded_version[32];
	char loaded_source[32];
};

void module_look(struct module *module, const char *name, const char *release);

#endif /* TOOL_MODULE_H */
