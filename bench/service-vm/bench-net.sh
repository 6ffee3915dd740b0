#!/bin/sh
# iperf3, and requests and responses, between a User VM and the Service VM, and
# between two User VMs on a bridge. All loads are started by the first User VM.
#
# Arguments: variant, CPUs of the User VMs.
# shellcheck source=../../tests/system/lib.sh
. ./lib.sh
# shellcheck source=loads.sh
. ./loads.sh

variant=$1
shift
vhost=on
[ "$variant" != user ] || vhost=off
channel="console 1"

# Once for all variants
prepare() {
	make_tap 1 && make_tap 2 && iperf3 --server --daemon && touch /run/prepared || return
	pingpong server "$port" &
}

# boot N CPUS: User VM N, with the network on tapN
boot() {
	start_vm "$1" "$2" --net "tap=tap$1,vhost=$vhost"
	vm_ready "$1" && wait_until 10 ping_vm "$1" || return
	# The first who asks for random numbers waits until there are any, busily
	guest "$1" "head -c 1 /dev/random > /dev/null"
}

to_service_vm() {
	boot 1 "$1" && net_loads "" 10.0.1.1 && stop_vm 1
}

# join N: User VM N and its tap, on the bridge
join() {
	ip link set "tap$1" master br0 && guest "$1" "ip address add 10.0.9.$1/24 dev eth0"
}

# The second User VM serves; iperf3 does so in all of them
two_user_vms() {
	boot 1 "$1" && boot 2 "$2" && ip link add br0 type bridge && ip link set br0 up &&
		join 1 && join 2 && guest 2 "(pingpong server $port > /dev/null &)" &&
		wait_until 10 guest 1 "ping -c 1 10.0.9.2" > /dev/null &&
		net_loads_few "two User VMs: " 10.0.9.2 && stop_vm 1 && stop_vm 2 &&
		ip link del br0
}

[ -e /run/prepared ] || prepare || exit
to_service_vm "$1" || exit
[ "$quick" = 1 ] || two_user_vms "$1" "$2"
