// sources: tool/check.c tool/facts.c tool/config.c tool/module.c tool/files.c tool/sample.c tool/process.c
// SPDX-License-Identifier: GPL-2.0
/*
 * acrn-vhost check: each fault that it can find is provoked; first in what it
 * knows of the machine, and then, where it learns of it from files, in the
 * files of a made-up machine.
 */
#include "check.h"
#include "files.h"
#include "sample.h"
#include "tap.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASE "6.1.9-test"

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
			       .init_on_alloc = YES,
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
	EXPECT("FAIL", "rmmod vhost_blk; modprobe vhost_blk",
	       "vhost_blk upgraded and not reloaded", load(&f.blk),
	       strcpy(f.blk.loaded_source, "EF"));
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
	       f.init_on_alloc = NO);
	EXPECT("note", "init_on_alloc=1", "6.1 whose configuration is unknown",
	       f.init_on_alloc = UNKNOWN);
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
#define DKMS		 MODULES "updates/dkms/"
#define PARAMETERS	 "/sys/module/acrn_hsm/parameters/"

static void remove_file(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", folder, name);
	if (unlink(path))
		exit(1);
}

static void make_modules(void)
{
	MAKE(MODULES "modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	MAKE(MODULES "modules.dep",
	     "updates/dkms/acrn_hsm.ko:\n"
	     "updates/dkms/acrn_vhost.ko: updates/dkms/acrn_hsm.ko\n"
	     "updates/dkms/vhost_blk.ko:\n"
	     "kernel/drivers/vhost/vhost_net.ko.xz: x.ko\n");
	MAKE(DKMS "acrn_hsm.ko",
	     "\177ELF\0version=7.8\0srcversion=12\0vermagic=" RELEASE " SMP\0");
	MAKE(DKMS "acrn_vhost.ko",
	     "\177ELF\0srcversion=34\0version=7.8\0vermagic=" RELEASE " SMP\0");
	MAKE(DKMS "vhost_blk.ko",
	     "\177ELF\0srcversion=56\0version=7.8\0vermagic=" RELEASE " SMP\0");
}

static void load_modules(void)
{
	MAKE("/sys/module/acrn_hsm/initstate", "live\n");
	MAKE("/sys/module/acrn_hsm/version", "7.8\n");
	MAKE("/sys/module/acrn_hsm/srcversion", "12\n");
	MAKE(PARAMETERS "async", "auto\n");
	MAKE("/sys/module/vhost_blk/initstate", "live\n");
	MAKE("/sys/module/vhost_blk/version", "7.8\n");
	MAKE("/sys/module/vhost_blk/srcversion", "56\n");
	MAKE("/dev/acrn_hsm", "");
}

