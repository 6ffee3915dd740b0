// sources: tool/check.c tool/facts.c tool/config.c tool/module.c tool/files.c tool/sample.c tool/process.c
// SPDX-License-Identifier: GPL-2.0
/*
 * acrn-vhost check: each fault that it can find is provoked; and the facts that
 * it reads from files, here those of a made-up machine.
 */
#include "check.h"
#include "files.h"
#include "tap.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASE "6.12.9-test"

static char folder[] = "/tmp/check-XXXXXX";

/* The output of check for @facts, valid until the next call. */
static const char *text_of(const struct facts *facts, unsigned int *bad)
{
	static char text[16384];
	FILE *file = fmemopen(text, sizeof(text), "w");

	*bad = check_facts(facts, file);
	fclose(file);
	return text;
}

static struct module installed(const char *name)
{
	struct module module = { .name = name,
				 .installed = true,
				 .readable = true,
				 .version = "1.2",
				 .source = "ABCD",
				 .kernel = RELEASE };
	return module;
}

static void load(struct module *module)
{
	module->loaded = true;
	strcpy(module->loaded_version, module->version);
	strcpy(module->loaded_source, module->source);
}

static struct facts all_is_well(void)
{
	struct facts facts = { .acrn = true,
			       .service_vm = true,
			       .release = RELEASE,
			       .acrn_guest = YES,
			       .hsm = installed("acrn_hsm"),
			       .vhost = installed("acrn_vhost"),
			       .blk = installed("vhost_blk"),
			       .vhost_net = true,
			       .vhost_net_allowed = true,
			       .node = true,
			       .node_allowed = true,
			       .async = "auto" };

	load(&facts.hsm);
	load(&facts.vhost);
	return facts;
}

/* Check that exactly one line has @verdict, with @wanted after it. */
static void expect(const struct facts *facts, const char *verdict,
		   const char *wanted, const char *name)
{
	unsigned int bad, advised = 0;
	const char *text = text_of(facts, &bad), *line;

	line = strstr(text, verdict);
	for (const char *at = text; (at = strstr(at, "-> ")); at++)
		advised++;
	if (!tap_ok(line && strstr(line, wanted) && advised == 1 &&
			    bad == !strcmp(verdict, "FAIL"),
		    "%s", name))
		printf("# %s", text);
}

#define EXPECT(verdict, wanted, name, ...)                                     \
	do {                                                                   \
		struct facts f = all_is_well();                                \
		__VA_ARGS__;                                                   \
		expect(&f, verdict, wanted, name);                             \
	} while (0)

static void test_hypervisor(void)
{
	EXPECT("FAIL", "boot it on ACRN", "no ACRN",
	       f.acrn = f.service_vm = false);
	EXPECT("FAIL", "in the Service VM", "a User VM", f.service_vm = false);
	EXPECT("FAIL", "CONFIG_ACRN_GUEST=y", "a kernel that knows no ACRN",
	       f.acrn_guest = NO);
	EXPECT("note", "grep CONFIG_ACRN_GUEST",
	       "one of which nothing is known", f.acrn_guest = UNKNOWN);
	EXPECT("FAIL", "CONFIG_ACRN_HSM=m", "the in-tree HSM is built in",
	       f.in_tree_builtin = true);
	EXPECT("FAIL", "rmmod acrn &&", "the in-tree HSM is loaded",
	       f.in_tree_loaded = true);
}

static void test_modules(void)
{
	EXPECT("FAIL", "acrn_vhost.ko is not installed", "not installed",
	       f.vhost = (struct module){ .name = "acrn_vhost" });
	EXPECT("FAIL", "built for 6.1.1", "built for another kernel",
	       strcpy(f.vhost.kernel, "6.1.1"));
	EXPECT("FAIL", "rmmod acrn_vhost acrn_hsm", "upgraded and not reloaded",
	       strcpy(f.hsm.loaded_source, "EF"));
	EXPECT("FAIL", "from the same sources", "of different versions",
	       strcpy(f.vhost.version, "1.3"));
	EXPECT("FAIL", "modprobe acrn_hsm", "not loaded", f.hsm.loaded = false);
	EXPECT("note", "vhost-blk-dkms", "no vhost_blk",
	       f.blk = (struct module){ .name = "vhost_blk" });
	EXPECT("FAIL", "dkms build --force vhost-blk/1.2",
	       "a vhost_blk that does not fit vhost.ko",
	       strcpy(f.blk_refused, "another vhost.h"));
	EXPECT("note", "CONFIG_VHOST_NET=m", "no vhost_net",
	       f.vhost_net = false);
}

static void test_signatures(void)
{
	struct facts f = all_is_well();
	unsigned int bad;
	const char *text;

	f.signatures = true;
	tap_ok(!strstr(text_of(&f, &bad), "-> ") && !bad,
	       "signatures: ours was taken");
	f.hsm.loaded = false;
	text = text_of(&f, &bad);
	tap_ok(strstr(text, "sign-file") && bad == 2,
	       "signatures: there is none");
	f.hsm.sign = true;
	text = text_of(&f, &bad);
	tap_ok(strstr(text, "Key was rejected") && bad == 1,
	       "signatures: one that may do");
}

