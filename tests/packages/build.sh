#!/bin/bash
# The packages are built, lintian finds nothing, and the sources in them make the
# modules for a kernel.
#
# Usage: build.sh FOLDER KDIR
work=$1
kdir=$2
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tap_out=$work/check.out
# shellcheck source=../system/tap.sh
. "$top/tests/system/tap.sh"

rm -rf "$work/root" "$work/deb"
mkdir -p "$work/root"

has() {
	printf '%s\n' "$@" | sort > "$work/wanted"
	find "$work/root/usr/src" -name '*.ko' -printf '%f\n' | sort | diff "$work/wanted" -
}

modules() {
	make -C "$kdir" M="$(echo "$work/root/usr/src/$1-"*)" "${@:2}" modules
}

find_header() {
	sh "$work"/root/usr/src/vhost-blk-*/find-vhost-header "$@"
}

# A kernel of another version than the tree behind it, and than any package
another_version() {
	sed 's/^SUBLEVEL = .*/SUBLEVEL = 9999/' "$work/linux/Makefile" > "$work/root/Makefile"
	ln -s "$work/linux" "$work/root/source"
	! find_header "$work/root" 2> "$work/said" && grep "neither in the tree" "$work/said"
}

check "the packages are built, lintian has nothing to say" "$top/packaging/build.sh" "$work/deb"
check "acrn-vhost-dkms: unpacks" dpkg-deb -x "$work"/deb/acrn-vhost-dkms_*.deb "$work/root"
check "acrn-vhost-dkms: its modules build" modules acrn-vhost
check "acrn-vhost-dkms: they are two" has acrn_hsm.ko acrn_vhost.ko
check "vhost-blk-dkms: unpacks" dpkg-deb -x "$work"/deb/vhost-blk-dkms_*.deb "$work/root"
check "vhost-blk-dkms: finds the header in the kernel's tree" \
	find_header "$kdir" "$work/linux"
check "vhost-blk-dkms: its module builds" modules vhost-blk VHOST_SRC="$work/linux"
check "vhost-blk-dkms: it is one more" has acrn_hsm.ko acrn_vhost.ko vhost_blk.ko
check "vhost-blk-dkms: does not take the header of another version" another_version
rm -rf "$work/root" "$work/linux"
finish
