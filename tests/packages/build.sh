#!/bin/bash
# The packages build, lintian finds nothing, and the modules build from the sources in
# them.
#
# Usage: build.sh FOLDER KDIR
work=$1
kdir=$2
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tap_out=$work/check.out
# shellcheck source=../system/tap.sh
. "$top/tests/system/tap.sh"

rm -rf "$work/root" "$work/deb" "$work/headers" "$work/own" "$work/found"
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

# Headers that do not lead to the tree that their kernel was built from
headers_alone() {
	mkdir -p "$work/headers/include/config"
	cp -r "$work/linux" "$work/own"
	sed 's/^SUBLEVEL = .*/SUBLEVEL = 9999/' "$work/linux/Makefile" |
		tee "$work/own/Makefile" > "$work/headers/Makefile"
	echo 6.1.9999-own > "$work/headers/include/config/kernel.release"
	! VHOST_SRC="" find_header "$work/headers" "$work/found" 2> "$work/said" &&
		grep "nor in /usr/src/linux-6.1.9999-own" "$work/said" &&
		VHOST_SRC=$work/own find_header "$work/headers" "$work/found" &&
		cmp "$work/linux/drivers/vhost/vhost.h" "$work/found/drivers/vhost/vhost.h"
}

# A build directory whose version differs from its source tree's and from any package's
another_version() {
	sed 's/^SUBLEVEL = .*/SUBLEVEL = 9999/' "$work/linux/Makefile" > "$work/root/Makefile"
	ln -s "$work/linux" "$work/root/source"
	! find_header "$work/root" 2> "$work/said" && grep "neither in the tree" "$work/said"
}

# A bpftool that lists the types of a made-up vhost.ko
stub_bpftool() {
	mkdir "$work/bin"
	# shellcheck disable=SC2016 # that is for the script
	printf '#!/bin/sh\ncat "$6"\n' > "$work/bin/bpftool"
	chmod +x "$work/bin/bpftool"
	blk=$(echo "$work"/root/usr/src/vhost-blk-*/vhost_blk.ko)
	modinfo -F vhost_layout "$blk" | awk '
		$1 ~ /\./ {
			split($1, name, ".")
			printf "\t\047%s\047 type_id=1 bits_offset=%d\n", name[2], $2 * 8
			next
		}
		{ printf "[%d] STRUCT \047%s\047 size=%d vlen=1\n", NR, $1, $2 }' > "$work/same"
	grep "STRUCT 'vhost_virtqueue' size=[1-9]" "$work/same"
}

# layout SED: hold the module against those types, changed in that way
layout() {
	sed "$1" "$work/same" > "$work/types"
	PATH=$work/bin:$PATH "$work/root/usr/lib/vhost-blk/check-layout" "$blk" "$work/types" \
		"$work/types" 2> "$work/said"
}

# layout_refused SED SENTENCE
layout_refused() {
	! layout "$1" && cat "$work/said" && grep -q "not loaded.*$2" "$work/said"
}

# An error of bpftool, or a kernel that has vhost without BTF
layout_unknown() {
	layout "/vhost_virtqueue/d" && grep "no BTF" "$work/said"
}

check "the packages are built" "$top/packaging/build.sh" "$work/deb"
check "lintian has nothing to say" \
	lintian --allow-root --fail-on error,warning "$work/deb"/*.changes
check "acrn-vhost-dkms: unpacks" dpkg-deb -x "$work"/deb/acrn-vhost-dkms_*.deb "$work/root"
check "acrn-vhost-dkms: its modules build" modules acrn-vhost
check "acrn-vhost-dkms: they are two" has acrn_hsm.ko acrn_vhost.ko
check "vhost-blk-dkms: unpacks" dpkg-deb -x "$work"/deb/vhost-blk-dkms_*.deb "$work/root"
check "vhost-blk-dkms: finds the header in the kernel's tree" \
	find_header "$kdir" "$work/linux"
check "vhost-blk-dkms: its module builds" modules vhost-blk VHOST_SRC="$work/linux"
check "vhost-blk-dkms: it is one more" has acrn_hsm.ko acrn_vhost.ko vhost_blk.ko
check "vhost-blk-dkms: does not take the header of another version" another_version
check "vhost-blk-dkms: finds it where headers do not lead" headers_alone
check "vhost-blk-dkms: structures like those of vhost.ko" stub_bpftool
check "they are taken" layout ""
check "but not if one is larger" layout_refused "s/\('vhost_virtqueue' size=\)/\11/" \
	"vhost_virtqueue has 1[0-9]* bytes, not"
check "nor if a member is elsewhere" layout_refused "/'busyloop_timeout'/s/offset=.*/offset=64/" \
	"vhost_virtqueue.busyloop_timeout is at byte 8, not"
check "nor if there is none" layout_refused "/'handle_kick'/d" "handle_kick is not there"
check "nobody knows without BTF" layout_unknown
rm -rf "$work/root" "$work/linux" "$work/headers" "$work/own" "$work/found"
finish
