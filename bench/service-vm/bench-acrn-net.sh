#!/bin/sh
# Requests and responses and packets over a network device and vsock, on the real
# hypervisor: handled by vhost or by the device model.
#
# The device model is vhost-dm, or acrn-dm for the variants of B=acrn-dm-net: *-plain is
# acrn-dm's own virtio-net, *-vhost that with vhost-net.
#
# Arguments: variant, CPU of the User VM.
# shellcheck source=../../tests/system/lib.sh
. ./lib.sh
# shellcheck source=loads.sh
. ./loads.sh

variant=$1
cpu=$2
# shellcheck disable=SC2034 # for loads.sh
channel="console 1"
[ "$quick" = 1 ] || pingpong_seconds=3
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

# start_on_acrn_dm OPTIONS: with OPTIONS for its network device
start_on_acrn_dm() {
	huge_pages 80 && start_acrn_dm 1 "$cpu" -s "3,virtio-net,tap=tap1$1"
}

start_user_vm() {
	case $variant in
	*-plain) start_on_acrn_dm "" ;;
	*-vhost) start_on_acrn_dm ,vhost ;;
	*-user) start_vm 1 "$cpu" --net tap=tap1,vhost=off ;;
	*) start_vm 1 "$cpu" --net tap=tap1,vhost=on --vsock cid=41 ;;
	esac
}

requests() {
	for depth in 1 8 32; do
		pingpong_load "UDP requests, depth $depth" 10.0.1.1 udp $depth || return
	done
	pingpong_load "TCP requests" 10.0.1.1 tcp 1
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

# What the variant's devices carry
all_loads() {
	requests || return
	case $variant in
	*-plain | *-vhost) ;;
	*-user) packets ;;
	*) packets && vsock_requests ;;
	esac
}

[ -e /run/prepared ] || prepare || exit
start_user_vm && vm_ready 1 && wait_until 10 ping_vm 1 && random_ready && all_loads && stop_vm 1
