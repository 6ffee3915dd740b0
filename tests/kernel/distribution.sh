#!/bin/bash
# Unpack the package of Debian's kernel for virtual machines into the cache, and print the
# folder: boot/ has the kernel, lib/modules/ the modules. The package is not installed, as
# that would make an initramfs for this machine.
#
# Usage: distribution.sh
set -euo pipefail

cache=${ACRN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/acrn-vhost}
name=linux-image-cloud-amd64

die() { echo "distribution.sh: $*" >&2; exit 1; }

# The package of that name is empty and depends on that of the current version
package=$({ apt-cache depends "$name" 2> /dev/null || true; } | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
[ -n "$package" ] || die "no package $name is known: apt-get update"
version=$(apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p')
out=$cache/$package-$version

mkdir -p "$cache"
exec 9> "$cache/distribution.lock"
flock 9
if [ ! -e "$out/.complete" ]; then
	echo "$package: downloading" >&2
	rm -rf "$out"
	mkdir "$out"
	log=$out/download.log
	(cd "$out" && apt-get download "$package=$version") > "$log" 2>&1 ||
		{ tail -n 5 "$log" >&2; die "$package could not be downloaded"; }
	dpkg-deb -x "$out"/*.deb "$out"
	rm "$out"/*.deb
	# Later releases of Debian have all of /lib in /usr
	[ -e "$out/lib" ] || ln -s usr/lib "$out/lib"
	touch "$out/.complete"
fi
echo "$out"
