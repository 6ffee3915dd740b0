#!/bin/sh
# bench/on-machine.sh with acrn-dm, as bench/README.md describes it for a real machine:
# the User VM is started with the HSM, the settings and the device of a variant, and
# measured; another variant is refused then. What is printed is in the log, as
# `make bench-from` takes it.
#
# Arguments: full or quick, for how long it measures; what it measures, such as
# block/vhost, joined by "+"; two physical CPUs of the User VM.
. ./acrn-dm-lib.sh

case $1 in
full) export quick=0 ;;
quick) export quick=1 ;;
esac
what=$(echo "$2" | tr '+' ' ')
cpus=$3,$4
root=/run/root.img
# shellcheck disable=SC2034 # for lib.sh
{
	vm_memory=192M
	guest_seconds=120
	acrn_dm=acrn-dm-vhost-blk
}
# For on-machine.sh. In the Service VM itself the disk has another name, see
# measure_service_vm.
export PATH="$PATH:/tests" QUEUES=2 ADDRESS=10.0.1.1 DISK=/dev/vdb

# The disk that is measured, and servers for the network
prepare_service_vm() {
	null_disk_prepare && null_disk sdx hw_queue_depth=256 &&
		modprobe -a vhost_blk vhost_net && make_tap 1 &&
		iperf3 --server --daemon && { pingpong server 5200 & }
}

# A disk with fio, which has 80 MB of libraries. The Service VM has fio there as well.
prepare_root() {
	chroot /disk /bin/busybox --install -s /bin &&
		truncate -s 160M $root && mkfs.ext4 -q -d /disk $root &&
		mount -o bind /dev /disk/dev && mount -o bind /proc /disk/proc
}

# use_hsm VARIANT: load its modules and set their parameters
use_hsm() {
	case $1 in
	service-vm) return ;;
	in-tree*) modprobe acrn; return ;;
	esac
	modprobe -a acrn_hsm acrn_vhost || return
	case $1 in
	ours | ours-thread) echo off > /sys/module/acrn_hsm/parameters/async ;;
	esac || return
	case $1 in
	ours-thread) echo thread > /sys/module/acrn_vhost/parameters/dispatch ;;
	esac
}

drop_hsm() {
	case $1 in
	service-vm) ;;
	in-tree*) rmmod acrn ;;
	*) rmmod acrn_vhost acrn_hsm ;;
	esac
}

# device_of BENCH/VARIANT: as the table in bench/README.md has it
device_of() {
	case $1 in
	block/*uring) echo "virtio-blk,iothread=$QUEUES,mq=$QUEUES,/dev/sdx,nocache,aio=io_uring" ;;
	block/*) echo "vhost-blk,/dev/sdx,queues=$QUEUES" ;;
	net/user) echo virtio-net,tap=tap1 ;;
	net/*) echo virtio-net,tap=tap1,vhost ;;
	esac
}

start_user_vm() {
	vm_root=/dev/vda start_acrn_dm 1 "$cpus" -s "3,virtio-blk,$root" \
		-s "4,$(device_of "$1")"
	# fio writes files that nobody needs to where it runs
	vm_ready 1 && guest 1 "mkdir -p /dev/shm && cd /dev/shm && head -c 1 /dev/random > /dev/null"
}

on_machine() {
	bench=$1
	variant=$2
	shift 2
	/bench/on-machine.sh "$bench" 1 "$variant" "$@"
}

# measures BENCH VARIANT CHANNEL...: there are loads, and the round has ended
measures() {
	on_machine "$@" > /run/lines && grep "^load: {" /run/lines &&
		tail -n 1 /run/lines | grep -x "round: done"
}

refuses() {
	! on_machine "$@" > /run/lines 2> /run/said && cat /run/said &&
		grep "^variant $2, but" /run/said && ! grep . /run/lines
}

# other BENCH VARIANT: a variant that cannot be measured with that one's HSM
other() {
	case $1/$2 in
	block/in-tree*) echo vhost ;;
	net/in-tree | net/ours-async | net/ours-thread) echo ours ;;
	net/ours) echo ours-async ;;
	*) echo in-tree ;;
	esac
}

# measure_service_vm BENCH/VARIANT
measure_service_vm() {
	DISK=/dev/sdx
	check "$1: is measured" measures "${1%/*}" "${1#*/}" chroot /disk && cat /run/lines
	DISK=/dev/vdb
}

# measure_user_vm BENCH/VARIANT
measure_user_vm() {
	check "$1: the HSM is loaded" use_hsm "${1#*/}" || return
	if check "$1: the User VM comes to its prompt" start_user_vm "$1"; then
		check "$1: is measured" measures "${1%/*}" "${1#*/}" console 1 && cat /run/lines
		refused=$(other "${1%/*}" "${1#*/}")
		check "$1: $refused is refused" refuses "${1%/*}" "$refused" console 1
		check "$1: the User VM ends" stop_vm 1
	else
		kill_vm 1
	fi
	check "$1: the HSM is unloaded" drop_hsm "${1#*/}"
}

check "huge pages" huge_pages 112
check "a disk and servers" prepare_service_vm
check "a disk with fio" prepare_root
for one in $what; do
	case $one in
	*/service-vm) measure_service_vm "$one" ;;
	*) measure_user_vm "$one" ;;
	esac
done
finish
