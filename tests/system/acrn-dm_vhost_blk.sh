#!/bin/sh
# acrn-dm with the device that acrn-dm/ adds to it: a disk whose requests vhost-blk
# handles in the kernel.
#
# Arguments: physical CPUs of the User VM, two.
. ./acrn-dm-lib.sh

cpus=$1,$2
acrn_dm=acrn-dm-vhost-blk
disk=/run/disk.img
name="disk in the kernel"

# shellcheck disable=SC2086 # the network's options are several words
start_with_disk() {
	start_acrn_dm 1 "$cpus" -s "3,vhost-blk,$disk,queues=2,poll=50" \
		-s "5,vhost-blk,/run/other.img,ro" -s 6,vhost-blk,/dev/ram0 $fast_network
}

# Both queues of the disk have an asynchronous doorbell that has rung. This runs before
# the network is used, so no other doorbells have.
rings_asynchronously() {
	cat /sys/kernel/debug/acrn_hsm/vm*/doorbells
	[ "$(cat /sys/kernel/debug/acrn_hsm/vm*/doorbells | grep -c 'rings=[1-9].*async=yes')" -ge 2 ]
}

is_as_described() {
	guest 1 "cd /sys/block && grep -x 16384 vda/size && grep -x 0 vda/ro &&
		[ -e vda/mq/1 ] && grep -x 1 vdb/ro && grep -x 2048 vdb/size &&
		grep -x /run/disk.img vda/serial"
}

grows() {
	truncate -s 16M $disk
	wait_until 10 guest 1 "grep -x 32768 /sys/block/vda/size"
}

caches() {
	guest 1 "cd /sys/block/vda && grep -x 'write back' cache_type &&
		echo 'write through' > cache_type && grep -x 'write through' cache_type &&
		echo 'write back' > cache_type && grep -x 'write back' cache_type"
}

# Address of the device's MSI-X table, which is its BAR 1. An entry has 16 bytes, the mask
# is in the last 4; the first queue's vector is the second entry.
mask_address="\$(awk 'NR == 2 { print \$1 }' /sys/bus/pci/devices/0000:00:03.0/resource)"

# While the driver masks the vector, no interrupt arrives, so a read waits. Unmasking
# delivers the interrupt that was raised meanwhile.
interrupts_wait() {
	guest 1 "mask=\$(($mask_address + 16 + 12))
		devmem \$mask 32 1
		(taskset 1 dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct; echo read > /tmp/read) &
		sleep 2; [ -e /tmp/read ] || waited=yes
		devmem \$mask 32 0
		for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /tmp/read ] || sleep 1; done
		echo waited: \$waited; [ \"\$waited\" = yes ] && cat /tmp/read"
}

refuses() {
	"$acrn_dm" -m 128M --cpu_affinity "$cpus" -s 0:0,hostbridge -s "3,vhost-blk,$1" \
		-k /images/bzImage refused > /run/refused.log 2>&1 && return 1
	tail -n 5 /run/refused.log
	grep -q "$2" /run/refused.log
}

# device_works SEED: a block device that acrn-dm has claimed keeps what the guest writes
device_works() {
	guest 1 "blk_io fill /dev/vdc 0 0x1000 $1" && blk_io expect /dev/ram0 0 0x1000 "$1"
}

check "vhost_blk loads" modprobe vhost_blk
prepare
truncate -s 1M /run/other.img
check "a disk that is not there" refuses /run/none "vhost-blk: /run/none: No such file"
check "a file system is mounted" mount_ram0
check "a mounted disk" refuses /dev/ram0 "vhost-blk: /dev/ram0: .*release it first.*mounted"
check "the file system is given back" umount /mnt
check "a wrong option" refuses "$disk,queues=17" 'wrong option "queues=17"'

start_with_disk
if check "$name: the User VM comes to its prompt" vm_ready 1; then
	check "$name: the driver sees it as it is" is_as_described
	check "$name: it keeps what is written" disk_works 0
	check "$name: a block device keeps what is written" device_works 7
	check "$name: the doorbells are asynchronous" rings_asynchronously
	check "$name: the network carries" network_works
	check "$name: a masked interrupt waits" interrupts_wait
	check "$name: the cache is turned off and on" caches
	check "$name: it grows" grows
	check "$name: the User VM boots again" reboot_vm 1 2
	check "$name: it keeps what is written after that" disk_works 512
	check "$name: so does a block device, claimed again" device_works 8
	guest 1 "(while :; do dd if=/dev/zero of=/dev/vda bs=64k count=64 oflag=direct
		done) > /dev/null 2>&1 & sleep 1" > /dev/null
fi
kill_vm 1

name="after a kill in the middle of writes"
start_with_disk
if check "$name: the User VM comes to its prompt" vm_ready 1; then
	check "$name: the disk keeps what is written" disk_works 64
	check "$name: acrn-dm ends well at power-off" stop_vm 1
else
	kill_vm 1
fi
check "no page stays pinned" no_pages_pinned
check "vhost_blk unloads" rmmod vhost_blk
check "the modules unload" unload_modules
finish
