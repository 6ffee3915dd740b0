#!/bin/sh
# Put vhost-blk into acrn-dm: acrn-dm/add.sh ACRN_HYPERVISOR
#
# ACRN_HYPERVISOR is a work tree of acrn-hypervisor. It gets one file and four
# lines in a makefile; `git checkout devicemodel && git clean -f devicemodel` there
# undoes it. libacrnvhost is looked for where `make tools` of this project puts it,
# or where ACRNVHOST= says.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
makefile=${1:?usage: add.sh ACRN_HYPERVISOR}/devicemodel/Makefile
target=$1/devicemodel/hw/pci/virtio
if [ ! -d "$target" ] || [ ! -f "$makefile" ]; then
	echo "add.sh: $1 is no work tree of acrn-hypervisor: it has no $target" >&2
	exit 1
fi
by_hand() {
	echo "add.sh: $makefile is not as expected: add hw/pci/virtio/vhost_blk.c to" \
		"SRCS, -I$here/../lib to CFLAGS and -L$here/../build/lib -lacrnvhost to LIBS" \
		"by hand" >&2
	exit 1
}

cp "$here/vhost_blk.c" "$target/vhost_blk.c"
if ! grep -q virtio/vhost_blk.c "$makefile"; then
	neighbour='^SRCS += hw/pci/virtio/vhost.c$'
	first='^LIBS = -lrt$'
	if ! grep -q "$neighbour" "$makefile" || ! grep -q "$first" "$makefile"; then
		by_hand
	fi
	sed -i -e "\\|$neighbour|a SRCS += hw/pci/virtio/vhost_blk.c" \
		-e "\\|$first|i ACRNVHOST ?= $here/../build/lib\\nCFLAGS += -I$here/../lib" \
		-e "\\|$first|a LIBS += -L\$(ACRNVHOST) -lacrnvhost" "$makefile"
fi
grep -q -e -lacrnvhost "$makefile" || by_hand
