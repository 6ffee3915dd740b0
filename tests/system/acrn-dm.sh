#!/bin/sh
# The unmodified acrn-dm with a Linux User VM: disk and network, handled by acrn-dm's own
# threads and without them; memory shared with the Service VM; reboots; power-off.
#
# Arguments: number of reboots, physical CPU of the User VM.
. ./acrn-dm-lib.sh

reboots=$1
cpu=$2

# Guest physical address of the ivshmem device's memory: BAR 2 of device 5
shared_address="\$(awk 'NR == 3 { print \$1 }' /sys/bus/pci/devices/0000:00:05.0/resource)"

# shares_memory WORD: the Service VM writes a word of four letters to the shared memory,
# the guest reads it and writes it to another place, where the Service VM reads it.
shares_memory() {
	printf %s "$1" | dd of=/dev/shm/shared bs=4096 seek=100 conv=notrunc 2> /dev/null
	word=$(printf %s "$1" | hexdump -e '"0x%08X"')
	guest 1 "devmem \$(($shared_address + 0x64000))" | tee /dev/stderr | grep -qx "$word" &&
		guest 1 "devmem \$(($shared_address + 0x64008)) 32 $word" &&
		dd if=/dev/shm/shared bs=8 skip=51201 count=1 2> /dev/null | grep -q "^$1"
}

# Whether all doorbells are asynchronous, those of disk and network have rung, and none was
# a request. Each of these two devices has one port for its queues.
rings_asynchronously() {
	counters=$(echo /sys/class/misc/acrn_hsm/vm*)
	tee /run/doorbells < "/sys/kernel/debug/acrn_hsm/${counters##*/}/doorbells"
	rung=$(cat "$counters/doorbells_ring")
	requests=$(cat "$counters/doorbells" "$counters/doorbells_deferred" | xargs)
	echo "asynchronous: $rung, requests: $requests"
	! grep -v 'async=yes$' /run/doorbells &&
		[ "$(awk '/rings=[1-9]/ { print $2 }' /run/doorbells | sort -u | wc -l)" = 2 ] &&
		[ "$rung" -gt 20 ] && [ "$requests" = "0 0" ]
}

# acrn-vhost sees it, and by its own name
is_listed() {
	acrn-vhost list | tee /dev/stderr | grep -Eq "^ +[0-9]+ vm1 +running +1 .* acrn-dm +-$"
}

prepare
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
	if [ "$hsm" = ours ]; then
		check "$name: the doorbells are asynchronous" rings_asynchronously
		check "$name: acrn-vhost lists it" is_listed
	fi
	check "$name: memory is shared" shares_memory boot
	for reboot in $(seq "$reboots"); do
		check "$name: the User VM reboots ($reboot)" reboot_vm 1 $((reboot + 1))
		check "$name: memory is shared after that" shares_memory "-re$reboot"
	done
	works "$name, after a reboot" 128
	[ "$hsm" != ours ] || check "$name: all doorbells are asynchronous then" rings_asynchronously
	check "$name: acrn-dm ends well at power-off" stop_vm 1
else
	kill_vm 1
fi

# Without virtio-blk nobody handles SIGCONT, which acrn-dm sends its thread of VM events
start_acrn_dm 1 "$cpu" -s 4,virtio-net,tap=tap1
if check "no disk: the User VM comes to its prompt" vm_ready 1; then
	# acrn-dm ends the thread in the same way then. Where a boot takes long, once
	# is enough
	[ "$reboots" -lt 2 ] || check "no disk: it reboots" reboot_vm 1 2
	check "no disk: acrn-dm ends well at power-off" stop_vm 1
else
	kill_vm 1
fi

check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
