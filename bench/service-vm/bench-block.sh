#!/bin/sh
# fio in a User VM, on disks that vhost-blk handles, or the device model with
# io_uring, and in the Service VM itself. One disk takes no time, the other a
# millisecond for each request; and a third one, too, which takes 32 requests at a
# time. The User VM boots from a fourth one, always on vhost-blk. With vhost-blk there is a
# fifth one, as fast as the first, on which it waits for requests.
#
# Arguments: variant, CPUs of the User VM: as many as there are queues at most.
# The Service VM's image is the one with /disk.
# shellcheck source=../../tests/system/lib.sh
. ./lib.sh
# shellcheck source=loads.sh
. ./loads.sh

variant=$1
shift
vm_memory=384M
vm_root=/dev/vda

# Once for all variants
prepare() {
	null_disk_prepare && modprobe vhost_blk && null_disk system memory_backed=1 &&
		null_disk fast submit_queues=4 hw_queue_depth=256 &&
		null_disk busy submit_queues=4 hw_queue_depth=256 &&
		null_disk slow submit_queues=4 hw_queue_depth=256 irqmode=2 completion_nsec=1000000 &&
		null_disk tags hw_queue_depth=32 irqmode=2 completion_nsec=1000000 &&
		chroot /disk /bin/busybox --install -s /bin &&
		mkfs.ext4 -q -d /disk /dev/system && mount -o bind /dev /disk/dev &&
		mount -t proc proc /disk/proc
}

# The first $1 of the other arguments, with commas between
first_cpus() {
	first=$1
	shift
	echo "$@" | cut -d ' ' -f "1-$first" | tr ' ' ','
}

# Of the Service VM's image, only the disk has fio
in_service_vm() {
	channel="chroot /disk" block_loads /dev/fast /dev/slow /dev/tags "" "$1"
}

in_user_vm() {
	queues=$1
	cpus=$2
	case $variant in
	in-tree | vhost) how="queues=$queues,backend=vhost" ;;
	*) how="queues=$queues,backend=$variant" ;;
	esac
	set -- --blk path=/dev/system --blk "path=/dev/fast,$how" --blk "path=/dev/slow,$how" \
		--blk "path=/dev/tags,$how"
	busy=
	if [ "$variant" = vhost ]; then
		set -- "$@" --blk "path=/dev/busy,$how,busyloop=1000"
		busy=/dev/vde
	fi
	start_vm 1 "$cpus" "$@"
	# fio writes files that nobody needs to where it runs
	vm_ready 1 && guest 1 "mkdir -p /dev/shm && cd /dev/shm" &&
		channel="console 1" block_loads /dev/vdb /dev/vdc /dev/vdd "$busy" "$queues" &&
		stop_vm 1
}

on_queues() {
	if [ "$variant" = service-vm ]; then
		in_service_vm "$1"
	else
		in_user_vm "$1" "$(first_cpus "$@")"
	fi
}

[ -b /dev/system ] || prepare || exit
on_queues 1 "$@" || exit
[ "$quick" = 0 ] || exit 0
on_queues 2 "$@" && on_queues 4 "$@"
