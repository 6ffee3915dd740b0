/* SPDX-License-Identifier: GPL-2.0 */
/* How the kernel was configured. */
#ifndef TOOL_CONFIG_H
#define TOOL_CONFIG_H

/* What is known of something that cannot always be seen. */
enum answer {
	UNKNOWN,
	NO,
	YES,
};

enum answer config_has(const char *release, const char *option);

#endif /* TOOL_CONFIG_H */
