#!/bin/sh
# Requests and responses over a network device, and reads of a disk that takes no
# time, on the real hypervisor: each handled by vhost or by the device model.
#
# Arguments: variant, CPU of the User VM.
# shellcheck source=../../tests/system/lib.sh
. ./lib.sh
# shellcheck source=loads.sh
. ./loads.sh

variant=$1
channel="console 1"
seconds=3
[ ! -e /sys/kernel/debug/acrn_exits ] || seconds=0.3

# Once for all variants
prepare() {
	modprobe null_blk && modprobe vhost_blk && make_tap 1 && touch /run/prepared || return
	pingpong server "$port" &
}

# requests CASE PROTOCOL DEPTH
requests() {
	load "$1" pingpong pingpong client "$2" 10.0.1.1 "$port" 64 "$3" $seconds
}

# disk_reads CASE SIZE READERS COUNT: fewer when exits are counted
disk_reads() {
	count=$4
	[ $seconds = 3 ] || count=$((count / 8))
	load "$1" reads reads /dev/vda "$2" "$3" "$count"
}

case $variant in
*-user) net=vhost=off blk=backend=uring ;;
*) net=vhost=on blk=backend=vhost ;;
esac
[ -e /run/prepared ] || prepare || exit
start_vm 1 "$2" --net "tap=tap1,$net" --blk "path=/dev/nullb0,$blk"
vm_ready 1 && wait_until 10 ping_vm 1 || exit
# The first who asks for random numbers waits until there are any, busily
guest 1 "head -c 1 /dev/random > /dev/null"
requests "UDP requests, depth 1" udp 1 &&
	requests "UDP requests, depth 8" udp 8 &&
	requests "UDP requests, depth 32" udp 32 &&
	requests "TCP requests" tcp 1 &&
	disk_reads "reads of 4 KiB, one at a time" 4096 1 800 &&
	disk_reads "reads of 4 KiB, 8 readers" 4096 8 300 &&
	disk_reads "reads of 1 MiB" 1048576 1 48 &&
	stop_vm 1
