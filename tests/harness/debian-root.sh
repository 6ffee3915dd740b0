#!/bin/bash
# Print the path of a root file system of this Debian release, with the packages that
# DKMS needs and the headers of Debian's own kernel. It is made from apt's package
# mirrors when it is missing, and kept in the cache, keyed by release and packages. The
# headers are asked for by their version, so that a new kernel in apt makes a new root:
# they have to be those of the kernel that tests/kernel/distribution.sh downloads. The
# root before it is removed.
set -euo pipefail

cache=${ACRN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/acrn-vhost}
headers=$({ apt-cache depends linux-headers-cloud-amd64 2> /dev/null || true; } |
	sed -n 's/^ *Depends: \(linux-headers-.*\)/\1/p')
[ -n "$headers" ] || {
	echo "debian-root.sh: no package linux-headers-cloud-amd64 is known: apt-get update" >&2
	exit 1
}
packages=adduser,bpftool,dkms,gcc,libc6-dev,$headers,linux-libc-dev,make,man-db,systemd,udev
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
root=$cache/debian-$release-$(echo "$packages" | sha256sum | cut -c 1-12)

mkdir -p "$cache"
exec 9> "$cache/debian.lock"
flock 9
if [ ! -e "$root/.complete" ]; then
	echo "Debian $release: making a root file system" >&2
	rm -rf "$root"
	log=$root.log
	if ! mmdebstrap --variant=apt --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' "$release" "$root" > "$log" 2>&1; then
		tail -n 20 "$log" >&2
		echo "debian-root.sh: mmdebstrap failed, the log is $log" >&2
		exit 1
	fi
	touch "$root/.complete"
	for old in "$cache/debian-$release"-*; do
		case $old in
		"$root" | "$log") ;;
		*) rm -rf "$old" ;;
		esac
	done
fi
echo "$root"
