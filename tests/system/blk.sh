#!/bin/sh
# Disks of a User VM on block devices and files, handled by vhost-blk and by the device
# model with io_uring. Data that the User VM writes must be on the disk and be read back,
# even after the device model was killed and the power cut. Read-only disks must not be
# written to.
#
# Arguments: seconds for each random test, number of kills of the device model, physical
# CPUs of the User VM.
. ./lib.sh

seconds=$1
kills=$2
# On the in-tree HSM no device model is killed: that leaves a freed VM in its list.
[ "$hsm" != in-tree ] || kills=0
cpus=$3,$4
vm_memory=256M

# Disks that vhost-blk and io_uring handle. Files in memory take no direct I/O. start()
# adds two read-only disks, vdf and vdg.
vhost_disks="vda vdb vdc"
other_disks="vdd vde"
start() {
	start_vm 1 "$cpus" --blk "path=/dev/cached,serial=SERIAL-OF-20-LETTERS,queues=2" \
		--blk "path=/mnt/disk1,busyloop=50" --blk "path=/run/disk" \
		--blk "path=/dev/plain,serial=uring,queues=2,backend=uring" \
		--blk "path=/mnt/disk2,backend=uring" \
		--blk "path=/dev/loop0,ro" --blk "path=/dev/ram1,ro,backend=uring"
}

# Cut the power of the null_blk: the contents of its cache are lost.
cut_power() {
	echo 0 > $nullb/cached/power && echo 1 > $nullb/cached/power
}

prepare() {
	null_disk_prepare && null_disk cached size=1024 memory_backed=1 discard=1 cache_size=16 &&
		null_disk plain size=1024 memory_backed=1 discard=1 &&
		null_disk files size=1024 memory_backed=1 discard=1 &&
		mke2fs /dev/files && mkdir -p /mnt && mount -t ext4 /dev/files /mnt &&
		truncate -s 128M /mnt/disk1 /mnt/disk2 && truncate -s 64M /run/disk /run/grows &&
		losetup /dev/loop0 /run/grows &&
		dd if=/dev/zero of=/dev/ram1 bs=1M count=4 && modprobe vhost_blk poll=0
}

# Queues, sizes and serial numbers, as the driver has read them from the devices
are_as_configured() {
	guest 1 "for d in vda vdd; do [ -d /sys/block/\$d/mq/1 ] || echo \$d: one queue; done
		for d in vdb vde; do [ ! -d /sys/block/\$d/mq/1 ] || echo \$d: two queues; done
		[ \$(blockdev --getsize64 /dev/vda) = 1073741824 ] || echo vda: size
		[ \$(blockdev --getsize64 /dev/vde) = 134217728 ] || echo vde: size
		[ \$(cat /sys/block/vda/serial) = SERIAL-OF-20-LETTERS ] || echo vda: serial
		[ \$(cat /sys/block/vdd/serial) = uring ] || echo vdd: serial" > /run/configured
	cat /run/configured
	! grep -q vd /run/configured
}

# workers_are N: vhost has N threads. Before Linux 6.5 they are the kernel's own, later
# the device model's.
workers_are() {
	cat /proc/[0-9]*/task/[0-9]*/comm 2> /dev/null | grep '^vhost-[0-9]*$' > /run/workers
	cat /run/workers
	[ "$(wc -l < /run/workers)" = "$1" ]
}

# transfers DISKS THREADS BYTES: random reads and writes of up to BYTES each
transfers() {
	on_all "$1" "blk_io verify /dev/DISK $seconds $2 $3"
}

