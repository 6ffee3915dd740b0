// sources: tool/check.c tool/facts.c tool/config.c tool/module.c tool/files.c tool/sample.c tool/process.c -lkmod -lz
// SPDX-License-Identifier: GPL-2.0
/*
 * acrn-vhost check: each fault that it can find is provoked; first in what it
 * knows of the machine, and then, where it learns of it from files, in the
 * files of a made-up machine. The modules there are ELF files from the
 * assembler, with an index by depmod.
 */
#include "check.h"
#include "files.h"
#include "sample.h"
#include "tap.h"

#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASE "6.1.9-test"

/* The machine that is looked at, and beside it one where all is well */
static char folder[] = "/tmp/check-XXXXXX";
static char machine[sizeof(folder) + sizeof("/machine")];

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
			       .sources = true,
			       .headers = true,
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
	       f.in_tree.built_in = true);
	EXPECT("FAIL", "rmmod acrn &&", "the in-tree HSM is loaded",
	       f.in_tree.loaded = true);
}

/* No package brings a module for a kernel that cannot have it. */
static void test_kernel_without_acrn(void)
{
	struct facts facts = all_is_well();
	const char *text;
	unsigned int bad;

	facts.acrn_guest = NO;
	facts.hsm = (struct module){ .name = "acrn_hsm" };
	text = text_of(&facts, &bad);
	tap_ok(bad == 2 && strstr(text, "with CONFIG_ACRN_GUEST only") &&
		       !strstr(text, "dkms"),
	       "not installed for a kernel that knows no ACRN");
}

