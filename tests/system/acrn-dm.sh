#!/bin/sh
# The unmodified acrn-dm and a Linux User VM: disk and network, by its own threads
# and in the kernel, memory that it shares with the Service VM, reboots, power-off; and
# device models that are killed.
#
# Arguments: how many are killed, physical CPU of the User VM.
. ./lib.sh

kills=$1
cpu=$2
stats=/sys/kernel/debug/acrn_hsm
fast_disk="-s 3,virtio-blk,iothread,/run/disk.img,aio=io_uring"
fast_network="-s 4,virtio-net,tap=tap1,vhost"

# The User VM's own message when its first process is up, once for each boot
boots() {
	[ "$(grep -c '^user-vm: ready' /run/vm1.log)" -ge "$1" ]
}

# boots_again N: reboot from inside, and wait until it is up for the Nth time.
boots_again() {
	echo "reboot -f" > /run/vm1.in
	wait_until "${vm_boot_seconds:-60}" boots "$1" || { tail -n 12 /run/vm1.log; return 1; }
}

# What is written is read back from the device, not from the guest's memory.
disk_works() {
	guest 1 "dd if=/dev/urandom of=/tmp/data bs=64k count=8 2> /dev/null &&
		dd if=/tmp/data of=/dev/vda bs=16k seek=$1 oflag=direct 2> /dev/null &&
		echo 3 > /proc/sys/vm/drop_caches &&
		dd if=/dev/vda bs=16k skip=$1 count=32 iflag=direct 2> /dev/null | cmp - /tmp/data" &&
		cmp -s -n 524288 /run/disk.img /dev/zero $((16384 * $1)) &&
		{ echo "the file has nothing but zeroes"; return 1; }
	return 0
}

# 1 MiB each way, and 20 requests
network_works() {
	iperf 1 --bytes 1M && iperf 1 --bytes 1M --reverse &&
		ping -c 20 -i 0.05 -W 5 10.0.1.2 > /dev/null
}

# Where the guest has the ivshmem device's memory: the BAR 2 of device 5
shared_address="\$(awk 'NR == 3 { print \$1 }' /sys/bus/pci/devices/0000:00:05.0/resource)"

# The guest reads the word of four letters that the Service VM writes, and writes
# it to another place, where the Service VM reads it.
shares_memory() {
	printf %s "$1" | dd of=/dev/shm/shared bs=4096 seek=100 conv=notrunc 2> /dev/null
	word=$(printf %s "$1" | hexdump -e '"0x%08X"')
	guest 1 "devmem \$(($shared_address + 0x64000))" | tee /dev/stderr | grep -qx "$word" &&
		guest 1 "devmem \$(($shared_address + 0x64008)) 32 $word" &&
		dd if=/dev/shm/shared bs=8 skip=51201 count=1 2> /dev/null | grep -q "^$1"
}

doorbells() {
	cat $stats/vm*/stats | awk '$1 == "doorbells" { n += $2 } END { print n + 0 }'
}

rang_in_the_upcall() {
	n=$(doorbells)
	echo "doorbells in the upcall: $n"
	[ "$n" -gt 20 ]
}

works() {
	check "$1: the disk keeps what is written" disk_works "$2"
	check "$1: the network carries" network_works
}

check "tap device" make_tap 1 || finish || exit
check "huge pages" huge_pages 80 || finish || exit
dd if=/dev/zero of=/run/disk.img bs=1M count=8 2> /dev/null

start_acrn_dm 1 "$cpu" -s 3,virtio-blk,/run/disk.img -s 4,virtio-net,tap=tap1
name="in the device model's threads"
if check "$name: the User VM comes to its prompt" vm_ready 1; then
	works "$name" 0
	check "$name: acrn-dm ends well at power-off" stop_vm 1
else
	kill_vm 1
fi

# shellcheck disable=SC2086 # these are several words
start_acrn_dm 1 "$cpu" $fast_disk $fast_network -s 5,ivshmem,dm:/shared,2
name="iothread and vhost"
if check "$name: the User VM comes to its prompt" vm_ready 1; then
	works "$name" 64
	[ "$hsm" != ours ] || check "$name: doorbells are completed in the upcall" rang_in_the_upcall
	check "$name: memory is shared" shares_memory boot
	for boot in 2nd 3rd 4th; do
		check "$name: the User VM boots for the $boot time" boots_again "${boot%[a-z][a-z]}"
		check "$name: memory is shared after that" shares_memory "-$boot"
	done
	works "$name, after the reboots" 128
	check "$name: acrn-dm ends well at power-off" stop_vm 1
else
	kill_vm 1
fi

# In the middle of a boot a User VM has a request outstanding most of the time.
# A new one has to find the hypervisor as if there had been none before. The
# in-tree HSM leaves each of them behind ("destroy-running").
# shellcheck disable=SC2086 # the devices are several words
kill_some() {
	name="after $kills kills"
	killed=0
	while [ $killed -lt "$kills" ]; do
		start_acrn_dm 1 "$cpu" $fast_disk $fast_network
		usleep $((300000 * ${slowness:-1} + 150000 * killed))
		kill_vm 1
		killed=$((killed + 1))
	done
	start_acrn_dm 1 "$cpu" $fast_disk $fast_network
	if check "$name: the User VM comes to its prompt" vm_ready 1; then
		works "$name" 192
		guest 1 "(while :; do dd if=/dev/vda of=/dev/null bs=4k count=64 iflag=direct
			done) > /dev/null 2>&1 & true"
	fi
	kill_vm 1
}

[ "$hsm" != ours ] || kill_some
check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
