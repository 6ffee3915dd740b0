#!/bin/sh
# Reads of a disk that takes no time and of one that takes a millisecond, on the real
# hypervisor: handled by vhost-blk, by the device model with io_uring, and made in the
# Service VM itself. And what the Service VM does while nobody reads.
#
# The device model is vhost-dm, or acrn-dm for the variants of B=acrn-dm-block:
# *-plain is acrn-dm's own virtio-blk as it is by default, *-iothread that with an I/O
# thread and io_uring, *-vhost the device of acrn-dm/, with *-unpolled while vhost-blk
# does not poll.
#
# Arguments: variant, CPU of the User VM, "slow" if only the slow disk is to be read.
# shellcheck source=../../tests/system/lib.sh
. ./lib.sh
# shellcheck source=loads.sh
. ./loads.sh

variant=$1
cpu=$2
what=${3:-all}
# As many reads as fit into the hypervisor's rings when exits are counted. Else there are
# so many with 32 on their way that the unit of the account of CPUs, 10 ms, is less than
# 1 us of each.
fewer=1
many=12000
if counts_exits; then
	fewer=8
	many=2400
fi

# disk_reads CASE DISK SIZE READERS DEPTH COUNT
disk_reads() {
	load "reads of $1" reads reads "$2" "$3" "$4" "$5" $(($6 / fewer))
}

# fast_reads DISK
fast_reads() {
	disk_reads "4 KiB, one at a time" "$1" 4096 1 1 800 &&
		disk_reads "4 KiB, 8 readers" "$1" 4096 8 1 300 &&
		disk_reads "4 KiB, depth 32" "$1" 4096 1 32 $many &&
		disk_reads "1 MiB" "$1" 1048576 1 1 48
}

# all_reads FAST SLOW
all_reads() {
	[ "$what" = slow ] || fast_reads "$1" || return
	disk_reads "4 KiB of the 1 ms disk, one at a time" "$2" 4096 1 1 200 &&
		disk_reads "4 KiB of the 1 ms disk, depth 32" "$2" 4096 1 32 3200
}

# start_on_acrn_dm DEVICE OPTIONS: with both disks as that device
start_on_acrn_dm() {
	huge_pages 80 || exit
	start_acrn_dm 1 "$cpu" -s "3,$1/dev/fast$2" -s "4,$1/dev/slow$2"
}

# start_on_vhost_dm BACKEND
start_on_vhost_dm() {
	start_vm 1 "$cpu" --blk "path=/dev/fast,backend=$1" --blk "path=/dev/slow,backend=$1"
}

start_user_vm() {
	# shellcheck disable=SC2034 # for lib.sh
	acrn_dm=acrn-dm-vhost-blk
	case $variant in
	*-plain)
		acrn_dm=acrn-dm
		start_on_acrn_dm virtio-blk, ,nocache
		;;
	*-iothread)
		acrn_dm=acrn-dm
		start_on_acrn_dm virtio-blk,iothread, ,nocache,aio=io_uring
		;;
	*-vhost | *-unpolled) start_on_acrn_dm vhost-blk, ;;
	*-user) start_on_vhost_dm uring ;;
	*) start_on_vhost_dm vhost ;;
	esac
}

# poll yes|no: whether vhost-blk does
poll() {
	echo "$1" > /sys/module/vhost_blk/parameters/poll
}

in_user_vm() {
	case $variant in
	*-unpolled) poll no ;;
	*) poll yes ;;
	esac
	start_user_vm
	vm_ready 1 && random_ready || return
	# shellcheck disable=SC2034 # for loads.sh
	channel="console 1"
	all_reads /dev/vda /dev/vdb && load "nothing is read" idle sleep 1 && stop_vm 1
}

if [ ! -b /dev/fast ]; then
	null_disk_prepare && modprobe vhost_blk && null_disk fast hw_queue_depth=256 &&
		null_disk slow hw_queue_depth=256 irqmode=2 completion_nsec=1000000 || exit
fi
if [ "$variant" = service-vm ]; then
	all_reads /dev/fast /dev/slow
else
	in_user_vm
fi
