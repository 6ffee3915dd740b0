#!/bin/bash
# Add acrn-dm, and what it needs, to an initramfs of the Service VM's.
#
# Usage: image.sh ACRN_DIR INITRAMFS OUT      ACRN_DIR: as build.sh printed it
set -euo pipefail

usage="usage: image.sh ACRN_DIR INITRAMFS OUT"
acrn=${1:?$usage}
initramfs=${2:?$usage}
out=${3:?$usage}
build=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# That of mktemp is for its owner alone, and becomes the root of the Service VM
chmod 755 "$root"

# add_program PROGRAM DIR: with its libraries, those of build.sh first
add_program() {
	install -D -t "$root$2" "$1"
	LD_LIBRARY_PATH=$acrn/lib ldd "$1" | grep -o '/[^ ]*' | while read -r file; do
		if [[ $file == "$acrn"/* ]]; then
			install -D -t "$root/lib/x86_64-linux-gnu" "$file"
		else
			install -D "$file" "$root$file"
		fi
	done
}

add_program "$acrn/acrn-dm" /bin
add_program "$acrn/acrn-dm-vhost-blk" /bin
# acrn-dm has it make the ACPI tables
add_program /usr/bin/iasl /bin
install -D -t "$root/bin" "$build/tests/acrn/debug_port"
# Where threads of the C library find the unwinder when one of them is cancelled
install -D -t "$root/lib/x86_64-linux-gnu" /lib/x86_64-linux-gnu/libgcc_s.so.1
{ cat "$initramfs"
	cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc --quiet -R 0:0
} | lz4 -l -q > "$out"
