// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "files.h"

/* Where distributions and hand-made kernels have it */
static FILE *open_config(const char *release)
{
	FILE *file = files_open("/boot/config-%s", release);

	if (!file)
		file = files_open("/lib/modules/%s/config", release);
	if (!file)
		file = files_open("/lib/modules/%s/build/.config", release);
	return file;
}

/**
 * config_has() - Look up an option of a kernel
 * @release:	Kernel
 * @option:	Option, with CONFIG_
 *
 * Return: YES for y and m; UNKNOWN if the configuration is nowhere to be found
 */
enum answer config_has(const char *release, const char *option)
{
	FILE *file = open_config(release);
	size_t len = strlen(option);
	enum answer answer = NO;
	char line[256];

	if (!file)
		return UNKNOWN;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, option, len) && line[len] == '=')
			answer = strchr("ym", line[len + 1]) ? YES : NO;
	fclose(file);
	return answer;
}
