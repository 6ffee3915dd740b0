// SPDX-License-Identifier: GPL-2.0
#include <libkmod.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "module.h"

/* libkmod for the modules of a kernel, without the settings of modprobe.d */
static struct kmod_ctx *open_folder(const char *release)
{
	static const char *const settings[] = { NULL };
	char path[PATH_MAX];

	files_path(path, "/lib/modules/%s", release);
	return kmod_new(path, settings);
}

/*
 * Keep a field that is wanted. Fields are those that modinfo prints: libkmod
 * adds to the strings of the file's section .modinfo what it finds in a
 * signature, sig_id first, and nothing if there is none.
 */
static void keep(struct module *module, const char *key, const char *value)
{
	if (!strcmp(key, "version"))
		snprintf(module->version, sizeof(module->version), "%s", value);
	else if (!strcmp(key, "srcversion"))
		snprintf(module->source, sizeof(module->source), "%s", value);
	else if (!strcmp(key, "vermagic"))
		snprintf(module->kernel, sizeof(module->kernel), "%.*s",
			 (int)strcspn(value, " "), value);
	else if (!strcmp(key, "sig_id"))
		module->sign = true;
}

static void read_file(struct module *module, const struct kmod_module *mod)
{
	struct kmod_list *fields = NULL, *field;

	module->readable = kmod_module_get_info(mod, &fields) >= 0;
	kmod_list_foreach(field, fields)
		keep(module, kmod_module_info_get_key(field),
		     kmod_module_info_get_value(field));
	kmod_module_info_free_list(fields);
}

/*
 * kmod_module_new_from_name_lookup() is not used because libkmod 33 changed the
 * version of its symbol: a program linked on Debian 12 would not run on 13.
 */
static void look_up(struct module *module, struct kmod_ctx *folder)
{
	struct kmod_module *mod = NULL;

	kmod_module_new_from_name(folder, module->name, &mod);
	module->built_in =
		kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN;
	module->installed = kmod_module_get_path(mod);
	if (module->installed)
		read_file(module, mod);
	kmod_module_unref(mod);
}

/**
 * module_look() - Find out about a module
 * @module:	Filled in
 * @name:	Its name, with underscores; is kept
 * @release:	The kernel that runs
 *
 * The module is looked up where modprobe does it, in the binary indexes that
 * depmod makes.
 */
void module_look(struct module *module, const char *name, const char *release)
{
	struct kmod_ctx *folder = open_folder(release);

	*module = (struct module){ .name = name };
	look_up(module, folder);
	kmod_unref(folder);
	module->loaded = files_exist("/sys/module/%s/initstate", name);
	files_word(module->loaded_version, sizeof(module->loaded_version),
		   "/sys/module/%s/version", name);
	files_word(module->loaded_source, sizeof(module->loaded_source),
		   "/sys/module/%s/srcversion", name);
}
