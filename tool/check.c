// SPDX-License-Identifier: GPL-2.0
/*
 * The command check: one function for each thing that the modules need. Each
 * looks at the facts, says what it found and, if something is wrong, what to
 * type.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "check.h"

#define INSTALL_SOURCES "apt install ./build/deb/acrn-vhost-dkms_*.deb"
#define RELOAD_HSM	"rmmod acrn_vhost acrn_hsm; modprobe acrn_hsm"

enum verdict {
	GOOD,
	NOTE,
	BAD,
};

/**
 * struct report - What the user is told of one thing
 * @verdict:	GOOD; NOTE: it works, but less well than it could; BAD: it does
 *		not work
 * @what:	What was found
 * @way_out:	What to do; empty when that is nothing
 */
struct report {
	enum verdict verdict;
	char what[240];
	char way_out[400];
};

__attribute__((format(printf, 3, 4))) static void
say(struct report *report, enum verdict verdict, const char *fmt, ...)
{
	va_list args;

	report->verdict = verdict;
	va_start(args, fmt);
	vsnprintf(report->what, sizeof(report->what), fmt, args);
	va_end(args);
}

__attribute__((format(printf, 2, 3))) static void advise(struct report *report,
							 const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(report->way_out, sizeof(report->way_out), fmt, args);
	va_end(args);
}

static void check_hypervisor(const struct facts *facts, struct report *report)
{
	if (facts->service_vm) {
		say(report, GOOD, "this is the Service VM of ACRN");
	} else if (facts->acrn) {
		say(report, BAD,
		    "this VM runs on ACRN and is not its Service VM");
		advise(report, "run it in the Service VM");
	} else {
		say(report, BAD, "this machine does not run on ACRN");
		advise(report,
		       "boot it on ACRN; vhost_blk alone works elsewhere, too");
	}
}

static void check_kernel(const struct facts *facts, struct report *report)
{
	switch (facts->acrn_guest) {
	case NO:
		say(report, BAD, "%s was built without CONFIG_ACRN_GUEST",
		    facts->release);
		advise(report, "boot a 6.1 or 6.12 with CONFIG_ACRN_GUEST=y");
		break;
	case UNKNOWN:
		say(report, NOTE,
		    "whether %s has CONFIG_ACRN_GUEST is not known",
		    facts->release);
		advise(report, "grep CONFIG_ACRN_GUEST in its configuration");
		break;
	case YES:
		say(report, GOOD, "%s has CONFIG_ACRN_GUEST", facts->release);
		if (strncmp(facts->release, "6.1.", 4) &&
		    strncmp(facts->release, "6.12.", 5)) {
			report->verdict = NOTE;
			advise(report,
			       "6.1 and 6.12 are the kernels that the modules are tested with");
		}
	}
}

static void check_in_tree(const struct facts *facts, struct report *report)
{
	if (facts->in_tree.built_in) {
		say(report, BAD,
		    "the kernel's own HSM is built in and cannot be replaced");
		advise(report, "build the kernel with CONFIG_ACRN_HSM=m");
	} else if (facts->in_tree.loaded) {
		say(report, BAD,
		    "the kernel's own HSM is loaded, the module acrn");
		advise(report,
		       "end all User VMs, then: rmmod acrn && modprobe acrn_hsm");
	} else {
		say(report, GOOD, "the kernel's own HSM is not loaded");
	}
}

/* What to do for a module that the kernel may refuse for its signature. */
static void advise_to_sign(const struct facts *facts, struct report *report)
{
	if (facts->hsm.readable && facts->hsm.sign)
		advise(report, "if modprobe says 'Key was rejected': %s",
		       facts->owner_keys == NO
			       ? "sign it with the key that the kernel was built with"
			       : "mokutil --import the key's certificate");
	else if (facts->owner_keys == NO)
		advise(report,
		       "sign it with scripts/sign-file and the key that the kernel was built "
		       "with, as this kernel takes no keys of yours%s",
		       facts->lockdown
			       ? ""
			       : "; or build it without CONFIG_MODULE_SIG_FORCE");
	else
		advise(report,
		       "with DKMS: mokutil --import /var/lib/dkms/mok.pub, reboot, "
		       "dkms autoinstall (a kernel that is not Debian's has to have "
		       "CONFIG_INTEGRITY_MACHINE_KEYRING); else sign it with scripts/sign-file "
		       "of the kernel");
}