static void test_less_than_could_be(void)
{
	EXPECT("note", "init_on_alloc=1", "6.1 with acrn-dm",
	       strcpy(f.release, "6.1.192");
	       strcpy(f.hsm.kernel, f.release);
	       strcpy(f.vhost.kernel, f.release);
	       strcpy(f.blk.kernel, f.release));
	EXPECT("note", "adduser YOU acrn", "not allowed",
	       f.node_allowed = false);
	EXPECT("note", "adduser YOU kvm", "vhost-net not allowed",
	       f.vhost_net_allowed = false);
	EXPECT("FAIL", "no /dev/acrn_hsm", "no device", f.node = false);
	EXPECT("note", "echo auto", "asynchronous doorbells are off",
	       strcpy(f.async, "off"));
	EXPECT("note", "older than ACRN 3.2", "the hypervisor has none",
	       f.vms = 2, f.vms_without_ring = 1);
	EXPECT("note", "PREEMPT_RT", "a real-time kernel", f.realtime = true);
	EXPECT("note", "tested with", "another kernel",
	       strcpy(f.release, "6.13.0");
	       strcpy(f.hsm.kernel, f.release);
	       strcpy(f.vhost.kernel, f.release);
	       strcpy(f.blk.kernel, f.release));
}

static void make_folders(char *path)
{
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path, 0755);
		*at = '/';
	}
}

static void make(const char *name, const char *text, size_t len)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", folder, name);
	make_folders(path);
	file = fopen(path, "w");
	if (!file || fwrite(text, 1, len, file) != len)
		exit(1);
	fclose(file);
}

#define MAKE(name, text) make(name, text, sizeof(text) - 1)
#define MODULES		 "/lib/modules/" RELEASE "/"

static void make_machine(void)
{
	MAKE("/proc/sys/kernel/osrelease", RELEASE "\n");
	MAKE("/proc/cmdline", "quiet init_on_alloc=1\n");
	MAKE("/boot/config-" RELEASE,
	     "CONFIG_ACRN_GUEST=y\n# CONFIG_VHOST_NET is not set\n");
	MAKE(MODULES "modules.builtin", "kernel/drivers/virt/acrn/acrn.ko\n");
	MAKE(MODULES "modules.dep",
	     "updates/dkms/acrn_hsm.ko:\n"
	     "updates/dkms/acrn_vhost.ko: updates/dkms/acrn_hsm.ko\n"
	     "kernel/drivers/vhost/vhost_net.ko.xz: x.ko\n");
	MAKE(MODULES "updates/dkms/acrn_hsm.ko",
	     "\177ELF\0version=7.8\0srcversion=1234\0vermagic=" RELEASE
	     " SMP\0rest~Module signature appended~\n");
	MAKE(MODULES "updates/dkms/acrn_vhost.ko",
	     "\177ELF\0srcversion=56\0version=7.9\0vermagic=6.1.1 SMP\0");
	MAKE("/sys/module/acrn_hsm/initstate", "live\n");
	MAKE("/sys/module/acrn_hsm/version", "7.7\n");
	MAKE("/sys/module/acrn_hsm/srcversion", "9999\n");
	MAKE("/sys/module/acrn_hsm/parameters/async", "flag\n");
	MAKE("/sys/module/module/parameters/sig_enforce", "Y\n");
	MAKE("/sys/kernel/realtime", "1\n");
	MAKE("/run/vhost-blk.refused", "another vhost.h\n");
}

static void test_facts(void)
{
	struct facts f;

	if (!mkdtemp(folder))
		exit(1);
	files_set_root(folder);
	make_machine();
	facts_gather(&f);
	tap_ok(!strcmp(f.release, RELEASE), "facts: the kernel");
	tap_ok(f.acrn || f.acrn_guest == YES, "facts: its configuration");
	tap_ok(f.in_tree_builtin && !f.in_tree_loaded, "facts: in-tree HSM");
	tap_ok(f.signatures && f.realtime && f.vhost_net && !f.node,
	       "facts: what the kernel wants and has");
	tap_ok(f.vhost_net_allowed, "facts: a device that will be made");
	tap_ok(f.init_on_alloc == YES, "facts: its command line");
	tap_ok(f.hsm.installed && f.hsm.readable && f.hsm.sign && f.hsm.loaded,
	       "facts: a module that is signed and loaded");
	tap_ok(!strcmp(f.hsm.version, "7.8") && !strcmp(f.hsm.source, "1234") &&
		       !strcmp(f.hsm.kernel, RELEASE),
	       "facts: what is installed");
	tap_ok(!strcmp(f.hsm.loaded_version, "7.7") &&
		       !strcmp(f.hsm.loaded_source, "9999"),
	       "facts: what is loaded");
	tap_ok(!f.vhost.sign && !f.vhost.loaded &&
		       !strcmp(f.vhost.kernel, "6.1.1") &&
		       !strcmp(f.vhost.version, "7.9"),
	       "facts: one that is neither");
	tap_ok(!f.blk.installed && !f.blk.loaded &&
		       !strcmp(f.blk_refused, "another vhost.h"),
	       "facts: one that is missing, and why");
	tap_ok(!strcmp(f.async, "flag") && !f.vms,
	       "facts: the parameter, no VM");
}

int main(void)
{
	struct facts facts = all_is_well();
	unsigned int bad;

	tap_ok(!strstr(text_of(&facts, &bad), "-> ") && !bad,
	       "nothing to say when all is well");
	test_hypervisor();
	test_modules();
	test_signatures();
	test_less_than_could_be();
	test_facts();
	return tap_done();
}
