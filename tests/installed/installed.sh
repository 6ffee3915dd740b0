#!/bin/sh
# A Debian that has booted with the packages: what systemd, udev and modprobe made of them,
# and a User VM run by a member of the group acrn. At the end the packages are purged.
#
# Arguments: physical CPU of the User VM.
# shellcheck source=../system/lib.sh
. ./lib.sh
. ./units.sh

cpu=$1
member="setpriv --reuid member --regid member --init-groups"
disk=/home/member/disk

# shellcheck disable=SC2086 # the command is a list of words
as_member() {
	$member "$@"
}

# The service and the softdep load ours, the blacklist keeps the in-tree HSM out.
modules_loaded() {
	systemctl is-active acrn-vhost.service && loaded acrn_hsm && loaded acrn_vhost &&
		loaded vhost_net && loaded vhost_blk && ! loaded acrn
}

nodes_for_group() {
	stat -c '%n %G %a' /dev/acrn_hsm /dev/vhost-blk | tee /run/shown
	printf '%s acrn 660\n' /dev/acrn_hsm /dev/vhost-blk | cmp - /run/shown
}

# acrn-vhost check has nothing to say: each line is "ok"
is_green() {
	as_member acrn-vhost check > /run/shown
	status=$?
	cat /run/shown
	[ $status = 0 ] && grep -q "^ok " /run/shown && ! grep -v "^ok " /run/shown
}

# Become a member of the groups that acrn-vhost check names, the HSM's and vhost-net's
join_groups() {
	as_member acrn-vhost check | tee /run/shown
	sed -n 's/.*as root: \(adduser\) YOU \([a-z]*\);.*/\1 member \2/p' /run/shown > /run/advice
	cat /run/advice
	[ "$(wc -l < /run/advice)" = 2 ] && sh -e /run/advice
}

# This kernel has no BTF to hold vhost_blk against, as Debian's own has in without_acrn.sh.
comparison_tried() {
	journalctl --boot --no-pager --unit acrn-vhost.service | tee /run/shown
	grep -q "vhost_blk: this kernel has no BTF of vhost.ko" /run/shown
}

# On 6.12 a tap device without an owner is root's alone.
prepare() {
	make_tap 1 "$(id -u member)" && as_member truncate -s 64M $disk
}

reads() {
	guest 1 "dd if=/dev/vda of=/dev/null bs=4k count=200 iflag=direct"
}

pings() {
	ping -c 20 -i 0.1 -W 5 10.0.1.2
}

listed() {
	as_member acrn-vhost list | tee /run/shown
	grep -Eq "^ *[0-9]+ vm1 +running +1 yes +$(vm_pid 1) vhost-dm +file$" /run/shown
}

# Doorbells in the ring or in the upcall, MSIs, and the reads of the disk
accelerated() {
	as_member acrn-vhost stat -1 | tee /run/shown
	awk '$2 == "vm1" { doorbells = $4 + $5; msis = $8 }
		$3 == "file" { reads = $4 }
		END { exit !(doorbells >= 40 && msis >= 40 && reads >= 200) }' /run/shown
}

purge() {
	apt-get purge -y acrn-vhost acrn-vhost-dkms vhost-blk-dkms
}

check "systemd has come to its target and no unit failed" units_well
check "the modules are loaded, the in-tree HSM is not" modules_loaded
check "modprobe has asked for BTF of vhost.ko" comparison_tried
check "the devices are the group's" nodes_for_group
check "acrn-vhost check: which groups a user lacks" join_groups
check "acrn-vhost check: all is well for a member of them" is_green
check "a network, and a disk that is the user's" prepare
vhost_dm="$member vhost-dm"
start_vm 1 "$cpu" --net tap=tap1,vhost=on --blk path=$disk --stats /home/member/vm1.stats
if check "the User VM comes to its prompt" vm_ready 1; then
	check "it answers over the network" pings
	check "it reads its disk" reads
	check "acrn-vhost list: the VM and its disk" listed
	check "acrn-vhost stat: doorbells and requests, in the kernel" accelerated
	check "it powers off" stop_vm 1
	check "no doorbell reached the device model" \
		grep -q '"doorbells_to_dm": 0,' /home/member/vm1.stats
fi
check "the packages are purged" purge
finish
