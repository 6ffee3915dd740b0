#!/bin/sh
# The same Debian with its own kernel, as packaged, on a machine that does not run on ACRN:
# vhost_blk works there, the HSM does not. This kernel has BTF, so that modprobe can
# compare the structures of vhost_blk.ko with those of the vhost.ko that runs.
# shellcheck source=../system/lib.sh
. ./lib.sh
. ./units.sh

packaged_kernel() {
	uname -r | grep -e -cloud-
}

built_by_dkms() {
	modinfo -n vhost_blk | grep /updates/dkms/ || return
	for name in acrn_hsm acrn_vhost; do
		! modinfo -n $name || return
	done
}

# The service sees that this is not ACRN
nothing_loaded() {
	! systemctl is-active acrn-vhost.service && ! grep -E "^(acrn|vhost)" /proc/modules &&
		[ ! -e /dev/acrn_hsm ]
}

loads_in_silence() {
	modprobe vhost_blk > /run/shown 2>&1
	status=$?
	cat /run/shown
	[ $status = 0 ] && [ ! -s /run/shown ] && loaded vhost_blk
}

node_for_group() {
	udevadm settle
	[ "$(stat -c '%G %a' /dev/vhost-blk | tee /dev/stderr)" = "acrn 660" ]
}

# finds_wrong NAME...: acrn-vhost check finds these things wrong and no others
finds_wrong() {
	acrn-vhost check > /run/shown
	status=$?
	cat /run/shown
	[ $status = 1 ] && [ "$(grep ^FAIL /run/shown | cut -c 6-20 | xargs)" = "$*" ]
}

# shown NAME SENTENCE: what acrn-vhost check has said of it
shown() {
	grep -E "^.{5}$1 +$2\$" /run/shown
}

lacks_acrn() {
	finds_wrong hypervisor kernel acrn_hsm acrn_vhost device &&
		shown hypervisor "this machine does not run on ACRN" &&
		shown kernel "$(uname -r) was built without CONFIG_ACRN_GUEST" &&
		shown acrn_hsm "acrn_hsm.ko is not installed for $(uname -r)" &&
		shown vhost_blk "vhost_blk [0-9.]+ is loaded"
}

# Install tests/other/vhost_blk.ko of disk.sh, which was built with another header
exchange() {
	own=$(modinfo -n vhost_blk)
	rmmod vhost_blk && mv "$own" /run && cp other/vhost_blk.ko "${own%/*}" && depmod
}

# The other one has a larger structure, see other_header of tests/packages/root.sh.
sentence="vhost_blk was built with another drivers/vhost/vhost.h than vhost.ko: "
sentence="${sentence}vhost_virtqueue has [0-9]+ bytes, not [0-9]+"

refused() {
	modprobe vhost_blk > /run/shown 2>&1
	status=$?
	cat /run/shown
	[ $status != 0 ] && grep -Ex "vhost_blk: not loaded\. $sentence" /run/shown &&
		! loaded vhost_blk && [ ! -e /dev/vhost-blk ]
}

why_refused() {
	finds_wrong hypervisor kernel acrn_hsm acrn_vhost vhost_blk device &&
		shown vhost_blk "$sentence"
}

put_back() {
	rm "${own%/*}/vhost_blk.ko" && mv "/run/${own##*/}" "$own" && depmod
}

check "it is Debian's own kernel" packaged_kernel
check "systemd has come to its target and no unit failed" units_well
check "DKMS has built vhost_blk for it, and not the HSM" built_by_dkms
check "no module was loaded" nothing_loaded
check "modprobe loads vhost_blk and says nothing" loads_in_silence
check "there was BTF of vhost.ko to compare with" [ -s /sys/kernel/btf/vhost ]
check "the device is the group's" node_for_group
check "acrn-vhost check: what is wrong is that there is no ACRN" lacks_acrn
check "a vhost_blk that was built with another header is installed" exchange
check "modprobe refuses it and says why" refused
check "acrn-vhost check says why" why_refused
check "the former one is installed again" put_back
check "modprobe loads it" loads_in_silence
check "acrn-vhost check does not speak of the other any more" lacks_acrn
finish
