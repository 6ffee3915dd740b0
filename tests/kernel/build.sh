#!/bin/bash
# Build a kernel for the VMs from Debian's linux-source package and print the
# build directory, which also serves as KDIR for our modules.
#
# Usage: build.sh VERSION [debug|rt]     VERSION: 6.1 or 6.12; rt from 6.12 on
#
# Sources and builds live in the cache, keyed by what they are made from:
# package version, configuration and compiler.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kver=${1:?usage: build.sh VERSION [debug]}
flavour=${2:-base}
cache=${ACRN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/acrn-vhost}
package=linux-source-$kver
tarball=/usr/src/$package.tar.xz

die() { echo "build.sh: $*" >&2; exit 1; }
say() { echo "kernel $kver $flavour: $*" >&2; }

[ -r "$tarball" ] || die "$tarball is missing: install the package $package"
fragments=("$here/base.config")
case $flavour in
base) ;;
debug | rt) fragments+=("$here/$flavour.config") ;;
*) die "unknown flavour '$flavour': base, debug or rt" ;;
esac
[ ! -e "$here/$flavour-$kver.config" ] || fragments+=("$here/$flavour-$kver.config")

# Print the options that the fragments set; if several mention one, the last counts.
wanted_options() {
	sed -E 's/^# (CONFIG_\w+) is not set$/\1=n/' "${fragments[@]}" |
		awk -F= '/^CONFIG_/ { last[$1] = $0 }
			END { for (name in last) if (last[name] !~ /=n$/) print last[name] }'
}

package_version=$(dpkg-query -W -f '${Version}' "$package")
key=$({ echo "$package_version"; gcc --version | head -n 1
	cat "${fragments[@]}"; } | sha256sum | cut -c 1-12)
src=$cache/linux-$package_version
out=$cache/kernel-$kver-$flavour-$key

mkdir -p "$cache"
exec 9> "$cache/kernel-$kver-$flavour.lock"
flock 9

if [ ! -e "$out/.complete" ]; then
	if [ ! -e "$src/.complete" ]; then
		say "unpacking $tarball"
		exec 8> "$cache/linux-$package_version.lock"
		flock 8
		rm -rf "$src"
		mkdir "$src"
		tar -xf "$tarball" -C "$src" --strip-components=1
		touch "$src/.complete"
		exec 8>&-
	fi
	say "configuring"
	rm -rf "$out"
	mkdir "$out"
	log=$out/build.log
	make -C "$src" O="$out" tinyconfig > "$log" 2>&1
	(cd "$src" && scripts/kconfig/merge_config.sh -m -O "$out" \
		"$out/.config" "${fragments[@]}") >> "$log" 2>&1
	make -C "$out" olddefconfig >> "$log" 2>&1
	while read -r option; do
		grep -qxF "$option" "$out/.config" ||
			die "the kernel's configuration lost '$option'; see $log"
	done < <(wanted_options)
	say "compiling (several minutes, log in $log)"
	make -C "$out" -j"$(nproc)" KBUILD_BUILD_USER=acrn KBUILD_BUILD_HOST=vhost \
		bzImage modules >> "$log" 2>&1 ||
		{ tail -n 30 "$log" >&2; die "the kernel did not compile"; }
	touch "$out/.complete"
	say "done"
fi
echo "$out"
