#!/bin/sh
# A Linux User VM boots, answers to ping, runs iperf3 and powers off: with vhost-net and
# completion by hypercall, with vhost-net and completion by polling, and with virtio in
# user space.
#
# Arguments: seconds for each iperf3 run, physical CPU of the User VM.
. ./lib.sh

seconds=$1
cpu=$2

has_throughput() {
	result=$(iperf 1 --time "$seconds" "$@") || { echo "$result"; return 1; }
	echo "$result" | grep -o '"bits_per_second":[^,}]*' |
		awk -F: '{ last = $2 } END { exit !(last > 0) }' || { echo "$result"; return 1; }
}

# statistic NAME: a number of the device model's statistics
statistic() {
	sed -n "s/.*\"$1\": *\\([0-9]*\\).*/\\1/p" /run/vm1.stats
}

work() {
	check "$1: the User VM comes to its prompt" vm_ready 1 || return
	check "$1: the User VM answers to ping" wait_until 10 ping_vm 1 || return
	check "$1: TCP to the User VM" has_throughput
	check "$1: TCP from the User VM" has_throughput --reverse
	check "$1: small UDP packets from the User VM" \
		has_throughput --reverse --udp --length 64 --bitrate 0
	check "$1: the User VM powers off" stop_vm 1
}

check "tap device" make_tap 1 || finish || exit

start_vm 1 "$cpu" --net tap=tap1,vhost=on
work "vhost"
check "vhost: no doorbell reached the device model" [ "$(statistic doorbells_to_dm)" = 0 ]
if [ "$hsm" = ours ]; then
	routed=$(counter doorbells_routed)
	check "vhost: doorbells were routed" [ "$routed" -gt 100 ]
	check "vhost: interrupts were injected" [ "$(counter msis_injected)" -gt 100 ]
fi

start_vm 1 "$cpu" --net tap=tap1,vhost=on --completion-polling
work "vhost, completion by polling"
[ "$hsm" != ours ] || check "vhost, completion by polling: doorbells were routed" \
	[ "$(counter doorbells_routed)" -gt $((routed + 100)) ]

start_vm 1 "$cpu" --net tap=tap1,vhost=off
work "user space"
check "user space: doorbells reached the device model" [ "$(statistic doorbells_user)" -gt 100 ]

check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
