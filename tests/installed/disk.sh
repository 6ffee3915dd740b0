#!/bin/bash
# Make a disk with a Debian that boots as the Service VM, and without ACRN: a kernel with
# ACRN_GUEST and the modules of Debian's own, the packages, and the user "member"; for the
# checks the scripts of this folder, the device model, kernel and initramfs of a User VM,
# and a vhost_blk that does not fit Debian's own kernel.
#
# Usage: disk.sh FOLDER ROOT CACHE PACKAGES KDIR PACKAGED USER_KERNEL USER_INITRAMFS
#
# Run as root in a mount namespace of its own. The disk is FOLDER/disk. ROOT is a root file
# system, which is not changed, CACHE the folder with KDIR and its source, PACKAGED what
# the package of Debian's own kernel has in it, or empty: then that is left out.
set -euo pipefail
work=$1
base=$2
cache=$3
packages=$4
kdir=$5
packaged=$6
user_kernel=$7
user_initramfs=$8
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../packages/root.sh
. "$top/tests/packages/root.sh"

# Add the modules of Debian's own kernel, whose headers are there, and the source of its
# version, where DKMS finds vhost.h.
add_packaged_kernel() {
	local release
	release=$(debian_release)
	cp -r "$packaged/lib/modules/$release" "$modules"
	cp "$packaged/boot/config-$release" "$root/boot"
	ln -s "$linux" "$root/usr/src/linux-headers-$release/source"
	depmod -b "$root" "$release"
}

# vhost_blk for Debian's own kernel, built with the header of another
add_other_module() {
	other_header "$linux"
	build_blk /tmp/other
	install -D -m 644 -t "$root/tests/other" "$root/tmp/blk/vhost_blk.ko"
	rm -r "$root/tmp/blk" "$root/tmp/other"
}

# As on a machine where the in-tree HSM was in use: it is to be loaded at boot
ask_for_in_tree() {
	echo acrn > "$root/etc/modules-load.d/hsm.conf"
}

# The tests' kernels are built for small machines, and refuse this setting of systemd's.
keep_process_ids() {
	ln -s /dev/null "$root/etc/sysctl.d/50-pid-max.conf"
}

# What tests/system/lib.sh needs, and this Debian lacks, are programs of busybox.
add_programs() {
	local name
	install -D -t "$root/usr/local/bin" /bin/busybox
	install -s -t "$root/usr/local/bin" "$top/build/dm/vhost-dm"
	for name in ip ping tunctl usleep; do
		ln -s busybox "$root/usr/local/bin/$name"
	done
}

add_checks() {
	local units=$root/etc/systemd/system
	install -D -t "$root/tests" "$top"/tests/installed/{run,units,without_acrn,installed,purged}.sh
	install -s -t "$root/tests" "$top/build/tests/service-vm/tap_device"
	install -m 644 -t "$root/tests" "$top"/tests/system/{lib.sh,tap.sh,trouble}
	install -D "$user_kernel" "$root/images/bzImage"
	install "$user_initramfs" "$root/images/user-vm.cpio.lz4"
	install -m 644 -t "$units" "$top/tests/installed/checks.service"
	ln -s ../checks.service "$units/multi-user.target.wants"
}

linux=$(realpath "$kdir/source")
mount_root
trap remove_root EXIT
mount_at "$packages" /packages
add_kernel "$kdir"
[ -z "$packaged" ] || add_packaged_kernel
ask_for_in_tree
keep_process_ids
install_packages /packages
in_root systemd-machine-id-setup
in_root adduser --quiet --disabled-password --gecos "" member
add_programs
add_checks
[ -z "$packaged" ] || add_other_module
umount "$root/packages" "$root$cache" "$root/proc"
mke2fs -q -t ext4 -d "$root" "$work/disk" 2G
# For QEMU, which is not run as root
chmod a+w "$work/disk"
