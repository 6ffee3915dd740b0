#!/bin/sh
# A User VM whose root file system is on a vhost-blk disk: fio with verification on two
# further disks, a block device and a file; a stress of the root file system; and fsck at
# the end.
#
# Arguments: short or long, which has more of fio; physical CPUs of the User VM.
. ./lib.sh

length=$1
cpus=$2,$3
# fio's buffers take up to 512 MiB: 4 jobs with 128 requests of 1 MiB
vm_memory=1G
vm_root=/dev/vda
guest_seconds=120

# The tree that the stress copies: some 10 MB of libraries, or all of them
make_tree() {
	case $length in
	short) files='/disk/lib/x86_64-linux-gnu/lib[c-g]*' ;;
	long) files='/disk/lib/x86_64-linux-gnu/*' ;;
	esac
	# shellcheck disable=SC2086 # a pattern
	mkdir /disk/root/tree && cp -a $files /disk/root/tree
}

prepare() {
	make_tree && modprobe null_blk nr_devices=3 gb=1 memory_backed=1 discard=1 &&
		mkfs.ext4 -q -d /disk /dev/nullb0 && mkfs.ext4 -q /dev/nullb1 &&
		mkdir -p /mnt && mount -t ext4 /dev/nullb1 /mnt &&
		truncate -s 256M /mnt/disk && modprobe vhost_blk
}

# fio_verify DISK JOBS DEPTH BLOCK-SIZES IOS: each job writes to an area of its own in
# random order, and reads back at intervals and at the end.
fio_verify() {
	guest 1 "fio --name=verify --filename=$1 --numjobs=$2 --iodepth=$3 --bsrange=$4 \
		--number_ios=$5 --size=64M --offset_increment=64M --direct=1 --ioengine=libaio \
		--rw=randwrite --verify=crc32c --verify_fatal=1 --verify_backlog=100 \
		--randseed=$3 --norandommap=0 --group_reporting --minimal"
}

# matrix TITLE DISK: fio with each combination of block size, number of jobs and depth
matrix() {
	for size in 512-512 4k-4k 64k-64k 1M-1M 512-1M; do
		for jobs in 1 2 4; do
			for depth in 1 8 128; do
				check "$1: $size bytes, $jobs jobs, depth $depth" \
					fio_verify "$2" $jobs $depth $size 400
			done
		done
	done
}

verify() {
	if [ "$length" = long ]; then
		matrix "$1" "$2"
	else
		check "$1: 512 bytes to 128 KiB, 2 jobs, depth 32" fio_verify "$2" 2 32 512-128k 100
		check "$1: 4 KiB, 4 jobs, depth 128" fio_verify "$2" 4 128 4k-4k 200
	fi
}

# Make two copies of the tree at once, beside writers that sync, and compare them.
stress() {
	guest 1 "mkdir copies" || return
	guest 1 "fio --name=sync --directory=/root --nrfiles=20 --size=8M --rw=randwrite --bs=4k \
			--numjobs=2 --fsync=16 --number_ios=500 --verify=crc32c --minimal > fio.log &
		(cp -a tree copies/a && sync) & (cp -a tree copies/b && sync) &
		wait; diff -r copies/a copies/b && diff -r tree copies/a &&
		rm -r copies/b && sync && [ -s fio.log ] && ! grep -i error fio.log"
}

# Read the files from the disk, with an empty page cache, and compare them.
same_files() {
	guest 1 "echo 3 > /proc/sys/vm/drop_caches && diff -r tree copies/a"
}

is_root_on_ext4() {
	guest 1 "grep '^/dev/root / ext4 rw' /proc/mounts"
}

check "the disks are made" prepare
start_vm 1 "$cpus" --blk "path=/dev/nullb0,queues=2" \
	--blk "path=/dev/nullb2,queues=4" --blk "path=/mnt/disk,queues=4"
if check "the User VM comes to its prompt" vm_ready 1; then
	check "its root file system is on the disk" is_root_on_ext4
	verify "block device" /dev/vdb
	verify "file" /dev/vdc
	check "a stress of the root file system" stress
	check "its files are whole" same_files
	check "it becomes read-only" guest 1 "mount -o remount,ro /"
	check "the User VM powers off" stop_vm 1
	check "fsck finds nothing" e2fsck -f -n /dev/nullb0
fi
check "vhost_blk unloads" rmmod vhost_blk
check "the file system of the file is given back" umount /mnt
check "fsck finds nothing there either" e2fsck -f -n /dev/nullb1
check "the modules unload" unload_modules
finish
