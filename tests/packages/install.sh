#!/bin/bash
# The packages in a Debian root file system: installed, where DKMS builds the modules for
# kernels with ACRN_GUEST and refuses Debian's own; upgraded; purged.
#
# Usage: install.sh FOLDER ROOT CACHE PACKAGES NEWER-PACKAGES KDIR...
#
# Run as root in a mount namespace of its own. ROOT is not changed. CACHE is the folder
# with the KDIRs and their sources.
work=$1
base=$2
cache=$3
packages=$4
newer=$5
shift 5
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tap_out=$work/check.out
# shellcheck source=../system/tap.sh
. "$top/tests/system/tap.sh"

# shellcheck source=root.sh
. "$top/tests/packages/root.sh"

releases=()
version_of() {
	dpkg-deb -f "$(echo "$1"/acrn-vhost-dkms_*.deb)" Version
}
old=$(version_of "$packages")
new=$(version_of "$newer")

set_up() {
	local kdir
	mount_root && mount_at "$packages" /packages && mount_at "$newer" /newer || return
	for kdir in "$@"; do
		add_kernel "$kdir" || return
		releases+=("$(release_of "$kdir")")
	done
}

# built VERSION: each kernel with ACRN_GUEST has all three modules of that version
built() {
	local release name
	for release in "${releases[@]}"; do
		for name in acrn_hsm acrn_vhost vhost_blk; do
			echo "$release: $name"
			in_root modinfo -k "$release" -F version $name | grep -qx "$1" || return
			in_root modinfo -k "$release" -F vermagic $name | grep -q "^$release " ||
				return
		done
	done
}

# Debian's own kernel has no ACRN_GUEST, and its headers have no vhost.h
debian_is_refused() {
	local release
	release=$(debian_release)
	grep "not built" "$work/apt.log"
	! [ -e "$modules/$release/updates" ] &&
		grep -q "acrn-vhost: not built for the kernel $release: .*without CONFIG_ACRN_GUEST" \
			"$work/apt.log" &&
		grep -q "vhost-blk: not built for the kernel $release: drivers/vhost/vhost.h" \
			"$work/apt.log"
}

in_tree_blacklisted() {
	in_root modprobe -S "${releases[0]}" -c | grep -x "blacklist acrn"
}

prepared() {
	in_root getent group acrn && in_tree_blacklisted &&
		[ -L "$root/etc/systemd/system/multi-user.target.wants/acrn-vhost.service" ] &&
		in_root systemd-analyze verify acrn-vhost.service || return
	grep -c 'GROUP="acrn", MODE="0660"' "$root/usr/lib/udev/rules.d/60-acrn-vhost.rules" |
		grep -qx 2
}

program_runs() {
	in_root acrn-vhost --version | grep -qx "acrn-vhost $old" &&
		in_root acrn-vhost check | tee /dev/stderr | grep -q '^FAIL hypervisor'
}

library_links() {
	printf '#include <acrnvhost.h>\nint main(void)\n{\n\tacrnvhost_close(NULL);\n}\n' \
		> "$root/tmp/program.c" &&
		in_root gcc -Wall -Werror -o /tmp/program /tmp/program.c -lacrnvhost
}

# vhost_blk for Debian's own kernel, with vhost.h of $1, held against its vhost.ko
fits_debian() {
	build_blk "$1" || return
	in_root /usr/lib/vhost-blk/check-layout /tmp/blk/vhost_blk.ko /tmp/vhost.ko /tmp/vmlinux \
		2> "$work/said"
}

# As the name of the folder says that distribution.sh prints
distribution_version() {
	local folder
	folder=$("$top/tests/kernel/distribution.sh") && echo "${folder##*-amd64-}"
}

# Debian's kernel as packaged, whose BTF is inside of what is compressed
debian_kernel() {
	local folder
	folder=$("$top/tests/kernel/distribution.sh") &&
		find "$folder/lib/modules/" -name 'vhost.ko*' -exec cp -t "$root/tmp" {} + &&
		"$linux/scripts/extract-vmlinux" "$folder"/boot/vmlinuz-* > "$root/tmp/vmlinux" ||
		return
	[ -e "$root/tmp/vhost.ko" ] || unxz "$root/tmp/vhost.ko.xz"
}

fits() {
	fits_debian "$linux" && ! grep . "$work/said"
}

fits_no_other() {
	other_header "$linux"
	! fits_debian /tmp/other && cat "$work/said" &&
		grep -q "not loaded.*: vhost_virtqueue has [0-9]* bytes, not" "$work/said"
}

modprobe_asks() {
	in_root modprobe -S "${releases[0]}" -n -v vhost_blk |
		grep "install /usr/lib/vhost-blk/check-layout && .*--ignore-install"
}

upgrade() {
	install_packages /newer && built "$new" && ! ls -d "$root"/usr/src/*-"$old" &&
		! in_root dkms status | grep "/$old,"
}

purge() {
	in_root apt-get purge -y acrn-vhost acrn-vhost-dkms vhost-blk-dkms libacrnvhost-dev
}

in_tree_is_back() {
	local release
	for release in "${releases[@]}"; do
		in_root modprobe -S "$release" -n -v acrn | grep -q "insmod.*/acrn.ko" || return
	done
	! in_tree_blacklisted && ! find "$modules" -name 'acrn_*' | grep . &&
		! [ -e "$root/lib/systemd/system/acrn-vhost.service" ] &&
		! [ -e "$root/etc/systemd/system/multi-user.target.wants/acrn-vhost.service" ]
}

dkms_has_nothing() {
	! in_root dkms status | grep vhost && ! ls -d "$root"/{usr/src,var/lib/dkms}/*vhost*
}

check "a Debian with its own kernel and ours" set_up "$@"
check "installed" install_packages /packages
check "the modules are built for each kernel with ACRN_GUEST" built "$old"
check "Debian's own kernel is refused with a sentence" debian_is_refused
check "group, rules, service and blacklist are there" prepared
check "the program runs" program_runs
check "a program links with the library" library_links
check "modprobe compares vhost_blk with vhost.ko" modprobe_asks
linux=$cache/linux-$(distribution_version)
if [ -d "$linux" ]; then
	check "Debian's own kernel has BTF of its vhost.ko" debian_kernel
	check "vhost_blk fits it, with the header of its version" fits
	check "and does not with another header" fits_no_other
else
	skip "vhost_blk is held against Debian's own kernel" "there is no source of its version"
fi
check "upgraded: the modules are the new ones, nothing is left of the old" upgrade
check "purged" purge
check "purged: the in-tree HSM is loadable again" in_tree_is_back
check "purged: DKMS has nothing" dkms_has_nothing
remove_root
finish
