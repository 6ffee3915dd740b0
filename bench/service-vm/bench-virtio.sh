#!/bin/sh
# Requests and responses and packets over a network device and vsock, and reads
# of a disk that takes no time, on the real hypervisor: each handled by vhost or
# by the device model.
#
# Arguments: variant, CPU of the User VM.
# shellcheck source=../../tests/system/lib.sh
. ./lib.sh
# shellcheck source=loads.sh
. ./loads.sh

variant=$1
# shellcheck disable=SC2034 # for loads.sh
channel="console 1"
# What fits into the hypervisor's rings when exits are counted
fewer=1
if [ -e /sys/kernel/debug/acrn_exits ]; then
	fewer=8
	# shellcheck disable=SC2034 # for loads.sh
	pingpong_seconds=0.3
fi

# Once for all variants
prepare() {
	modprobe null_blk && modprobe vhost_blk && modprobe vhost_vsock && make_tap 1 &&
		iperf3 --server --daemon && touch /run/prepared || return
	pingpong server "$port" &
}

# disk_reads CASE SIZE READERS DEPTH COUNT
disk_reads() {
	load "reads of $1" reads reads /dev/vda "$2" "$3" "$4" $(($5 / fewer))
}

packets() {
	[ $fewer != 1 ] ||
		iperf_load "UDP, 64 bytes, from the User VM" 10.0.1.1 --udp --length 64 --bitrate 0
}

vsock_requests() {
	guest 1 "modprobe vmw_vsock_virtio_transport" &&
		pingpong_load "vsock requests, depth 1" 2 vsock 1 &&
		pingpong_load "vsock requests, depth 32" 2 vsock 32
}

case $variant in
*-user)
	set -- "$2" --net tap=tap1,vhost=off --blk path=/dev/nullb0,backend=uring
	vsock=true
	;;
*)
	set -- "$2" --net tap=tap1,vhost=on --blk path=/dev/nullb0,backend=vhost --vsock cid=41
	vsock=vsock_requests
	;;
esac
[ -e /run/prepared ] || prepare || exit
start_vm 1 "$@"
vm_ready 1 && wait_until 10 ping_vm 1 || exit
# The first who asks for random numbers waits until there are any, busily
guest 1 "head -c 1 /dev/random > /dev/null"
for depth in 1 8 32; do
	pingpong_load "UDP requests, depth $depth" 10.0.1.1 udp $depth || exit
done
pingpong_load "TCP requests" 10.0.1.1 tcp 1 && packets && $vsock &&
	disk_reads "4 KiB, one at a time" 4096 1 1 800 &&
	disk_reads "4 KiB, 8 readers" 4096 8 1 300 &&
	disk_reads "4 KiB, depth 32" 4096 1 32 2400 &&
	disk_reads "1 MiB" 1048576 1 1 48 &&
	stop_vm 1
