#!/bin/sh
# The same Debian, booted after the packages were purged: the in-tree HSM works as before.
#
# Arguments: physical CPU of the User VM.
# shellcheck source=../system/lib.sh
. ./lib.sh
. ./units.sh

cpu=$1
disk=/home/member/disk

in_tree_loaded() {
	grep "^acrn " /proc/modules && ! grep -E "^(acrn_|vhost_blk)" /proc/modules
}

nothing_left() {
	for name in acrn_hsm acrn_vhost vhost_blk; do
		! modinfo -n $name || return
	done
	! command -v acrn-vhost && [ ! -e /dev/vhost-blk ]
}

node_for_root() {
	[ "$(stat -c '%U %a' /dev/acrn_hsm | tee /dev/stderr)" = "root 600" ]
}

reads() {
	guest 1 "dd if=/dev/vda of=/dev/null bs=4k count=50 iflag=direct"
}

check "systemd has come to its target and no unit failed" units_well
check "the in-tree HSM is loaded" in_tree_loaded
check "nothing of the packages is left" nothing_left
check "the device is root's" node_for_root
check "tap device" make_tap 1
start_vm 1 "$cpu" --net tap=tap1,vhost=on --blk path=$disk,backend=uring
if check "a User VM comes to its prompt" vm_ready 1; then
	check "it answers over the network" ping_vm 1
	check "it reads its disk" reads
	check "it powers off" stop_vm 1
fi
finish
