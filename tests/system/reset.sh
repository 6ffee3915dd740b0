#!/bin/sh
# Resets of a network device and of the User VM: the driver is unbound and bound, also under
# traffic, and the User VM reboots; with vhost-net and without.
#
# Arguments: physical CPU of the User VM.
. ./lib.sh

cpu=$1

rebind() {
	driver=/sys/bus/virtio/drivers/virtio_net
	device=$(guest 1 "ls $driver | grep ^virtio") || return
	guest 1 "echo $device > $driver/unbind && ! [ -e /sys/class/net/eth0 ]" || return
	guest 1 "echo $device > $driver/bind && ip address add 10.0.1.2/24 dev eth0 &&
		ip link set eth0 up"
}

# reboot_cleanly TIMES: reboot until it has booted so many times. The interface is taken
# down first, as an init does: Linux 6.1.192 marks virtio devices as broken at reboot,
# after which its virtio-net polls for ever if packets are still to be transmitted.
reboot_cleanly() {
	reboot_vm 1 "$1" "ip link set eth0 down" && guest 1 true
}

# resets NAME TIMES: check each reset, TIMES times
resets() {
	check "$1: the User VM comes to its prompt" vm_ready 1
	check "$1: ping" wait_until 10 ping_vm 1
	for i in $(seq "$2"); do
		check "$1: virtio-net is unbound and bound, $i" rebind
		check "$1: ping after that" wait_until 10 ping_vm 1
	done
	iperf 1 --time 20 --reverse > /run/iperf.out &
	client=$!
	sleep 1
	check "$1: unbound in the middle of traffic" rebind
	check "$1: ping after that" wait_until 10 ping_vm 1
	kill $client 2> /dev/null
	for i in $(seq "$2"); do
		check "$1: the User VM reboots, $i" reboot_cleanly $((i + 1))
		check "$1: ping after that" wait_until 10 ping_vm 1
	done
	check "$1: the User VM powers off" stop_vm 1
}

check "tap device" make_tap 1
start_vm 1 "$cpu" --net tap=tap1,vhost=on
resets "vhost" 2
start_vm 1 "$cpu" --net tap=tap1,vhost=off
resets "user space" 1
check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
