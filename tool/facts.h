/* SPDX-License-Identifier: GPL-2.0 */
/* What the command check has to know of the machine. */
#ifndef TOOL_FACTS_H
#define TOOL_FACTS_H

#include <stdbool.h>

#include "config.h"
#include "module.h"

/**
 * struct facts - The machine, as far as our modules depend on it
 * @acrn:	It is a VM of ACRN
 * @service_vm:	It is ACRN's Service VM
 * @release:	Release of the kernel that runs
 * @acrn_guest:	The kernel has CONFIG_ACRN_GUEST
 * @signatures:	The kernel takes signed modules alone
 * @lockdown:	It does so because of lockdown
 * @owner_keys:	The kernel can have keys that the machine's owner has enrolled
 * @in_tree:	The in-tree HSM, acrn.ko
 * @hsm:	acrn_hsm.ko
 * @vhost:	acrn_vhost.ko
 * @blk:	vhost_blk.ko
 * @blk_refused: Why modprobe did not load it; empty where it did not refuse
 * @sources:	The sources of acrn-vhost-dkms are installed
 * @headers:	The directory to build modules in for @release is there
 * @vhost_net:	The kernel has vhost-net
 * @vhost_net_allowed: Whoever runs this program may open /dev/vhost-net, if it
 *			is there
 * @init_on_alloc: Memory is zeroed when the kernel allocates it
 * @realtime:	The kernel is a PREEMPT_RT one
 * @node:	/dev/acrn_hsm is there
 * @node_allowed: Whoever runs this program may open /dev/acrn_hsm
 * @async:	Parameter "async" of acrn_hsm; empty when it cannot be read
 * @vms:	Number of User VMs
 * @vms_without_ring: Number of those that have no asynchronous doorbells
 */
struct facts {
	bool acrn;
	bool service_vm;
	char release[80];
	enum answer acrn_guest;
	bool signatures;
	bool lockdown;
	enum answer owner_keys;
	struct module in_tree;
	struct module hsm;
	struct module vhost;
	struct module blk;
	char blk_refused[200];
	bool sources;
	bool headers;
	bool vhost_net;
	bool vhost_net_allowed;
	enum answer init_on_alloc;
	bool realtime;
	bool node;
	bool node_allowed;
	char async[8];
	unsigned int vms;
	unsigned int vms_without_ring;
};

void facts_gather(struct facts *facts);

#endif /* TOOL_FACTS_H */
