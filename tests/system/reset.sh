#!/bin/sh
# Resets of a network device and of the User VM: the driver is unbound and bound, also under
# traffic, and the User VM reboots; with vhost-net and without. With "zeroing" a slow disk on
# vhost-blk is being zeroed and read at the first reboot.
#
# Arguments: how often with vhost-net, zeroing or nothing, physical CPU of the User VM.
. ./lib.sh

times=$1
disk=$2
cpu=$3

# Zeroing all of it takes 32 seconds. It has a pattern at the beginning and at the end.
slow_end=0xffff000
make_slow() {
	null_disk_prepare && null_disk slow size=256 mbps=8 memory_backed=1 &&
		blk_io fill /dev/slow 0 0x1000 7 && blk_io fill /dev/slow $slow_end 0x1000 7 &&
		modprobe vhost_blk
}

# Both go on behind the shell's back. Wait until the first block is zeroes.
start_zeroing() {
	guest 1 "(blk_io zero /dev/vda 0 0x10000000 > /dev/null 2>&1 &)
		(dd if=/dev/vda of=/dev/null bs=1M iflag=direct 2> /dev/null &)" &&
		wait_until 10 blk_io expect /dev/slow 0 0x1000 0
}

# A reset takes no longer than the piece of zeroing that it finds under way, and the piece
# at the end was not begun.
zeroing_has_ended() {
	blk_io expect /dev/slow $slow_end 0x1000 7 && ! grep "error at the stop" /run/vm1.log
}

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

# resets NAME TIMES [zeroing]: check each reset, TIMES times; the first reboot while the
# slow disk is being zeroed
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
	[ "$3" != zeroing ] || check "$1: a slow disk is being zeroed" start_zeroing
	for i in $(seq "$2"); do
		check "$1: the User VM reboots, $i" reboot_cleanly $((i + 1))
		check "$1: ping after that" wait_until 10 ping_vm 1
		[ "$3$i" != zeroing1 ] || check "$1: the reboot has ended that" zeroing_has_ended
	done
	check "$1: the User VM powers off" stop_vm 1
}

check "tap device" make_tap 1
if [ "$disk" = zeroing ]; then
	check "a slow disk" make_slow
	start_vm 1 "$cpu" --net tap=tap1,vhost=on --blk path=/dev/slow
	resets "vhost" "$times" zeroing
	check "vhost_blk unloads" rmmod vhost_blk
	check "the slow disk goes" rmdir $nullb/slow
else
	start_vm 1 "$cpu" --net tap=tap1,vhost=on
	resets "vhost" "$times"
fi
start_vm 1 "$cpu" --net tap=tap1,vhost=off
resets "user space" 1
check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
