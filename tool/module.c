// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "module.h"

/* What sign-file puts behind a module */
#define SIGNATURE "~Module signature appended~\n"

#define MAX_MODULE (64UL << 20)

/* Whether @path is that of module @name, compressed or not. */
static bool is_named(const char *path, const char *name)
{
	const char *file = strrchr(path, '/');
	size_t len = strlen(name);

	file = file ? file + 1 : path;
	for (size_t i = 0; i < len; i++)
		if (file[i] != name[i] && !(file[i] == '-' && name[i] == '_'))
			return false;
	return !strncmp(file + len, ".ko", 3);
}

/*
 * The path of a module, as one of depmod's lists has it: the first word of a
 * line, up to a colon.
 */
static bool find_path(char *path, size_t size, const char *name,
		      const char *list, const char *release)
{
	FILE *file = files_open("/lib/modules/%s/%s", release, list);
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	if (!file)
		return false;
	while (!found && getline(&line, &room, file) >= 0) {
		line[strcspn(line, ":\n")] = '\0';
		found = is_named(line, name);
	}
	if (found)
		snprintf(path, size, "%s", line);
	free(line);
	fclose(file);
	return found;
}

/**
 * module_is_listed() - Look for a module in a list of depmod's
 * @name:	Module
 * @list:	modules.dep or modules.builtin
 * @release:	Kernel
 *
 * Return: whether it is there
 */
bool module_is_listed(const char *name, const char *list, const char *release)
{
	char path[PATH_MAX];

	return find_path(path, sizeof(path), name, list, release);
}

/* The value of "@key=" among the strings of a module, or "". */
static void get_value(char *value, size_t size, const char *data, size_t len,
		      const char *key)
{
	size_t key_len = strlen(key);
	const char *at = data;

	*value = '\0';
	while ((at = memmem(at, data + len - at, key, key_len))) {
		if (at > data && !at[-1] && at[key_len] == '=') {
			snprintf(value, size, "%s", at + key_len + 1);
			return;
		}
		at += key_len;
	}
}

/* @data ends with a 0 that is not counted. */
static void parse(struct module *module, const char *data, size_t len)
{
	static const size_t mark = sizeof(SIGNATURE) - 1;

	module->readable = true;
	module->sign =
		len > mark && !memcmp(data + len - mark, SIGNATURE, mark);
	get_value(module->version, sizeof(module->version), data, len,
		  "version");
	get_value(module->source, sizeof(module->source), data, len,
		  "srcversion");
	get_value(module->kernel, sizeof(module->kernel), data, len,
		  "vermagic");
	module->kernel[strcspn(module->kernel, " ")] = '\0';
}

static void read_file(struct module *module, const char *path,
		      const char *release)
{
	bool absolute = *path == '/';
	char *data;
	FILE *file;
	size_t len;

	/* What is compressed is left to the kernel's own tools. */
	if (strcmp(path + strlen(path) - strlen(".ko"), ".ko"))
		return;
	file = files_open("%s%s%s%s", absolute ? "" : "/lib/modules/",
			  absolute ? "" : release, absolute ? "" : "/", path);
	data = malloc(MAX_MODULE + 1);
	if (file && data) {
		len = fread(data, 1, MAX_MODULE, file);
		data[len] = '\0';
		parse(module, data, len);
	}
	free(data);
	if (file)
		fclose(file);
}

/**
 * module_look() - Find out about a module
 * @module:	Filled in
 * @name:	Its name; is kept
 * @release:	The kernel that runs
 */
void module_look(struct module *module, const char *name, const char *release)
{
	char path[PATH_MAX];

	*module = (struct module){ .name = name };
	module->installed =
		find_path(path, sizeof(path), name, "modules.dep", release);
	if (module->installed)
		read_file(module, path, release);
	module->loaded = files_exist("/sys/module/%s/initstate", name);
	files_word(module->loaded_version, sizeof(module->loaded_version),
		   "/sys/module/%s/version", name);
	files_word(module->loaded_source, sizeof(module->loaded_source),
		   "/sys/module/%s/srcversion", name);
}
