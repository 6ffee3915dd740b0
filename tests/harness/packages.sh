#!/bin/bash
# Install the Debian packages that building and testing need. Without root or sudo,
# print the command to type.
#
# Usage: packages.sh GROUP...    GROUP: build, vm, acrn, bench, deb, test, check, long
#
# Also installs the kernel source of each version in $KVERS.
set -euo pipefail

declare -A groups=(
	[build]="gcc libc6-dev linux-libc-dev make bc bison flex libelf-dev
		libssl-dev xz-utils lz4 cpio kmod acpica-tools python3 perl liburing-dev
		libkmod-dev zlib1g-dev openssl"
	[vm]="qemu-system-x86 busybox-static iperf3 ethtool procps e2fsprogs fio tmux"
	[acrn]="bochs bochs-term bochsbios vgabios grub-pc-bin grub-common xorriso mtools git
		pkg-config python3-lxml python3-xmlschema python3-elementpath
		python3-defusedxml xsltproc libpciaccess-dev libusb-1.0-0-dev
		libcjson-dev libpixman-1-dev libsdl2-dev libevent-dev libdrm-dev
		libnuma-dev libegl-dev libgles-dev"
	[bench]="gnuplot-nox"
	[deb]="gcc libc6-dev linux-libc-dev libkmod-dev zlib1g-dev make dpkg-dev debhelper dh-dkms"
	[test]="lintian"
	[long]="mmdebstrap xfsprogs linux-headers-cloud-amd64"
	[check]="sparse clang-format shellcheck codespell git"
)

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

wanted=()
for group in "$@"; do
	# shellcheck disable=SC2206 # the groups are lists of words
	wanted+=(${groups[$group]})
done
for version in ${KVERS:-}; do
	wanted+=("linux-source-$version")
done

missing=()
for package in "${wanted[@]}"; do
	installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
	as_root=()
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
	as_root=(sudo -n)
else
	echo "Packages are missing. As root, type:" >&2
	echo "  apt-get update && $install" >&2
	exit 1
fi

echo "Installing packages: ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the command line is a list of words
if ! "${as_root[@]}" apt-get update > "$log" 2>&1 ||
   ! "${as_root[@]}" $install -o DPkg::Lock::Timeout=300 >> "$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "packages.sh: this failed: $install" >&2
	exit 1
fi
