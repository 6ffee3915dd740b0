#!/bin/bash
# Build the initramfs images of Service VM and User VMs. Programs are stripped, since
# each boot unpacks all of them.
#
# Usage: image.sh KDIR MODULES_DIR USER_KDIR OUT [EXTRA...]
#
#   OUT/user-vm.cpio.lz4	busybox, iperf3, ethtool, acrn-vhost, tests/guest, the
#			modules of vsock and tests/system/user-init
#   OUT/service-vm.cpio	the same programs, with another init, our modules and all of
#			the kernel's; the device model, the tests, vm-sample of
#			the kernel's samples; bench/on-machine.sh; and for User VMs
#			the kernel of USER_KDIR and the image above
#   OUT/service-vm-EXTRA.cpio	for each EXTRA, service-vm.cpio and what few tests need:
#		disk	programs that make and check file systems; and in /disk
#			the root file system for a User VM's disk, with fio, which
#			has 80 MB of libraries
#		distribution	in /images/distribution, the kernel of Debian's
#			package for User VMs, and an image with its modules
#		storage	both, with the programs of XFS on the disk, and with modules
#			for XFS and for vhost_blk in a User VM. vhost_blk itself is
#			there if KDIR is a kernel of the same version as the package.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
usage="usage: image.sh KDIR MODULES_DIR USER_KDIR OUT [EXTRA...]"
kdir=${1:?$usage}
modules=${2:?$usage}
user_kdir=${3:?$usage}
out=${4:?$usage}
build=$top/build

# Copy a program and the shared libraries that it needs.
add_program() {
	local root=$1 program file
	program=$(command -v "$2") || { echo "image.sh: no program $2" >&2; exit 1; }
	install -s -D -t "$root/bin" "$program"
	# ldd fails for a static program, which needs no libraries.
	{ ldd "$program" 2> /dev/null || true; } | grep -o '/[^ ]*' | while read -r file; do
		install -D "$file" "$root$file"
	done
}

