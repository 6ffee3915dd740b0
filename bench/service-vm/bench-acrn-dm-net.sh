#!/bin/sh
# Requests over a network device of a User VM on the unmodified acrn-dm, on the real
# hypervisor: handled by vhost-net or by acrn-dm.
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
# As many as fit into the hypervisor's rings when exits are counted
if counts_exits; then
	# shellcheck disable=SC2034 # for loads.sh
	pingpong_seconds=0.3
fi

# Once for all variants
prepare() {
	make_tap 1 && huge_pages 80 && touch /run/prepared || return
	# shellcheck disable=SC2154 # of loads.sh
	pingpong server "$port" &
}

[ -e /run/prepared ] || prepare || exit
vhost=,vhost
case $variant in
*-user) vhost= ;;
esac
start_acrn_dm 1 "$cpu" -s "3,virtio-net,tap=tap1$vhost"
vm_ready 1 && wait_until 10 ping_vm 1 && random_ready || exit
for depth in 1 8 32; do
	pingpong_load "UDP requests, depth $depth" 10.0.1.1 udp $depth || exit
done
pingpong_load "TCP requests" 10.0.1.1 tcp 1 && stop_vm 1
