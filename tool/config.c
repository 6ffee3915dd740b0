// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "config.h"
#include "files.h"

/*
 * Where distributions and hand-made kernels have it, and what a kernel with
 * CONFIG_IKCONFIG_PROC, as ACRN's own, says of itself; %s is the release.
 */
static const char *const places[] = {
	"/boot/config-%s",
	"/lib/modules/%s/config",
	"/lib/modules/%s/build/.config",
	"/proc/config.gz",
};

static gzFile open_config(const char *release)
{
	char path[PATH_MAX];
	gzFile file = NULL;

	for (size_t i = 0; !file && i < sizeof(places) / sizeof(*places); i++) {
		files_path(path, places[i], release);
		file = gzopen(path, "re");
	}
	return file;
}

/**
 * config_has() - Look up an option of the kernel that runs
 * @release:	Its release
 * @option:	Option, with CONFIG_
 *
 * Return: YES for y and m; UNKNOWN if the configuration is nowhere to be found
 */
enum answer config_has(const char *release, const char *option)
{
	gzFile file = open_config(release);
	size_t len = strlen(option);
	enum answer answer = NO;
	char line[256];

	if (!file)
		return UNKNOWN;
	while (gzgets(file, line, sizeof(line)))
		if (!strncmp(line, option, len) && line[len] == '=')
			answer = strchr("ym", line[len + 1]) ? YES : NO;
	gzclose(file);
	return answer;
}