static void check_signatures(const struct facts *facts, struct report *report)
{
	if (!facts->signatures) {
		say(report, GOOD,
		    "the kernel takes modules without a signature");
	} else if (facts->hsm.loaded) {
		say(report, GOOD,
		    "the kernel wants signatures and has taken ours");
	} else if (facts->hsm.readable && !facts->hsm.sign) {
		say(report, BAD,
		    "the kernel takes signed modules alone, and acrn_hsm.ko is not");
		advise_to_sign(facts, report);
	} else {
		say(report, NOTE,
		    "the kernel takes modules alone that are signed by a key it knows");
		advise_to_sign(facts, report);
	}
}

/* What to do when a module is not there for the kernel that runs. */
static void advise_to_install(const struct facts *facts, struct report *report)
{
	if (facts->acrn_guest == NO)
		advise(report,
		       "it can be built for a kernel with CONFIG_ACRN_GUEST only");
	else if (!facts->headers)
		advise(report,
		       "install the headers that were built with this kernel (/lib/modules/%s/build), "
		       "then: %s -k %s, or make modules_install",
		       facts->release,
		       facts->sources ? "dkms autoinstall"
				      : INSTALL_SOURCES "; dkms autoinstall",
		       facts->release);
	else if (!facts->sources)
		advise(report, INSTALL_SOURCES
		       " in the checkout, or make modules_install");
	else
		advise(report,
		       "dkms autoinstall -k %s; if it builds nothing, its make.log says why",
		       facts->release);
}

/*
 * Check that a module is installed, is for this kernel, and is the one loaded;
 * @reload: what exchanges it.
 */
static void check_module(const struct facts *facts, const struct module *module,
			 const char *reload, struct report *report)
{
	const char *version =
		module->loaded ? module->loaded_version : module->version;

	if (!module->installed && !module->loaded) {
		say(report, BAD, "%s.ko is not installed for %s", module->name,
		    facts->release);
		advise_to_install(facts, report);
	} else if (module->installed && !module->readable) {
		say(report, BAD, "the file of %s cannot be read", module->name);
		advise(report,
		       "modinfo %s says why; build and install it again",
		       module->name);
	} else if (module->readable && strcmp(module->kernel, facts->release)) {
		say(report, BAD, "%s.ko was built for %s, not for %s",
		    module->name, module->kernel, facts->release);
		advise(report, "build it again for %s", facts->release);
	} else if (module->loaded && module->readable &&
		   strcmp(module->source, module->loaded_source)) {
		say(report, BAD,
		    "the %s that is loaded, %s, is not the one that is installed, %s",
		    module->name, module->loaded_version, module->version);
		advise(report, "end all User VMs, then: %s", reload);
	} else {
		say(report, GOOD, "%s %s is %s", module->name, version,
		    module->loaded ? "loaded" : "installed");
	}
}

static void check_hsm(const struct facts *facts, struct report *report)
{
	check_module(facts, &facts->hsm, RELOAD_HSM, report);
	if (report->verdict != GOOD || facts->hsm.loaded)
		return;
	say(report, BAD, "acrn_hsm is installed and not loaded");
	advise(report, "modprobe acrn_hsm; dmesg says why if it does not load");
}

/* It need not be loaded: the HSM does that when a device model asks for it. */
static void check_vhost(const struct facts *facts, struct report *report)
{
	check_module(facts, &facts->vhost, RELOAD_HSM, report);
	if (report->verdict == GOOD && facts->vhost.readable &&
	    facts->hsm.readable &&
	    strcmp(facts->vhost.version, facts->hsm.version)) {
		say(report, BAD, "acrn_vhost is %s, acrn_hsm is %s",
		    facts->vhost.version, facts->hsm.version);
		advise(report, "build and install both from the same sources");
	}
}

static void check_blk(const struct facts *facts, struct report *report)
{
	check_module(facts, &facts->blk, "rmmod vhost_blk; modprobe vhost_blk",
		     report);
	if (report->verdict == GOOD && *facts->blk_refused) {
		say(report, BAD, "%s", facts->blk_refused);
		advise(report,
		       "install the source that %s was built from, then: "
		       "dkms build --force vhost-blk/%s && dkms install --force vhost-blk/%s",
		       facts->release, facts->blk.version, facts->blk.version);
	}
	if (facts->blk.installed || facts->blk.loaded)
		return;
	report->verdict = NOTE;
	say(report, NOTE,
	    "vhost_blk.ko is not installed: disks stay in the device model");
	advise(report,
	       "apt install ./build/deb/vhost-blk-dkms_*.deb in the checkout; it needs "
	       "the full source of %s, or a link to it at /usr/src/linux-%s",
	       facts->release, facts->release);
}

