#!/bin/bash
# Build the Debian packages.
#
# Usage: build.sh FOLDER [VERSION]
#
# The packages are in FOLDER then. VERSION is for tests of upgrades.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: build.sh FOLDER}
own=$(dpkg-parsechangelog -l "$top/packaging/debian/changelog" -S Version)
version=${2:-$own}

grep -q "ACRN_VHOST_VERSION \"$own\"" "$top/include/acrn_vhost_version.h" ||
	{ echo "build.sh: the version is not that of include/acrn_vhost_version.h" >&2; exit 1; }

rm -rf "$out"
tree=$out/acrn-vhost-$version
mkdir -p "$tree"
cd "$top"
cp -r Kbuild include hsm acrn_vhost ioeventfd irqfd vhost_blk lib tool packaging "$tree"
mv "$tree/packaging/debian" "$tree"
sed -i "s/($own)/($version)/" "$tree/debian/changelog"
sed -i "s/\"$own\"/\"$version\"/" "$tree/include/acrn_vhost_version.h"

log=$out/build.log
echo "Building the packages, the log is $log" >&2
if ! (cd "$tree" && dpkg-buildpackage --no-sign --build=binary) > "$log" 2>&1; then
	tail -n 30 "$log" >&2
	echo "build.sh: dpkg-buildpackage failed, the log is $log" >&2
	exit 1
fi
rm -r "$tree"
ls "$out"/*.deb