new_root() {
	local root=$1
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,etc,lib/modules,proc,root,run,sbin,sys,tmp,var/run}
	install -D -t "$root/bin" /bin/busybox
	ln -s busybox "$root/bin/sh"
	ln -s ../bin/busybox "$root/sbin/modprobe"
	echo "root:x:0:0:root:/root:/bin/sh" > "$root/etc/passwd"
	add_program "$root" iperf3
	add_program "$root" ethtool
	# Programs that run in the Service VM as well as in User VMs
	add_program "$root" "$build/tool/acrn-vhost"
	[ ! -d "$build/tests/user-vm" ] || install -s -t "$root/bin" "$build"/tests/user-vm/*
	[ ! -d "$build/bench/both" ] || install -s -t "$root/bin" "$build"/bench/both/*
}

# add_modules ROOT KDIR DIR...: add the modules below each DIR, built for that kernel
add_modules() {
	local root=$1 kernel=$2 release dir
	shift 2
	release=$(cat "$kernel/include/config/kernel.release")
	dir=$root/lib/modules/$release
	mkdir -p "$dir"
	find "$@" -name '*.ko' -exec cp -t "$dir" {} +
	strip --strip-debug "$dir"/*.ko
	cp -t "$dir" "$kernel"/modules.{order,builtin,builtin.modinfo}
	depmod -b "$root" "$release"
}

# Build the kernel's samples/acrn by its own makefile. The code of the sample's User VM
# is our guest16.S, as the kernel's source has none. Three faults of the sample are
# worked around: its makefile links the payload fully, which no linker takes as input
# (hence ld -r); the payload does not say that it needs no executable stack; and a field
# that the HSM requires to be zero is not initialised.
build_sample() {
	local out=$1 source
	source=$(realpath "$kdir/source")/samples/acrn
	rm -rf "$out"
	mkdir -p "$out"
	make -s -C "$out" -f "$source/Makefile" VPATH="$source:$top/tests/system/vm_sample" \
		CC="gcc -static -ftrivial-auto-var-init=zero -Wl,-z,noexecstack" LD="ld -r" vm-sample
}

pack() {
	(cd "$1" && find . -print0 | LC_ALL=C sort -z |
		cpio -0 -o -H newc --quiet -R 0:0)
}

mkdir -p "$out"
user=$out/user-vm
service=$out/service-vm

new_root "$user"
install "$top/tests/system/user-init" "$user/init"
add_modules "$user" "$user_kdir" "$user_kdir/net/vmw_vsock"
pack "$user" | lz4 -l -q > "$out/user-vm.cpio.lz4"

new_root "$service"
install "$top/tests/system/service-init" "$service/init"
add_modules "$service" "$kdir" "$kdir" "$modules"
install -s -t "$service/bin" "$build/dm/vhost-dm"
build_sample "$out/vm-sample"
install -s -t "$service/bin" "$out/vm-sample/vm-sample"
install -D -t "$service/tests" "$top"/tests/system/{*.sh,trouble}
[ ! -d "$build/tests/service-vm" ] || install -s -t "$service/tests" "$build"/tests/service-vm/*
install -t "$service/tests" "$top"/bench/service-vm/*.sh
[ ! -d "$build/bench/service-vm" ] || install -s -t "$service/tests" "$build"/bench/service-vm/*
install -D "$user_kdir/arch/x86/boot/bzImage" "$service/images/bzImage"
install -t "$service/images" "$out/user-vm.cpio.lz4"
install -D -t "$service/bench" "$top/bench/on-machine.sh"
install -D -t "$service/bench/service-vm" "$top/bench/service-vm/loads.sh"
pack "$service" > "$out/service-vm.cpio"

# The root file system of a User VM's disk, in /disk
add_disk() {
	add_program "$1" mkfs.ext4
	add_program "$1" e2fsck
	cp -a "$user" "$1/disk"
	add_program "$1/disk" fio
	install -D -t "$1/disk/jobs" "$top"/bench/jobs/*
}

# build_vhost_blk DIR PACKAGE RELEASE: add vhost_blk to the modules of the distribution's
# kernel, if the source of its version is at hand
build_vhost_blk() {
	local modules=$build/modules-distribution source
	source=$(realpath "$kdir/source")
	[ "${2##*-amd64-}" = "${source##*/linux-}" ] || return 0
	make -s -C "$top" modules KDIR="/usr/src/linux-headers-$3" VHOST_SRC="$source" \
		MODULES_DIR="$modules" MODULE_SOURCES="Kbuild include vhost_blk"
	strip --strip-debug -o "$1/vhost_blk.ko" "$modules/vhost_blk.ko"
}

# add_distribution ROOT [storage]. Later releases compress modules with xz.
add_distribution() {
	local images=$1/images/distribution package release module root=$out/distribution-vm
	local wanted=('virtio*.ko*' '*failover.ko*' modules.order 'modules.builtin*')
	package=$("$top/tests/kernel/distribution.sh")
	release=$(basename "$package"/lib/modules/*)
	new_root "$root"
	install "$top/tests/system/user-init" "$root/init"
	mkdir -p "$root/lib/modules/$release" "$images"
	[ "${2:-}" != storage ] ||
		wanted+=({xfs,libcrc32c,configfs,null_blk,vhost,vhost_iotlb}'.ko*')
	for module in "${wanted[@]}"; do
		find "$package/lib/modules/" -name "$module" \
			-exec cp -t "$root/lib/modules/$release" {} +
	done
	find "$root/lib/modules" -name '*.xz' -exec unxz {} +
	[ "${2:-}" != storage ] ||
		build_vhost_blk "$root/lib/modules/$release" "$package" "$release"
	depmod -b "$root" "$release"
	cp "$package/boot/vmlinuz-$release" "$images/bzImage"
	pack "$root" | lz4 -l -q > "$images/user-vm.cpio.lz4"
}

add_storage() {
	local program
	add_disk "$1"
	for program in mkfs.ext4 e2fsck mkfs.xfs xfs_repair; do
		add_program "$1/disk" "$program"
	done
	add_distribution "$1" storage
}

for name in "${@:5}"; do
	extra=$out/extra-$name
	rm -rf "$extra"
	mkdir -p "$extra"
	"add_$name" "$extra"
	{ cat "$out/service-vm.cpio"; pack "$extra"; } > "$out/service-vm-$name.cpio"
done