static void remove_machine(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s/*", folder);
	if (system(command))
		exit(1);
}

/* A machine where all is well, in place of the one that there was. */
static void make_machine(void)
{
	remove_machine();
	MAKE("/proc/sys/kernel/osrelease", RELEASE "\n");
	MAKE("/proc/cmdline", "quiet init_on_alloc=1\n");
	MAKE("/boot/config-" RELEASE, "CONFIG_ACRN_GUEST=y\n");
	make_modules();
	load_modules();
}

/* What the files say; the processor is said to be one of ACRN's Service VM. */
static struct facts gather(void)
{
	struct facts facts;

	facts_gather(&facts);
	facts.acrn = facts.service_vm = true;
	return facts;
}

/* As expect(), of the machine; makes a new one. */
static void finds(const char *verdict, const char *wanted, const char *name)
{
	struct facts facts = gather();

	expect(&facts, verdict, wanted, name);
	make_machine();
}

/* Check that nothing is wrong with the machine, and make a new one. */
static void finds_nothing(const char *name)
{
	struct facts facts = gather();
	unsigned int bad;
	const char *text = text_of(&facts, &bad);

	if (!tap_ok(!strstr(text, "-> ") && !bad, "%s", name))
		printf("# %s", text);
	make_machine();
}

static void test_kernel_files(void)
{
	MAKE("/boot/config-" RELEASE, "# CONFIG_ACRN_GUEST is not set\n");
	finds("FAIL", "CONFIG_ACRN_GUEST=y", "files: no CONFIG_ACRN_GUEST");
	remove_file("/boot/config-" RELEASE);
	finds("note", "grep CONFIG_ACRN_GUEST", "files: no configuration");
	remove_file("/boot/config-" RELEASE);
	MAKE(MODULES "config", "CONFIG_ACRN_GUEST=y\n");
	finds_nothing("files: the configuration beside the modules");
	remove_file("/boot/config-" RELEASE);
	MAKE(MODULES "build/.config", "CONFIG_ACRN_GUEST=y\n");
	finds_nothing("files: the configuration of the build");
	MAKE(MODULES "modules.builtin", "kernel/drivers/virt/acrn/acrn.ko\n");
	finds("FAIL", "CONFIG_ACRN_HSM=m", "files: a built-in HSM");
	MAKE("/sys/module/acrn/initstate", "live\n");
	finds("FAIL", "rmmod acrn &&", "files: the in-tree HSM is loaded");
	MAKE("/sys/kernel/realtime", "1\n");
	finds("note", "PREEMPT_RT", "files: a real-time kernel");
}

/* Check that the kernel is found to want signatures, and make a new machine. */
static void finds_signatures(const char *name)
{
	struct facts facts = gather();
	unsigned int bad;

	tap_ok(strstr(text_of(&facts, &bad), "has taken ours") && !bad,
	       "%s, of which ours was taken", name);
	remove_file("/sys/module/acrn_hsm/initstate");
	facts = gather();
	tap_ok(strstr(text_of(&facts, &bad), "sign-file") && bad == 2,
	       "%s, and ours has none", name);
	MAKE(DKMS "acrn_hsm.ko", "\177ELF\0version=7.8\0vermagic=" RELEASE
				 " SMP\0rest~Module signature appended~\n");
	facts = gather();
	tap_ok(strstr(text_of(&facts, &bad), "Key was rejected") && bad == 1,
	       "%s, and ours has one", name);
	make_machine();
}

static void test_signature_files(void)
{
	MAKE("/sys/module/module/parameters/sig_enforce", "Y\n");
	finds_signatures("files: signatures are wanted");
	MAKE("/sys/kernel/security/lockdown",
	     "none [integrity] confidentiality\n");
	finds_signatures("files: integrity");
	MAKE("/sys/kernel/security/lockdown",
	     "none integrity [confidentiality]\n");
	finds_signatures("files: confidentiality");
	MAKE("/sys/module/module/parameters/sig_enforce", "N\n");
	MAKE("/sys/kernel/security/lockdown",
	     "[none] integrity confidentiality\n");
	finds_nothing("files: none are wanted");
}

static void test_module_files(void)
{
	MAKE(MODULES "modules.dep", "updates/dkms/acrn_hsm.ko:\n"
				    "updates/dkms/vhost_blk.ko:\n"
				    "kernel/drivers/vhost/vhost_net.ko.xz:\n");
	finds("FAIL", "acrn_vhost.ko is not installed", "files: not installed");
	MAKE(DKMS "acrn_vhost.ko",
	     "\177ELF\0version=7.8\0vermagic=6.1.1 SMP\0");
	finds("FAIL", "built for 6.1.1", "files: built for another kernel");
	MAKE(DKMS "acrn_vhost.ko",
	     "\177ELF\0version=7.9\0vermagic=" RELEASE " SMP\0");
	finds("FAIL", "acrn_vhost is 7.9, acrn_hsm is 7.8",
	      "files: of different versions");
	MAKE("/sys/module/acrn_hsm/srcversion", "11\n");
	finds("FAIL", "rmmod acrn_vhost acrn_hsm; modprobe acrn_hsm",
	      "files: acrn_hsm was upgraded and not reloaded");
	MAKE("/sys/module/vhost_blk/srcversion", "11\n");
	finds("FAIL", "rmmod vhost_blk; modprobe vhost_blk",
	      "files: vhost_blk was upgraded and not reloaded");
	remove_file("/sys/module/acrn_hsm/initstate");
	finds("FAIL", "modprobe acrn_hsm;", "files: not loaded");
	remove_file("/sys/module/vhost_blk/initstate");
	MAKE("/run/vhost-blk.refused", "another vhost.h\n");
	finds("FAIL", "dkms build --force vhost-blk/7.8",
	      "files: vhost_blk does not fit vhost.ko");
	MAKE(MODULES "modules.dep", "updates/dkms/acrn_hsm.ko:\n"
				    "updates/dkms/acrn_vhost.ko:\n"
				    "updates/dkms/vhost_blk.ko:\n");
	finds("note", "CONFIG_VHOST_NET=m", "files: no vhost_net");
}

/* One that has no ring for asynchronous doorbells */
static void make_vm(void)
{
	char path[64];

	MAKE("/sys/class/misc/acrn_hsm/vm3/pid", "99\n");
	MAKE("/sys/class/misc/acrn_hsm/vm3/vcpus", "1\n");
	MAKE("/sys/class/misc/acrn_hsm/vm3/async_ring", "0\n");
	MAKE("/sys/class/misc/acrn_hsm/vm3/state", "running\n");
	for (int i = 0; i < VM_COUNTERS; i++) {
		snprintf(path, sizeof(path), "/sys/class/misc/acrn_hsm/vm3/%s",
			 vm_counter_names[i]);
		MAKE(path, "0\n");
	}
}

static void test_other_files(void)
{
	static struct sample sample;

	MAKE("/proc/cmdline", "quiet\n");
	finds("note", "init_on_alloc=1", "files: memory is not zeroed");
	MAKE("/proc/cmdline", "quiet\n");
	MAKE("/boot/config-" RELEASE, "CONFIG_ACRN_GUEST=y\n"
				      "CONFIG_INIT_ON_ALLOC_DEFAULT_ON=y\n");
	finds_nothing("files: memory is zeroed unless the kernel is told");
	MAKE("/proc/cmdline", "quiet init_on_alloc=0\n");
	MAKE("/boot/config-" RELEASE, "CONFIG_ACRN_GUEST=y\n"
				      "CONFIG_INIT_ON_ALLOC_DEFAULT_ON=y\n");
	finds("note", "init_on_alloc=1", "files: the kernel is told");
	remove_file("/dev/acrn_hsm");
	finds("FAIL", "no /dev/acrn_hsm", "files: no device");
	MAKE(PARAMETERS "async", "off\n");
	finds("note", "echo auto", "files: asynchronous doorbells are off");
	make_vm();
	finds("note", "1 of 1 VMs", "files: the hypervisor has none");
	make_vm();
	remove_file("/sys/class/misc/acrn_hsm/vm3/requests_polled");
	sample_take(&sample, false);
	tap_ok(sample.vm_count == 1,
	       "files: a VM is there though its HSM lacks a counter");
}

static void test_files(void)
{
	if (!mkdtemp(folder))
		exit(1);
	files_set_root(folder);
	make_machine();
	finds_nothing("files: all is well");
	test_kernel_files();
	test_signature_files();
	test_module_files();
	test_other_files();
	remove_machine();
	rmdir(folder);
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
	test_files();
	return tap_done();
}
