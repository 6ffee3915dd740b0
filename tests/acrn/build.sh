#!/bin/bash
# Build the real ACRN hypervisor for Bochs, and acrn-dm, and print the folder:
# acrn.bin, acrn-dm as it is, acrn-dm-vhost-blk with what acrn-dm/ adds to it, lib/
# with what these link, and the commit.
#
# Usage: build.sh ACRN_SRC      ACRN_SRC: acrn-hypervisor, a work tree or git
#                               directory; in a work tree what is not committed
#                               counts, too
#
# The sources are copied, never changed. Builds live in the cache, keyed by what
# they are made from.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
source=${1:?usage: build.sh ACRN_SRC}
cache=${ACRN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/acrn-vhost}
# Of the whole repository only these are needed, and a partial copy may lack
# others.
folders=(hypervisor devicemodel misc paths.make VERSION)

die() { echo "build.sh: $*" >&2; exit 1; }
say() { echo "ACRN: $*" >&2; }

in_source() { git -c safe.directory='*' -C "$source" "$@"; }

[ -d "$source" ] || die "ACRN_SRC=$source is no folder"
commit=$(in_source rev-parse --verify -q 'HEAD^{commit}' 2> /dev/null) ||
	die "ACRN_SRC=$source is no git repository with a commit: clone" \
		"projectacrn/acrn-hypervisor"
# Uncommitted changes as a commit of their own, which nothing points to
state=$commit
if [ "$(in_source rev-parse --is-inside-work-tree)" = true ]; then
	state=$(in_source -c user.name=acrn -c user.email=acrn stash create)
	state=${state:-$commit}
fi
trees=$(for folder in "${folders[@]}"; do
	in_source rev-parse --verify -q "$state:$folder" ||
		die "ACRN_SRC=$source has no $folder: is it acrn-hypervisor?"
done)

# The tools are Python programs: Debian's Python has the modules that they need.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
key=$({ echo "$trees"; gcc --version | head -n 1
	cat "$here"/{build.sh,adapt.py,no_iommu.c} "$top"/acrn-dm/{add.sh,vhost_blk.c} \
		"$top"/lib/*.[ch] "$top/include/vhost_blk.h"; } | sha256sum | cut -c 1-12)
out=$cache/acrn-$key
mkdir -p "$cache"
exec 9> "$cache/acrn.lock"
flock 9
if [ -e "$out/.complete" ]; then
	echo "$out"
	exit
fi

rm -rf "$out"
mkdir -p "$out"/{src,lib}
log=$out/build.log
step() {
	local what=$1
	shift
	say "$what"
	"$@" >> "$log" 2>&1 < /dev/null ||
		{ tail -n 20 "$log" | cut -c 1-200 >&2; die "this failed: $what (log: $log)"; }
}

say "copying the sources of $commit"
in_source archive "$state" "${folders[@]}" 2> "$log" | tar -x -C "$out/src" ||
	{ tail -n 5 "$log" >&2; die "ACRN_SRC=$source is not complete"; }
step "adapting them to Bochs" "$here/adapt.py" "$out/src" "$out"
step "building the hypervisor" make -C "$out/src/hypervisor" \
	HV_OBJDIR="$out/hv" BOARD="$out/board.xml" SCENARIO="$out/scenario.xml" \
	RELEASE=n -j"$(nproc)"
cp "$out/hv/acrn.bin" "$out/hv/acrn.out" "$out"

# acrn-dm links a library of ACRN's own
services=$out/dm/misc/services
mkdir -p "$services"
step "building acrn-dm's library" make -C "$out/src/misc/services/acrn_manager" \
	OUT_DIR="$services" RELEASE=y
build_acrn_dm() {
	step "building $1" make -C "$out/src/devicemodel" DM_OBJDIR="$out/dm/devicemodel" \
		TOOLS_OUT="$out/dm/misc" RELEASE=y IASL_MIN_VER=20190703 \
		BRANCH_VERSION=local DM_BUILD_VERSION=local ACRNVHOST="$out/vhost" -j"$(nproc)"
	cp "$out/dm/devicemodel/acrn-dm" "$out/$1"
}
build_acrn_dm acrn-dm
step "building libacrnvhost" make -C "$top/lib" O="$out/vhost"
step "adding vhost-blk to acrn-dm" "$top/acrn-dm/add.sh" "$out/src"
build_acrn_dm acrn-dm-vhost-blk

# Of the libraries that acrn-dm links, these serve a display, pull in some 50 MB
# and are not used here: functions with the same names stand in for them, which
# end the program if they are called after all.
for name in SDL2-2.0 EGL GLESv2; do
	library=$(ldd "$out/acrn-dm" | sed -n "s/^\s*\(lib$name\.so[^ ]*\) => \([^ ]*\) .*/\1 \2/p")
	[ -n "$library" ] || continue
	read -r soname path <<< "$library"
	comm -12 <(nm -D --undefined-only "$out/acrn-dm" | awk '{ print $2 }' | cut -d @ -f 1 | sort -u) \
		<(nm -D --defined-only "$path" | awk '{ print $3 }' | cut -d @ -f 1 | sort -u) |
		sed 's/.*/void &(void) { __builtin_trap(); }/' |
		gcc -w -fno-builtin -shared -Wl,-soname,"$soname" -o "$out/lib/$soname" -x c -
done
echo "$commit" > "$out/commit"
rm -rf "$out/src" "$out/hv" "$out/dm" "$out/vhost"
touch "$out/.complete"
say "done"
echo "$out"