/* The device's group is that of 50-udev-default.rules of Debian's udev. */
static void check_net(const struct facts *facts, struct report *report)
{
	if (!facts->vhost_net) {
		say(report, NOTE,
		    "the kernel has no vhost_net: networks stay in the device model");
		advise(report, "build the kernel with CONFIG_VHOST_NET=m");
	} else if (!facts->vhost_net_allowed) {
		say(report, NOTE,
		    "you may not open /dev/vhost-net: networks stay in the device model");
		advise(report, "as root: adduser YOU kvm; then log in again");
	} else {
		say(report, GOOD, "the kernel has vhost_net");
	}
}

/*
 * See README: vhost_net_build_xdp() of 6.1 looks into a header that nobody has
 * written.
 */
static void check_headers(const struct facts *facts, struct report *report)
{
	if (strncmp(facts->release, "6.1.", 4) || facts->init_on_alloc == YES) {
		say(report, GOOD,
		    "nothing known against vhost_net with acrn-dm here");
		return;
	}
	say(report, NOTE, "vhost_net of 6.1 may pass no packet for acrn-dm");
	advise(report, "add init_on_alloc=1 to the kernel's command line; "
		       "vhost-dm and 6.12 do not need it");
}

static void check_node(const struct facts *facts, struct report *report)
{
	if (!facts->node) {
		say(report, BAD, "there is no /dev/acrn_hsm");
		advise(report, "modprobe acrn_hsm");
	} else if (!facts->node_allowed) {
		say(report, NOTE,
		    "you may not open /dev/acrn_hsm: no VMs of your own");
		advise(report, "as root: adduser YOU acrn; then log in again");
	} else {
		say(report, GOOD, "/dev/acrn_hsm is yours to open");
	}
}

static void check_async(const struct facts *facts, struct report *report)
{
	if (!strcmp(facts->async, "off")) {
		say(report, NOTE,
		    "asynchronous doorbells are off: guests wait for the interrupt");
		advise(report,
		       "on ACRN 3.2 and later, before a VM is started: "
		       "echo auto > /sys/module/acrn_hsm/parameters/async");
	} else if (facts->vms_without_ring) {
		say(report, NOTE, "%u of %u VMs have no asynchronous doorbells",
		    facts->vms_without_ring, facts->vms);
		advise(report,
		       "start them again if they are older than the setting; "
		       "else the hypervisor is older than ACRN 3.2");
	} else {
		say(report, GOOD, "asynchronous doorbells: %s",
		    *facts->async ? facts->async : "acrn_hsm is not loaded");
	}
}

static void check_realtime(const struct facts *facts, struct report *report)
{
	if (!facts->realtime) {
		say(report, GOOD,
		    "not PREEMPT_RT: they can be signalled in the interrupt");
		return;
	}
	say(report, NOTE, "on PREEMPT_RT doorbells are signalled by a thread");
	advise(report,
	       "asynchronous doorbells do not make the guest wait for it");
}

static const struct check {
	const char *about;
	void (*check)(const struct facts *facts, struct report *report);
} checks[] = {
	{ "hypervisor", check_hypervisor },  { "kernel", check_kernel },
	{ "in-tree HSM", check_in_tree },    { "signatures", check_signatures },
	{ "acrn_hsm", check_hsm },	     { "acrn_vhost", check_vhost },
	{ "vhost_blk", check_blk },	     { "vhost_net", check_net },
	{ "acrn-dm, vhost", check_headers }, { "device", check_node },
	{ "doorbells", check_realtime },     { "asynchronous", check_async },
};

/**
 * check_facts() - Print a line for each thing that was checked
 * @facts:	Facts about the machine
 * @to:		Where to print
 *
 * Return: number of things that do not work
 */
unsigned int check_facts(const struct facts *facts, FILE *to)
{
	static const char *const verdicts[] = { "ok", "note", "FAIL" };
	unsigned int bad = 0;

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		struct report report = { .way_out = "" };

		checks[i].check(facts, &report);
		fprintf(to, "%-5s%-15s %s\n", verdicts[report.verdict],
			checks[i].about, report.what);
		if (report.verdict != GOOD)
			fprintf(to, "%21s%s\n", "-> ", report.way_out);
		bad += report.verdict == BAD;
	}
	return bad;
}

/* acrn-vhost check. Returns the exit status. */
int check_main(int argc, char **argv)
{
	struct facts facts;
	unsigned int bad;

	(void)argc;
	(void)argv;
	facts_gather(&facts);
	bad = check_facts(&facts, stdout);
	if (bad)
		printf("\n%u of these things stand in the way.\n", bad);
	return !!bad;
}
