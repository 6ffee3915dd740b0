#!/bin/sh
# A network device with several pairs of queues, in a User VM with two vCPUs, with vhost-net
# and with the device model's own network: packets on each queue, changes of the number of
# pairs, unbinding and binding, a reboot.
#
# Arguments: seconds for each iperf3 run; "all", or "vhost" to leave out the device model's
# own network and the reboot; physical CPUs of the User VM.
#
# At the end a disk with two queues, for which vhost makes one worker alone.
. ./lib.sh

seconds=$1
what=$2
cpus=$3,$4
interrupts="cat /proc/interrupts"
# Number of commands on the control queue; a reboot makes one more
commands=4
[ "$what" != all ] || commands=5

# Start an iperf3 server on each vCPU: its packets use that vCPU's queues
start_servers() {
	guest 1 "taskset 1 iperf3 --server --daemon --port 5301 &&
		taskset 2 iperf3 --server --daemon --port 5302"
}

# Run two streams each way to both servers at the same time
streams() {
	guest 1 "$interrupts" || return
	for server in 1 2; do
		iperf 1 --port 530$server --parallel 2 --bidir --time "$seconds" \
			> /run/iperf.$server &
	done
	wait_until $((seconds + 20)) sh -c "grep -q receiver /run/iperf.1 && grep -q receiver /run/iperf.2" &&
		guest 1 "$interrupts"
}

# Ping from each vCPU
pings() {
	guest 1 "$interrupts && taskset 1 ping -A -c 50 -q 10.0.1.1 &&
		taskset 2 ping -A -c 50 -q 10.0.1.1 && $interrupts"
}

# packets_on LEAST MOST COMMAND: COMMAND causes packets on LEAST to MOST queues. It prints
# /proc/interrupts before and after.
packets_on() {
	$3 > /run/interrupts || { cat /run/interrupts; return 1; }
	awk -v least="$1" -v most="$2" '
		/virtio[0-9]*-(in|out)put/ && $NF in before {
			print $NF, before[$NF], $2 + $3
			used += $2 + $3 - before[$NF] > 20
		}
		/virtio[0-9]*-(in|out)put/ { before[$NF] = $2 + $3 }
		END { exit used < least || used > most }' /run/interrupts
}

# The offloads of the tap device that the driver uses. From 6.2 on there is UDP segmentation
# too, which is off until it is switched on.
offloads() {
	guest 1 "ethtool -k eth0" > /run/offloads
	for name in tx-checksum-ip-generic tx-tcp-segmentation tx-tcp-ecn-segmentation; do
		grep "$name: on" /run/offloads || { cat /run/offloads; return 1; }
	done
	case $(uname -r) in
	6.1.*) grep 'tx-udp-segmentation: off \[fixed\]' /run/offloads ;;
	*) guest 1 "ethtool -K eth0 tx-udp-segmentation on" ;;
	esac
}

# pairs_are N: the guest uses N pairs, and N queues of the tap device are attached
pairs_are() {
	guest 1 "ethtool -l eth0" > /run/pairs
	cat /run/pairs
	[ "$(awk '/^Combined:/ { n = $2 } END { print n }' /run/pairs)" = "$1" ] &&
		[ "$(find /sys/class/net/tap1/queues/ -name 'tx-*' | wc -l)" = "$1" ]
}

set_pairs() {
	guest 1 "ethtool -L eth0 combined $1" && pairs_are "$1"
}

no_more_pairs() {
	! guest 1 "ethtool -L eth0 combined $1" && pairs_are 2
}

# All four queues of the two pairs have a doorbell that has rung
doorbells_routed() {
	cat /sys/kernel/debug/acrn_hsm/vm*/doorbells
	[ "$(grep -c 'mmio.*rings=[1-9]' /sys/kernel/debug/acrn_hsm/vm*/doorbells)" = 4 ]
}

rebind() {
	driver=/sys/bus/virtio/drivers/virtio_net
	device=$(guest 1 "ls $driver | grep ^virtio") || return
	guest 1 "echo $device > $driver/unbind && echo $device > $driver/bind &&
		ip address add 10.0.1.2/24 dev eth0 && ip link set eth0 up" && pairs_are 2
}

reboot_and_ping() {
	reboot_vm 1 2 "ip link set eth0 down" && wait_until 10 ping_vm 1
}

boot() {
	vm_ready 1 && wait_until 10 ping_vm 1 && start_servers
}

# work NAME PAIRS: check a device with PAIRS pairs of queues. Answers to pings come to the
# queue of the vCPU that pinged last, so one of the receive queues may be idle.
work() {
	check "$1: the User VM boots and answers to ping" boot
	check "$1: it has the offloads of the tap device" offloads
	check "$1: it uses a pair for each vCPU" pairs_are 2
	check "$1: iperf3 on all queues" packets_on 4 4 streams
	check "$1: one pair" set_pairs 1
	check "$1: packets on its queues alone" packets_on 2 2 pings
	check "$1: two pairs" set_pairs 2
	check "$1: packets on both" packets_on 3 4 pings
	check "$1: no more pairs than there are" no_more_pairs $(($2 + 1))
}

statistic() {
	sed -n "s/.*\"$1\": *\\([0-9]*\\).*/\\1/p" /run/vm1.stats
}

# Off, vhost's workers are kernel threads, one for each device. Linux 6.1 has no parameter.
fork_from_owner=/sys/module/vhost/parameters/fork_from_owner_default

kernel_threads() {
	rmmod vhost_net && rmmod vhost && modprobe vhost fork_from_owner_default=0 &&
		[ "$(cat $fork_from_owner)" = N ] && modprobe vhost_net && modprobe vhost_blk poll=0 &&
		truncate -s 1M /run/disk
}

# Read on each of the disk's queues
disk_queues_work() {
	guest 1 "[ -d /sys/block/vda/mq/1 ] &&
		taskset 1 dd if=/dev/vda of=/dev/null bs=4k iflag=direct &&
		taskset 2 dd if=/dev/vda of=/dev/null bs=4k iflag=direct"
}

shared_worker() {
	check "one worker: vhost has kernel threads" kernel_threads
	start_vm 1 "$cpus" --blk path=/run/disk,queues=2
	if check "one worker: the User VM boots" vm_ready 1; then
		check "one worker: both queues of the disk work" disk_queues_work
		check "one worker: the User VM powers off" stop_vm 1
	else
		kill_vm 1
	fi
	check "vhost_blk unloads" rmmod vhost_blk
}

check "tap device" make_tap 1 multi_queue

if [ "$what" = all ]; then
	start_vm 1 "$cpus" --net tap=tap1,vhost=off,queues=3
	work "user space" 3
	check "user space: the device model is killed" kill_vm 1
fi

start_vm 1 "$cpus" --net tap=tap1,vhost=on,queues=2
work "vhost" 2
check "vhost: unbound and bound" rebind
check "vhost: packets on both pairs" packets_on 3 4 pings
if [ "$what" = all ]; then
	check "vhost: the User VM reboots" reboot_and_ping
	check "vhost: packets on both pairs" packets_on 3 4 pings
fi
[ "$hsm" != ours ] || check "vhost: the doorbells of all queues were routed" doorbells_routed
check "vhost: the User VM powers off" stop_vm 1
check "vhost: no doorbell reached the device model" [ "$(statistic doorbells_to_dm)" = 0 ]
check "vhost: but those of the control queue" [ "$(statistic doorbells_user)" -ge "$commands" ]
[ ! -e $fork_from_owner ] || shared_worker
check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
