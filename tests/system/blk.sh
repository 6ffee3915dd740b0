#!/bin/sh
# Disks of a User VM: on block devices and files, through vhost-blk, and through
# the device model by io_uring or threads. What is written is there, on the disk
# as well as in the User VM; what is not to be written is not.
#
# Arguments: seconds for each random test, how often the device model is killed,
# physical CPUs of the User VM.
. ./lib.sh

seconds=$1
kills=$2
cpus=$3,$4
vm_memory=256M

# The sectors of the Service VM's device, past its page cache
sha_of() {
	dd if="$1" bs=1M count="$2" iflag=direct 2> /dev/null | sha256sum | cut -d ' ' -f 1
}

attach() {
	check "$1: the User VM comes to its prompt" vm_ready 1 || return
	check "$1: two queues" guest 1 "[ -d /sys/block/vda/mq/1 ]"
	check "$1: the serial number" guest 1 "[ \$(cat /sys/block/vda/serial) = SERIAL-OF-20-LETTERS ]"
	check "$1: the size" guest 1 "[ \$(blockdev --getsize64 /dev/vda) = $2 ]"
}

# transfers TITLE DISK: reads and writes of all sizes, alone and many at once
transfers() {
	check "$1: random, up to 1 MiB, one at a time" guest 1 "blk_io verify $2 $seconds 1 1048576"
	check "$1: random, up to 1 MiB, eight at once" guest 1 "blk_io verify $2 $seconds 8 1048576"
	check "$1: random, up to 4 KiB, three at once" guest 1 "blk_io verify $2 $seconds 3 4096"
}

# The disk and its guest read the same
same_data() {
	mine=$(sha_of "$1" 4)
	its=$(guest 1 "dd if=$2 bs=1M count=4 iflag=direct 2> /dev/null | sha256sum | cut -d ' ' -f 1")
	echo "$mine $its"
	[ "$mine" = "$its" ]
}

cache_mode() {
	guest 1 "echo '$2' > /sys/block/vda/cache_type && [ \"\$(cat /sys/block/vda/cache_type)\" = '$2' ]" &&
		guest 1 "blk_io fill /dev/vda 0 0x10000 9 && blk_io expect /dev/vda 0 0x10000 9"
}

statistic() {
	sed -n "s/.*\"$1\": *\\([0-9]*\\).*/\\1/p" /run/vm1.stats
}

rebind() {
	driver=/sys/bus/virtio/drivers/virtio_blk
	device=$(guest 1 "basename \$(readlink /sys/block/vda/device)") || return
	guest 1 "echo $device > $driver/unbind && ! [ -e /dev/vda ]" || return
	guest 1 "echo $device > $driver/bind && [ -e /dev/vda ]"
}

# How far each writer has come
last_ack() {
	tr -d '\r' < /run/vm1.log | sed -n 's/^acked \([0-9 ]*\)\.$/\1/p' | tail -n 1
}

acked() {
	first=$(last_ack)
	first=${first%% *}
	[ -n "$first" ] && [ "$first" -gt "$1" ]
}

# kill_while_writing GENERATION BLOCKS
kill_while_writing() {
	echo "blk_io log /dev/vda $1" > /run/vm1.in
	wait_until 30 acked "$2" || return
	kill_vm 1
}

# start_with OPTION: a User VM with four disks: vda on a block device with two
# queues, vdb and vdc on files with and without direct I/O, vdd read-only
start_with() {
	start_vm 1 "$cpus" --blk "path=/dev/nullb0,serial=SERIAL-OF-20-LETTERS,queues=2$1" \
		--blk "path=/mnt/disk$1" --blk "path=/run/disk$1" --blk "path=/dev/ram1,ro$1"
}

# work TITLE: all that a User VM can do with these disks
work() {
	attach "$1, block device" 1073741824 || return
	check "$1, block device: written through" cache_mode "$1" "write through"
	check "$1, block device: written back" cache_mode "$1" "write back"
	for disk in "block device:/dev/vda" "file:/dev/vdb" "file in memory:/dev/vdc"; do
		transfers "$1, ${disk%:*}" "${disk#*:}"
		check "$1, ${disk%:*}: zeroed and discarded" guest 1 "blk_io ranges ${disk#*:} 0x100000"
	done
	check "$1, read-only: it is read" guest 1 "blk_io expect /dev/vdd 0 0x100000 0"
	check "$1, read-only: it is not written" guest 1 "blk_io refused /dev/vdd"
	check "$1, block device: the Service VM reads the same" same_data /dev/nullb0 /dev/vda
	check "$1, file: the Service VM reads the same" same_data /mnt/disk /dev/vdb
	check "$1: unbound and bound" rebind
	check "$1: what was written is there" guest 1 "blk_io expect /dev/vda 0x100000 0x40000 7"
	check "$1: the User VM powers off" stop_vm 1
}

prepare() {
	modprobe null_blk nr_devices=2 gb=1 memory_backed=1 discard=1 &&
		mke2fs /dev/nullb1 && mkdir -p /mnt && mount -t ext4 /dev/nullb1 /mnt &&
		truncate -s 128M /mnt/disk && truncate -s 64M /run/disk &&
		dd if=/dev/zero of=/dev/ram1 bs=1M count=4 && modprobe vhost_blk
}

check "the disks are made" prepare
start_with ""
work "vhost"
check "vhost: no doorbell reached the device model" [ "$(statistic doorbells_to_dm)" = 0 ]

start_with ",backend=uring"
work "io_uring"
check "io_uring: no doorbell reached the device model" [ "$(statistic doorbells_to_dm)" = 0 ]

start_with ",backend=thread"
work "thread"

# Each User VM looks for what the one before it was told is written, then writes
# itself and is killed.
generation=0
acked=
start_with ""
while check "kill $generation: the User VM comes to its prompt" vm_ready 1; do
	[ "$generation" = 0 ] ||
		check "kill $generation: what was acknowledged is there: $acked" \
			guest 1 "blk_io checklog /dev/vda $generation ${acked:-nothing}"
	[ "$generation" -lt "$kills" ] || break
	generation=$((generation + 1))
	check "kill $generation: the device model is killed while writing" \
		kill_while_writing "$generation" $((20 + generation * 37 % 200))
	acked=$(last_ack)
	start_with ""
done
check "the User VM powers off" stop_vm 1

check "no page stays pinned" no_pages_pinned
check "vhost_blk unloads" rmmod vhost_blk
check "the file system is given back" umount /mnt
check "the modules unload" unload_modules
finish
