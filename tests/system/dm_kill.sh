#!/bin/sh
# The device model is killed in the middle of iperf3 and a new User VM is started at once,
# again and again. Afterwards no page may be pinned, and the modules must unload. The
# network device has one more pair of queues than the User VM uses.
#
# Arguments: number of kills, physical CPU of the User VM.
. ./lib.sh

times=$1
cpu=$2

kill_in_traffic() {
	start_vm 1 "$cpu" --net tap=tap1,vhost=on,queues=2
	vm_ready 1 || return
	wait_until 10 ping_vm 1 || { echo "no answer to ping"; return 1; }
	iperf 1 --time 30 "$@" > /run/iperf.out &
	client=$!
	before=$(traffic)
	wait_until 10 traffic_passed "$before" || { echo "no traffic"; return 1; }
	kill_vm 1
	kill $client
	wait $client 2> /dev/null
	true
}

traffic() {
	cat /sys/class/net/tap1/statistics/rx_packets
}

traffic_passed() {
	[ "$(traffic)" -gt $(($1 + 200)) ]
}

check "tap device" make_tap 1 multi_queue
i=0
while [ $i -lt "$times" ]; do
	i=$((i + 1))
	direction=
	[ $((i % 2)) = 0 ] || direction=--reverse
	check "device model killed in the middle of iperf3 $direction, time $i" \
		kill_in_traffic $direction
done
start_vm 1 "$cpu" --net tap=tap1,vhost=on,queues=2
check "a User VM after all that" vm_ready 1
check "it powers off" stop_vm 1
check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