cache_mode() {
	guest 1 "for d in vda vdd; do echo '$1' > /sys/block/\$d/cache_type &&
			[ \"\$(cat /sys/block/\$d/cache_type)\" = '$1' ] &&
			blk_io fill /dev/\$d 0 0x10000 9 && blk_io expect /dev/\$d 0 0x10000 9 ||
			break; done && [ \$d = vdd ]"
}

read_only() {
	on_all "vdf vdg" "blk_io expect /dev/DISK 0 0x100000 0 && blk_io refused /dev/DISK"
}

# sha_of PATH: digest of the first 4 MiB, read past the page cache
sha_of() {
	dd if="$1" bs=1M count=4 iflag=direct 2> /dev/null | sha256sum | cut -d ' ' -f 1
}

# same_data PATH DISK: the disk and its guest read the same
same_data() {
	mine=$(sha_of "$1")
	its=$(guest 1 "dd if=$2 bs=1M count=4 iflag=direct 2> /dev/null | sha256sum | cut -d ' ' -f 1")
	echo "$mine $its"
	[ "$mine" = "$its" ]
}

has_size() {
	[ "$(guest 1 "blockdev --getsize64 $1")" = "$2" ]
}

# grow PATH DISK: a file becomes 160 MiB while it is in use
grow() {
	truncate -s 160M "$1" && wait_until 10 has_size "$2" 167772160 &&
		guest 1 "blk_io fill $2 0x9000000 0x100000 5 && blk_io expect $2 0x9000000 0x100000 5"
}

# The loop device of a read-only disk becomes 160 MiB
grow_device() {
	truncate -s 160M /run/grows && losetup -c /dev/loop0 &&
		wait_until 10 has_size /dev/vdf 167772160 &&
		guest 1 "blk_io expect /dev/vdf 0x9000000 0x100000 0"
}

# rebind DISK: unbind the driver from a disk and bind it again
rebind() {
	driver=/sys/bus/virtio/drivers/virtio_blk
	device=$(guest 1 "basename \$(readlink /sys/block/$1/device)") || return
	guest 1 "echo $device > $driver/unbind && ! [ -e /dev/$1 ] &&
		echo $device > $driver/bind && blk_io expect /dev/$1 0x100000 0x40000 7"
}

statistic() {
	sed -n "s/.*\"$1\": *\\([0-9]*\\).*/\\1/p" /run/vm1.stats
}

# The number of the last block that each writer of "blk_io log" has had acknowledged
last_ack() {
	tr -d '\r' < /run/vm1.log | sed -n 's/^acked \([0-9 ]*\)\.$/\1/p' | tail -n 1
}

# acked N: the first writer is beyond block N
acked() {
	first=$(last_ack)
	first=${first%% *}
	[ -n "$first" ] && [ "$first" -gt "$1" ]
}

# kill_while_writing GENERATION BLOCKS: kill the device model when the first writer has
# written BLOCKS blocks. In odd generations each block is flushed before it is
# acknowledged, and the power is cut too; in even ones no block is flushed.
kill_while_writing() {
	flush=$(($1 % 2))
	echo "blk_io log /dev/vda $1 $flush" > /run/vm1.in
	wait_until 30 acked "$2" || return
	kill_vm 1
	[ $flush = 0 ] || cut_power
}

# polling 0|1: vhost-blk's polling. It is on in few tests, as a worker that polls takes
# CPU time from the emulated vCPUs.
polling() {
	echo "$1" > /sys/module/vhost_blk/parameters/poll
}

work() {
	check "queues, sizes, serial numbers" are_as_configured
	check "vhost: each queue has a worker" workers_are 5
	check "written through" cache_mode "write through"
	check "written back" cache_mode "write back"
	polling 1
	for size in 4096 1048576; do
		for threads in 1 8; do
			check "vhost: random, up to $size bytes, $threads at once" \
				transfers "$vhost_disks" $threads $size
		done
		polling 0
	done
	check "io_uring: random, up to 1 MiB, 8 at once" transfers "$other_disks" 8 1048576
	check "parts are zeroed and discarded" \
		on_all "$vhost_disks $other_disks" "blk_io ranges /dev/DISK 0x100000"
	check "read-only disks are read and not written" read_only
	check "vhost: the Service VM reads the same from the device" same_data /dev/cached /dev/vda
	check "vhost: and from the file" same_data /mnt/disk1 /dev/vdb
	check "io_uring: the Service VM reads the same from the device" same_data /dev/plain /dev/vdd
	check "io_uring: and from the file" same_data /mnt/disk2 /dev/vde
	for disk in "vhost:1:/dev/vdb" "io_uring:2:/dev/vde"; do
		number=${disk#*:}
		check "${disk%%:*}: the disk grows" grow "/mnt/disk${number%%:*}" "${disk##*:}"
	done
	check "vhost: a device grows" grow_device
	for disk in vda vdd; do
		check "$disk is unbound and bound, and the same" rebind $disk
	done
	check "the User VM powers off" stop_vm 1
	check "no doorbell reached the device model" \
		[ "$(statistic doorbells_to_dm)" = 0 ]
}

check "the disks are made" prepare

# Each User VM checks the blocks that were acknowledged to the one before it, then writes
# blocks itself and is killed. The last one runs the other checks.
generation=0
acked=
start
while check "kill $generation: the User VM comes to its prompt" vm_ready 1; do
	[ "$generation" = 0 ] ||
		check "kill $generation: what was acknowledged is there: $acked" \
			guest 1 "blk_io checklog /dev/vda $generation ${acked:-nothing}"
	[ "$generation" -lt "$kills" ] || { work; break; }
	generation=$((generation + 1))
	check "kill $generation: the device model is killed while writing" \
		kill_while_writing "$generation" $((20 + generation * 37 % 200))
	acked=$(last_ack)
	start
done

check "no page stays pinned" no_pages_pinned
check "the device that grew goes" losetup -d /dev/loop0
check "vhost_blk unloads" rmmod vhost_blk
check "the disk with the cache goes" rmdir $nullb/cached
check "the file system is given back" umount /mnt
check "the modules unload" unload_modules
finish