static void test_modules(void)
{
	EXPECT("FAIL", "acrn_vhost.ko is not installed", "not installed",
	       f.vhost = (struct module){ .name = "acrn_vhost" });
	EXPECT("FAIL", "install the headers", "nor are headers",
	       f.vhost = (struct module){ .name = "acrn_vhost" };
	       f.headers = false);
	EXPECT("FAIL", "install the headers", "nor are headers and sources",
	       f.vhost = (struct module){ .name = "acrn_vhost" };
	       f.headers = f.sources = false);
	EXPECT("FAIL", "acrn-vhost-dkms_*.deb; dkms autoinstall",
	       "with which to begin",
	       f.vhost = (struct module){ .name = "acrn_vhost" };
	       f.headers = f.sources = false);
	EXPECT("FAIL", "acrn-vhost-dkms_*.deb", "nor are sources",
	       f.vhost = (struct module){ .name = "acrn_vhost" };
	       f.sources = false);
	EXPECT("FAIL", "dkms autoinstall -k " RELEASE, "only not built",
	       f.vhost = (struct module){ .name = "acrn_vhost" });
	EXPECT("FAIL", "acrn_hsm cannot be read", "not readable",
	       f.hsm.readable = false);
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
	f.owner_keys = NO;
	text = text_of(&f, &bad);
	tap_ok(strstr(text, "CONFIG_MODULE_SIG_FORCE") &&
		       !strstr(text, "mokutil") && bad == 2,
	       "signatures: there is none, and the owner has no keys");
	f.lockdown = true;
	text = text_of(&f, &bad);
	tap_ok(strstr(text, "no keys of yours") &&
		       !strstr(text, "CONFIG_MODULE_SIG_FORCE") && bad == 2,
	       "signatures: the same because of lockdown");
	f.hsm.sign = true;
	text = text_of(&f, &bad);
	tap_ok(strstr(text, "Key was rejected") && !strstr(text, "mokutil") &&
		       bad == 1,
	       "signatures: one that may do, and the owner has no keys");
	f.lockdown = false;
	f.owner_keys = YES;
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

/* Write to a file of the machine. */
static void put(const char *name, const char *mode, const void *data,
		size_t len)
{
	char path[PATH_MAX];
	FILE *file;

	files_path(path, "%s", name);
	make_folders(path);
	file = fopen(path, mode);
	if (!file || fwrite(data, 1, len, file) != len)
		exit(1);
	fclose(file);
}

static void make(const char *name, const char *text)
{
	put(name, "w", text, strlen(text));
}

#define MODULES	   "/lib/modules/" RELEASE "/"
#define DKMS	   MODULES "updates/dkms/"
#define VHOST_NET  MODULES "kernel/drivers/vhost/vhost_net.ko"
#define PARAMETERS "/sys/module/acrn_hsm/parameters/"

static void remove_file(const char *name)
{
	char path[PATH_MAX];

	files_path(path, "%s", name);
	if (unlink(path))
		exit(1);
}

/* Run a shell command in the folder of the machine. */
__attribute__((format(printf, 1, 2))) static void run(const char *fmt, ...)
{
	char command[1024];
	va_list args;
	int len;

	len = snprintf(command, sizeof(command), "cd %s && ", machine);
	va_start(args, fmt);
	vsnprintf(command + len, sizeof(command) - len, fmt, args);
	va_end(args);
	if (system(command))
		exit(1);
}

static void make_module(const char *name, const char *version,
			const char *source, const char *kernel)
{
	make(name, "");
	run("printf '.section .modinfo\n.asciz \"version=%s\", \"srcversion=%s\", "
	    "\"vermagic=%s SMP mod_unload \"\n' | as -o .%s",
	    version, source, kernel, name);
}

/* Make the indexes, which libkmod reads, of the modules that are there. */
static void index_modules(void)
{
	run("/sbin/depmod -b . %s", RELEASE);
}

static void make_modules(void)
{
	make(MODULES "modules.order", "");
	make(MODULES "modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	make(MODULES "modules.builtin.modinfo", "");
	make_module(DKMS "acrn_hsm.ko", "7.8", "12", RELEASE);
	make_module(DKMS "acrn_vhost.ko", "7.8", "34", RELEASE);
	make_module(DKMS "vhost_blk.ko", "7.8", "56", RELEASE);
	make_module(VHOST_NET, "0.0.1", "78", RELEASE);
	index_modules();
}

/*
 * Sign acrn_hsm.ko as the kernel's scripts/sign-file does. Behind a signature
 * are its type and its length, in big endian, as struct module_signature has
 * them, and a mark.
 */
static void sign_hsm(void)
{
	static const char mark[] = "~Module signature appended~\n";
	uint8_t about[12] = { [2] = 2 /* PKCS#7 */ };
	char signature[1024];
	size_t len;

	run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
	    "-nodes -subj /CN=test -keyout key -out certificate 2> log");
	run("openssl smime -sign -binary -noattr -nocerts -outform DER "
	    "-signer certificate -inkey key -in .%sacrn_hsm.ko -out signature",
	    DKMS);
	len = files_read(signature, sizeof(signature), "/signature");
	about[10] = len >> 8;
	about[11] = len;
	put(DKMS "acrn_hsm.ko", "a", signature, len);
	put(DKMS "acrn_hsm.ko", "a", about, sizeof(about));
	put(DKMS "acrn_hsm.ko", "a", mark, strlen(mark));
}

/* Compress the modules that DKMS has installed. */
static void compress_modules(void)
{
	run("xz --check=crc32 .%s*.ko", DKMS);
	index_modules();
}

static void load_modules(void)
{
	make("/sys/module/acrn_hsm/initstate", "live\n");
	make("/sys/module/acrn_hsm/version", "7.8\n");
	make("/sys/module/acrn_hsm/srcversion", "12\n");
	make(PARAMETERS "async", "auto\n");
	make("/sys/module/vhost_blk/initstate", "live\n");
	make("/sys/module/vhost_blk/version", "7.8\n");
	make("/sys/module/vhost_blk/srcversion", "56\n");
	make("/dev/acrn_hsm", "");
}

/* Make a machine where all is well. */
static void make_machine(void)
{
	make("/proc/sys/kernel/osrelease", RELEASE "\n");
	make("/proc/cmdline", "quiet init_on_alloc=1\n");
	make("/boot/config-" RELEASE,
	     "CONFIG_ACRN_GUEST=y\nCONFIG_INTEGRITY_PLATFORM_KEYRING=y\n");
	make_modules();
	load_modules();
	run("cp -a . ../well");
}

/* Make the machine again what it was. */
static void restore_machine(void)
{
	run("rm -r ./* && cp -a ../well/. .");
}

/* What the files say; the processor is said to be one of ACRN's Service VM. */
static struct facts gather(void)
{
	struct facts facts;

	facts_gather(&facts);
	facts.acrn = facts.service_vm = true;
	return facts;
}

/* As expect(), of the machine, which is restored. */
static void finds(const char *verdict, const char *wanted, const char *name)
{
	struct facts facts = gather();

	expect(&facts, verdict, wanted, name);
	restore_machine();
}

/* Check that nothing is wrong with the machine, and restore it. */
static void finds_nothing(const char *name)
{
	struct facts facts = gather();
	unsigned int bad;
	const char *text = text_of(&facts, &bad);

	if (!tap_ok(!strstr(text, "-> ") && !bad, "%s", name))
		printf("# %s", text);
	restore_machine();
}

static void test_kernel_files(void)
{
	make("/boot/config-" RELEASE, "# CONFIG_ACRN_GUEST is not set\n");
	finds("FAIL", "CONFIG_ACRN_GUEST=y", "files: no CONFIG_ACRN_GUEST");
	remove_file("/boot/config-" RELEASE);
	finds("note", "grep CONFIG_ACRN_GUEST", "files: no configuration");
	remove_file("/boot/config-" RELEASE);
	make(MODULES "config", "CONFIG_ACRN_GUEST=y\n");
	finds_nothing("files: the configuration beside the modules");
	remove_file("/boot/config-" RELEASE);
	make(MODULES "build/.config", "CONFIG_ACRN_GUEST=y\n");
	finds_nothing("files: the configuration of the build");
	remove_file("/boot/config-" RELEASE);
	run("echo CONFIG_ACRN_GUEST=y | gzip > ./proc/config.gz");
	finds_nothing("files: the configuration that the kernel tells");
	tap_ok(gather().owner_keys == YES, "files: the owner has keys");
	make("/boot/config-" RELEASE, "CONFIG_ACRN_GUEST=y\n");
	tap_ok(gather().owner_keys == NO, "files: the owner has no keys");
	restore_machine();
	make(MODULES "modules.builtin", "kernel/drivers/virt/acrn/acrn.ko\n");
	index_modules();
	finds("FAIL", "CONFIG_ACRN_HSM=m", "files: a built-in HSM");
	make("/sys/module/acrn/initstate", "live\n");
	finds("FAIL", "rmmod acrn &&", "files: the in-tree HSM is loaded");
	make("/sys/kernel/realtime", "1\n");
	finds("note", "PREEMPT_RT", "files: a real-time kernel");
}

static void test_files_to_build(void)
{
	struct facts facts = gather();

	tap_ok(!facts.sources && !facts.headers,
	       "files: neither sources nor headers");
	make("/usr/src/acrn-vhost-7.8/Kbuild", "");
	make(MODULES "build/Makefile", "");
	facts = gather();
	tap_ok(facts.sources && facts.headers, "files: sources and headers");
	restore_machine();
}

/* Check what is said of signatures, with so many lines that begin with FAIL. */
static void says(const char *wanted, unsigned int faults, const char *about,
		 const char *name)
{
	struct facts facts = gather();
	unsigned int bad;
	const char *text = text_of(&facts, &bad);

	if (!tap_ok(strstr(text, wanted) && bad == faults, "%s, %s", about,
		    name))
		printf("# %s", text);
}

/* Check that the kernel wants signatures, and restore the machine. */
static void finds_signatures(const char *about)
{
	says("has taken ours", 0, about, "of which ours was taken");
	remove_file("/sys/module/acrn_hsm/initstate");
	says("sign-file", 2, about, "and ours has none");
	sign_hsm();
	says("Key was rejected", 1, about, "and ours has one");
	restore_machine();
}

static void test_signature_files(void)
{
	make("/sys/module/module/parameters/sig_enforce", "Y\n");
	finds_signatures("files: signatures are wanted");
	make("/sys/kernel/security/lockdown",
	     "none [integrity] confidentiality\n");
	finds_signatures("files: integrity");
	make("/sys/kernel/security/lockdown",
	     "none integrity [confidentiality]\n");
	finds_signatures("files: confidentiality");
	make("/sys/module/module/parameters/sig_enforce", "N\n");
	make("/sys/kernel/security/lockdown",
	     "[none] integrity confidentiality\n");
	finds_nothing("files: none are wanted");
}

static void test_module_files(void)
{
	remove_file(DKMS "acrn_vhost.ko");
	index_modules();
	finds("FAIL", "acrn_vhost.ko is not installed", "files: not installed");
	remove_file(DKMS "acrn_vhost.ko");
	finds("FAIL", "acrn_vhost cannot be read",
	      "files: removed, and the index is older");
	make_module(DKMS "acrn_vhost.ko", "7.8", "34", "6.1.1");
	finds("FAIL", "built for 6.1.1", "files: built for another kernel");
	make_module(DKMS "acrn_vhost.ko", "7.9", "34", RELEASE);
	finds("FAIL", "acrn_vhost is 7.9, acrn_hsm is 7.8",
	      "files: of different versions");
	make("/sys/module/acrn_hsm/srcversion", "11\n");
	finds("FAIL", "rmmod acrn_vhost acrn_hsm; modprobe acrn_hsm",
	      "files: acrn_hsm was upgraded and not reloaded");
	make("/sys/module/vhost_blk/srcversion", "11\n");
	finds("FAIL", "rmmod vhost_blk; modprobe vhost_blk",
	      "files: vhost_blk was upgraded and not reloaded");
	remove_file("/sys/module/acrn_hsm/initstate");
	finds("FAIL", "modprobe acrn_hsm;", "files: not loaded");
	remove_file("/sys/module/vhost_blk/initstate");
	make("/run/vhost-blk.refused", "another vhost.h\n");
	finds("FAIL", "dkms build --force vhost-blk/7.8",
	      "files: vhost_blk does not fit vhost.ko");
}

static void test_compressed_files(void)
{
	compress_modules();
	finds_nothing("files: compressed modules");
	compress_modules();
	make("/sys/module/acrn_hsm/srcversion", "11\n");
	finds("FAIL", "rmmod acrn_vhost acrn_hsm; modprobe acrn_hsm",
	      "files: a compressed acrn_hsm was upgraded and not reloaded");
	make_module(DKMS "acrn_vhost.ko", "7.8", "34", "6.1.1");
	compress_modules();
	finds("FAIL", "built for 6.1.1",
	      "files: a compressed one was built for another kernel");
	make("/sys/module/module/parameters/sig_enforce", "Y\n");
	remove_file("/sys/module/acrn_hsm/initstate");
	sign_hsm();
	compress_modules();
	says("Key was rejected", 1, "files: signatures are wanted",
	     "and ours is compressed and has one");
	restore_machine();
}

static void test_vhost_net_files(void)
{
	remove_file(VHOST_NET);
	index_modules();
	finds("note", "CONFIG_VHOST_NET=m", "files: no vhost_net");
	remove_file(VHOST_NET);
	make(MODULES "modules.builtin", "kernel/drivers/vhost/vhost_net.ko\n");
	index_modules();
	finds_nothing("files: vhost_net is built in");
	remove_file(VHOST_NET);
	index_modules();
	make("/sys/module/vhost_net/version", "0.0.1\n");
	finds_nothing("files: vhost_net is built in and not indexed");
}

/* One that has no ring for asynchronous doorbells */
static void make_vm(void)
{
	char path[64];

	make("/sys/class/misc/acrn_hsm/vm3/pid", "99\n");
	make("/sys/class/misc/acrn_hsm/vm3/vcpus", "1\n");
	make("/sys/class/misc/acrn_hsm/vm3/async_ring", "0\n");
	make("/sys/class/misc/acrn_hsm/vm3/state", "running\n");
	for (int i = 0; i < VM_COUNTERS; i++) {
		snprintf(path, sizeof(path), "/sys/class/misc/acrn_hsm/vm3/%s",
			 vm_counter_names[i]);
		make(path, "0\n");
	}
}

static void test_other_files(void)
{
	static struct sample sample;

	make("/proc/cmdline", "quiet\n");
	finds("note", "init_on_alloc=1", "files: memory is not zeroed");
	make("/proc/cmdline", "quiet\n");
	make("/boot/config-" RELEASE, "CONFIG_ACRN_GUEST=y\n"
				      "CONFIG_INIT_ON_ALLOC_DEFAULT_ON=y\n");
	finds_nothing("files: memory is zeroed unless the kernel is told");
	make("/proc/cmdline", "quiet init_on_alloc=0\n");
	make("/boot/config-" RELEASE, "CONFIG_ACRN_GUEST=y\n"
				      "CONFIG_INIT_ON_ALLOC_DEFAULT_ON=y\n");
	finds("note", "init_on_alloc=1", "files: the kernel is told");
	remove_file("/dev/acrn_hsm");
	finds("FAIL", "no /dev/acrn_hsm", "files: no device");
	make(PARAMETERS "async", "off\n");
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
	snprintf(machine, sizeof(machine), "%s/machine", folder);
	mkdir(machine, 0755);
	files_set_root(machine);
	make_machine();
	finds_nothing("files: all is well");
	test_kernel_files();
	test_files_to_build();
	test_signature_files();
	test_module_files();
	test_vhost_net_files();
	test_compressed_files();
	test_other_files();
	run("rm -r %s", folder);
}

int main(void)
{
	struct facts facts = all_is_well();
	unsigned int bad;

	tap_ok(!strstr(text_of(&facts, &bad), "-> ") && !bad,
	       "nothing to say when all is well");
	test_hypervisor();
	test_kernel_without_acrn();
	test_modules();
	test_signatures();
	test_less_than_could_be();
	test_files();
	return tap_done();
}
