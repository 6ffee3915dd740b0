#!/bin/sh
# ext4 and XFS over vhost-blk, on block devices and files, with sectors of 512 and of 4096
# bytes: fio and file_io write and verify for a long time, and the file systems are checked.
# The User VM has the kernel of a distribution, as the one of the tests has no XFS.
#
# Arguments: seconds for each program on each file system, which are multiplied by
# $slowness; physical CPUs of the User VM.
. ./lib.sh

seconds=$1
cpus=$2,$3
fs_seconds=$((seconds * ${slowness:-1}))
guest_seconds=$((seconds + 120))
vm_memory=768M
vm_images=/images/distribution
vm_boot_seconds=180
guest_words=$processor_words
# The disks with the file systems have 400 MB each; vdd and vde are files
fs_disks="vdb vdc vdd vde"

# vda is a disk with the programs.
make_disks() {
	null_disk_prepare && null_disk programs size=1024 memory_backed=1 &&
		mkfs.ext4 -q -d /disk /dev/programs && mkdir -p /mnt || return
	for size in 512 4096; do
		null_disk "device$size" size=400 blocksize=$size memory_backed=1 discard=1 &&
			null_disk "host$size" blocksize=$size memory_backed=1 discard=1 &&
			mkfs.ext4 -q "/dev/host$size" && mkdir "/mnt/$size" &&
			mount -t ext4 "/dev/host$size" "/mnt/$size" &&
			truncate -s 400M "/mnt/$size/disk" || return
	done
}

remove_disks() {
	for size in 512 4096; do
		umount "/mnt/$size" && rmdir "$nullb/host$size" "$nullb/device$size" || return
	done
	rmdir "$nullb/programs"
}

start_on_disks() {
	start_vm 1 "$cpus" --blk path=/dev/programs,ro \
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

check "the disks are made" make_disks
check "vhost_blk is loaded" modprobe vhost_blk
start_on_disks
if check "the User VM comes to its prompt" vm_ready 1; then
	check "its shell is on the disk with the programs" enter_disk
	check "the disks have the sectors of what they are on" has_sector_sizes
	file_systems ext4
	file_systems xfs
	check "the User VM powers off" stop_vm 1
fi
check "vhost_blk unloads" rmmod vhost_blk
check "the disks go" remove_disks
check "the modules unload" unload_modules
finish
