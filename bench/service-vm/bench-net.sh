#!/bin/sh
# iperf3, and requests and responses, between a User VM and the Service VM, over
# one pair of queues and over four, over a network device for which vhost-net
# waits with its eyes open, and between two User VMs on a bridge; requests and
# responses over vsock. All loads are started by the User VM, of two by the first.
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
	modprobe vhost_vsock && make_tap 1 && make_tap 2 && make_tap 3 multi_queue &&
		make_tap 4 && iperf3 --server --daemon && touch /run/prepared || return
	pingpong server "$port" &
}

# boot N CPUS QUEUES OPTION...: User VM N, with the network on tapN, and vsock
boot() {
	number=$1
	cpus=$2
	queues=$3
	shift 3
	start_vm "$number" "$cpus" --net "tap=tap$number,vhost=$vhost,queues=$queues" \
		--vsock "cid=4$number" "$@"
	vm_ready "$number" && wait_until 10 ping_vm "$number" || return
	# The first who asks for random numbers waits until there are any, busily
	guest "$number" "head -c 1 /dev/random > /dev/null"
}

# What there is in the kernel alone
vhost_loads() {
	guest 1 "modprobe vmw_vsock_virtio_transport &&
		ip address add 10.0.4.2/24 dev eth1 && ip link set eth1 up" && vsock_loads &&
		pingpong_load "busyloop: UDP requests, depth 32" 10.0.4.1 udp 32
}

to_service_vm() {
	if [ "$vhost" = off ]; then
		boot 1 "$1" 1 && net_loads "" 10.0.1.1
	else
		boot 1 "$1" 1 --net tap=tap4,busyloop=200 &&
			net_loads "" 10.0.1.1 && vhost_loads
	fi && stop_vm 1
}

# The third User VM, as its tap is another kind
four_pairs() {
	channel="console 3"
	boot 3 "$1" 4 && iperf_loads "4 queue pairs: TCP, 4 streams," 10.0.3.1 --parallel 4 &&
		pingpong_load "4 queue pairs: UDP requests, depth 32" 10.0.3.1 udp 32 && stop_vm 3
}

# join N: User VM N and its tap, on the bridge
join() {
	ip link set "tap$1" master br0 && guest "$1" "ip address add 10.0.9.$1/24 dev eth0"
}

# The second User VM serves; iperf3 does so in all of them
two_user_vms() {
	boot 1 "$1" 1 && boot 2 "$2" 1 && ip link add br0 type bridge && ip link set br0 up &&
		join 1 && join 2 && guest 2 "(pingpong server $port > /dev/null &)" &&
		wait_until 10 guest 1 "ping -c 1 10.0.9.2" > /dev/null &&
		net_loads_few "two User VMs: " 10.0.9.2 && stop_vm 1 && stop_vm 2 &&
		ip link del br0
}

[ -e /run/prepared ] || prepare || exit
to_service_vm "$1" || exit
[ "$quick" = 0 ] || exit 0
two_user_vms "$1" "$2" && four_pairs "$1,$2,$3,$4"
