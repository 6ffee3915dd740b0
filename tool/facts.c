// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "config.h"
#include "facts.h"
#include "files.h"
#include "sample.h"

/* Leaves of CPUID that ACRN answers: its name, and the privileges of the VM */
#define LEAF_NAME     0x40000000
#define LEAF_FEATURES 0x40000001
#define SERVICE_VM    1
#define NAME	      "ACRNACRNACRN"

static struct sample sample;

static void ask_processor(struct facts *facts)
{
	unsigned int eax, name[3];

	__cpuid(LEAF_NAME, eax, name[0], name[1], name[2]);
	facts->acrn = !memcmp(name, NAME, sizeof(name));
	if (!facts->acrn)
		return;
	__cpuid(LEAF_FEATURES, eax, name[0], name[1], name[2]);
	facts->service_vm = eax & SERVICE_VM;
}

static bool has_line(const char *begin, const char *fmt)
{
	FILE *file = files_open("%s", fmt);
	char line[4096];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line + strspn(line, " "), begin,
				 strlen(begin));
	if (file)
		fclose(file);
	return found;
}

/* A kernel that knows ACRN counts its upcalls when it runs there. */
static enum answer knows_acrn(const struct facts *facts)
{
	if (facts->acrn)
		return has_line("HYP:", "/proc/interrupts") ? YES : NO;
	return config_has(facts->release, "CONFIG_ACRN_GUEST");
}

static bool is_locked_down(void)
{
	char text[64];

	files_word(text, sizeof(text), "/sys/kernel/security/lockdown");
	return strstr(text, "[integrity]") || strstr(text, "[confidentiality]");
}

static bool enforces_signatures(void)
{
	char text[64];

	files_word(text, sizeof(text),
		   "/sys/module/module/parameters/sig_enforce");
	return *text == 'Y';
}

/* The sources of the package acrn-vhost-dkms, of whatever version */
static bool has_sources(void)
{
	char path[PATH_MAX];
	glob_t found;
	bool any;

	files_path(path, "/usr/src/acrn-vhost-*");
	any = !glob(path, 0, NULL, &found) && found.gl_pathc;
	globfree(&found);
	return any;
}

static bool has_vhost_net(const char *release)
{
	struct module module;

	module_look(&module, "vhost_net", release);
	return module.built_in || module.installed ||
	       files_exist("/sys/module/vhost_net");
}

static enum answer zeroes_memory(const char *release)
{
	char line[4096];

	files_word(line, sizeof(line), "/proc/cmdline");
	if (strstr(line, "init_on_alloc=1"))
		return YES;
	if (strstr(line, "init_on_alloc=0"))
		return NO;
	return config_has(release, "CONFIG_INIT_ON_ALLOC_DEFAULT_ON");
}

static void look_at_vms(struct facts *facts)
{
	sample_take(&sample, false);
	facts->vms = sample.vm_count;
	for (size_t i = 0; i < sample.vm_count; i++)
		facts->vms_without_ring += !sample.vms[i].async_ring;
}

/**
 * facts_gather() - Find out about this machine
 * @facts:	Filled in
 *
 * The processor is asked and files are read; nothing is changed.
 */
void facts_gather(struct facts *facts)
{
	char word[8];

	*facts = (struct facts){ 0 };
	ask_processor(facts);
	files_word(facts->release, sizeof(facts->release),
		   "/proc/sys/kernel/osrelease");
	facts->acrn_guest = knows_acrn(facts);
	facts->lockdown = is_locked_down();
	facts->signatures = facts->lockdown || enforces_signatures();
	/*
	 * Without this option there is no keyring for keys of the owner, see
	 * security/integrity/Kconfig. With it Debian's kernel takes them for
	 * modules, and Linux itself only with CONFIG_INTEGRITY_MACHINE_KEYRING.
	 */
	facts->owner_keys =
		config_has(facts->release, "CONFIG_INTEGRITY_PLATFORM_KEYRING");
	module_look(&facts->in_tree, "acrn", facts->release);
	module_look(&facts->hsm, "acrn_hsm", facts->release);
	module_look(&facts->vhost, "acrn_vhost", facts->release);
	module_look(&facts->blk, "vhost_blk", facts->release);
	/* By check-layout of the package vhost-blk-dkms */
	files_word(facts->blk_refused, sizeof(facts->blk_refused),
		   "/run/vhost-blk.refused");
	facts->sources = has_sources();
	facts->headers =
		files_exist("/lib/modules/%s/build/Makefile", facts->release);
	facts->vhost_net = has_vhost_net(facts->release);
	facts->vhost_net_allowed =
		!files_exist("/dev/vhost-net") || files_allow("/dev/vhost-net");
	facts->init_on_alloc = zeroes_memory(facts->release);
	facts->realtime =
		files_word(word, sizeof(word), "/sys/kernel/realtime") &&
		*word == '1';
	facts->node = files_exist("/dev/acrn_hsm");
	facts->node_allowed = files_allow("/dev/acrn_hsm");
	files_word(facts->async, sizeof(facts->async),
		   "/sys/module/acrn_hsm/parameters/async");
	look_at_vms(facts);
}
