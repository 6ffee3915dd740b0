#!/bin/sh
# A User VM whose root file system is on a vhost-blk disk: fio with verification on two
# further disks, a block device and a file; a stress of the root file system; and fsck at
# the end.
#
# "long" has more of fio, and ext4 and XFS in a User VM with the kernel of a distribution,
# as the one of the tests has no XFS: on block devices and files, with sectors of 512 and
# of 4096 bytes.
#
# Arguments: short or long; seconds for each program on each file system, which are
# multiplied by $slowness; physical CPUs of the User VM.
. ./lib.sh

length=$1
seconds=$2
cpus=$3,$4
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

# Four disks of 400 MB, of which vdd and vde are files
fs_disks="vdb vdc vdd vde"
make_fs_disks() {
	null_disk_prepare || return
	for size in 512 4096; do
		null_disk "device$size" size=400 blocksize=$size memory_backed=1 discard=1 &&
			null_disk "host$size" blocksize=$size memory_backed=1 discard=1 &&
			mkfs.ext4 -q "/dev/host$size" && mkdir "/mnt/$size" &&
			mount -t ext4 "/dev/host$size" "/mnt/$size" &&
			truncate -s 400M "/mnt/$size/disk" || return
	done
}

remove_fs_disks() {
	for size in 512 4096; do
		umount "/mnt/$size" && rmdir "$nullb/host$size" "$nullb/device$size" || return
	done
}

start_fs_vm() {
	vm_root=
	vm_images=/images/distribution
	vm_boot_seconds=180
	guest_words=$processor_words
	start_vm 1 "$cpus" --blk path=/dev/nullb0,ro \
		--blk path=/dev/device512,queues=2 --blk path=/dev/device4096,queues=2 \
		--blk path=/mnt/512/disk,queues=2 --blk path=/mnt/4096/disk,queues=2
}

# Have the shell of the User VM go on in the disk with the programs.
enter_disk() {
	guest 1 "modprobe xfs && mkdir /mnt && mount -o ro -t ext4 /dev/vda /mnt && cd /mnt &&
		mount -o bind /dev dev && mount -t proc proc proc && mount -t tmpfs tmp tmp" &&
		echo "exec chroot /mnt sh -i" > /run/vm1.in && guest 1 "cd /tmp && fio --version"
}

has_sector_sizes() {
	guest 1 "for d in $fs_disks; do blockdev --getss /dev/\$d; done" | xargs > /run/sizes
	cat /run/sizes
	[ "$(cat /run/sizes)" = "512 4096 512 4096" ]
}

# make_fs TYPE: a new file system on all disks
make_fs() {
	case $1 in
	ext4) force="-F -q" ;;
	xfs) force="-f -q" ;;
	esac
	on_all "$fs_disks" "mkfs.$1 $force /dev/DISK && mkdir -p /tmp/DISK &&
		mount -t $1 /dev/DISK /tmp/DISK"
}

# check_fs TYPE: unmount the file systems, check them, and compare the files that file_io
# has left with their copies
check_fs() {
	case $1 in
	ext4) repair="e2fsck -f -n" ;;
	xfs) repair="xfs_repair -n" ;;
	esac
	on_all "$fs_disks" "umount /tmp/DISK && $repair /dev/DISK > /tmp/log.DISK 2>&1 &&
		mount -t $1 /dev/DISK /tmp/DISK && cmp /tmp/DISK/file /tmp/copy.DISK"
}

# Run file_io on each file system at the same time.
run_file_io() {
	on_all "$fs_disks" "file_io /tmp/DISK/file /tmp/copy.DISK $fs_seconds 1"
}

# The same with fio, over and over: with direct I/O, which may be of a single sector, and
# without by turns. A run of its own for each set of blocks written leaves nothing to be
# verified after it has been overwritten.
# shellcheck disable=SC2016 # the User VM's shell expands it
run_fio() {
	guest 1 'rounds() { n=0; end=$(($(date +%s) + '"$fs_seconds"')); min=$(blockdev --getss /dev/$1)
		while [ $(date +%s) -lt $end ]; do n=$((n + 1))
		fio --name=verify --directory=/tmp/$1 --numjobs=2 --size=8M --bsrange=$min-64k \
		--direct=$((n % 2)) --ioengine=libaio --iodepth=16 --rw=randwrite --verify=crc32c \
		--verify_fatal=1 --verify_backlog=64 --randseed=$n --minimal > /tmp/log.$1 2>&1 ||
		{ tail -n 5 /tmp/log.$1; return 1; }; done; echo $1: $n times; }' &&
		on_all "$fs_disks" "rounds DISK"
}

# file_systems TYPE: file_io and fio on that type, checked after each
file_systems() {
	check "$1: made on devices and files, sectors of 512 and 4096 bytes" make_fs "$1"
	check "$1: file_io, $fs_seconds s" run_file_io
	check "$1: is whole, and its files are" check_fs "$1"
	check "$1: fio, $fs_seconds s" run_fio
	check "$1: is still whole" check_fs "$1"
	check "$1: unmounted" on_all "$fs_disks" "umount /tmp/DISK"
}

# What the first User VM has left on its root disk serves the second one.
long_file_systems() {
	fs_seconds=$((seconds * slowness))
	guest_seconds=$((seconds + 120))
	vm_memory=768M
	check "file systems: disks" make_fs_disks
	start_fs_vm
	if check "file systems: the User VM comes to its prompt" vm_ready 1; then
		check "file systems: its shell is on the disk" enter_disk
		check "file systems: the disks have the sectors of what they are on" has_sector_sizes
		file_systems ext4
		file_systems xfs
		check "file systems: the User VM powers off" stop_vm 1
	fi
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
[ "$length$hsm" != longours ] || long_file_systems
check "vhost_blk unloads" rmmod vhost_blk
[ "$length$hsm" != longours ] || check "file systems: the disks go" remove_fs_disks
check "the file system of the file is given back" umount /mnt
check "fsck finds nothing there either" e2fsck -f -n /dev/nullb1
check "the modules unload" unload_modules
finish
