#!/bin/sh
# Requests and responses and packets over a network device and vsock, on the real
# hypervisor: handled by vhost or by the device model.
#
# Arguments: variant, CPU of the User VM.
# shellcheck source=../../tests/system/lib.sh
. ./lib.sh
# shellcheck source=loads.sh
. ./loads.sh

variant=$1
# shellcheck disable=SC2034 # for loads.sh
channel="console 1"
# As many as fit into the hypervisor's rings when exits are counted
if counts_exits; then
	# shellcheck disable=SC2034 # for loads.sh
	pingpong_seconds=0.3
fi

# Once for all variants
prepare() {
	modprobe vhost_vsock && make_tap 1 && iperf3 --server --daemon &&
		touch /run/prepared || return
	pingpong server "$port" &
}

packets() {
	counts_exits ||
		iperf_load "UDP, 64 bytes, from the User VM" 10.0.1.1 --udp --length 64 --bitrate 0
}

vsock_requests() {
	guest 1 "modprobe vmw_vsock_virtio_transport" &&
		pingpong_load "vsock requests, depth 1" 2 vsock 1 &&
		pingpong_load "vsock requests, depth 32" 2 vsock 32
}

case $variant in
*-user)
	set -- "$2" --net tap=tap1,vhost=off
	vsock=true
	;;
*)
	set -- "$2" --net tap=tap1,vhost=on --vsock cid=41
	vsock=vsock_requests
	;;
esac
[ -e /run/prepared ] || prepare || exit
start_vm 1 "$@"
vm_ready 1 && wait_until 10 ping_vm 1 && random_ready || exit
for depth in 1 8 32; do
	pingpong_load "UDP requests, depth $depth" 10.0.1.1 udp $depth || exit
done
pingpong_load "TCP requests" 10.0.1.1 tcp 1 && packets && $vsock && stop_vm 1
