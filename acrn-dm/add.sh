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
cp "$here/vhost_blk.c" "$target/vhost_blk.c"
grep -q virtio/vhost_blk.c "$makefile" && exit
# Behind its neighbours in the list of sources and libraries
sed -i -e '\|^SRCS += hw/pci/virtio/vhost.c$|a SRCS += hw/pci/virtio/vhost_blk.c' \
	-e "\\|^LIBS += -luring\$|i LIBS += -L\$(ACRNVHOST) -lacrnvhost" \
	-e "\\|^LIBS = -lrt\$|i ACRNVHOST ?= $here/../build/lib\\nCFLAGS += -I$here/../lib" \
	"$makefile"
grep -q virtio/vhost_blk.c "$makefile" || {
	echo "add.sh: $makefile is not as expected: add hw/pci/virtio/vhost_blk.c to" \
		"SRCS and -lacrnvhost to LIBS by hand" >&2
	exit 1
}
