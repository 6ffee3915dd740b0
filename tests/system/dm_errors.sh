#!/bin/sh
# The device model is started with wrong options: it must end with status 1 and a message
# that says what is wrong.
#
# Arguments: physical CPU of the User VM.
. ./lib.sh

cpu=$1

# refuses PATTERN OPTION...: the device model ends with status 1 and prints PATTERN.
refuses() {
	pattern=$1
	shift
	timeout 20 vhost-dm "$@" < /dev/null > /run/dm.out 2>&1
	status=$?
	cat /run/dm.out
	[ $status = 1 ] && grep -qE "$pattern" /run/dm.out
}

# with PATTERN OPTION...: as refuses, with OPTIONS added to a correct command line.
with() {
	pattern=$1
	shift
	refuses "$pattern" --name bad --cpu-affinity "$cpu" --memory 128M \
		--kernel /images/bzImage --initrd /images/user-vm.cpio.lz4 --cmdline console=ttyS0 "$@"
}

head -c 100000 /dev/urandom > /run/random
head -c 100000 /images/bzImage > /run/truncated
: > /run/empty

check "a bzImage that is none" with "/run/random.*bzImage" --kernel /run/random
check "a bzImage cut short" with "/run/truncated.*(short|truncated|bzImage)" --kernel /run/truncated
check "an empty bzImage" with "/run/empty.*bzImage" --kernel /run/empty
check "a kernel that is not there" with "/nowhere.*No such file" --kernel /nowhere
check "an initrd that is not there" with "/nowhere.*No such file" --initrd /nowhere
check "a file system is mounted" mount_ram0
check "a mounted disk" with "/dev/ram0.*release it first.*mounted" --blk path=/dev/ram0
check "a mounted disk that is only read, and no vhost-blk" \
	with "/dev/vhost-blk.*No such file" --blk path=/dev/ram0,ro
check "the file system is given back" umount /mnt
check "the disk without it, and no vhost-blk" \
	with "/dev/vhost-blk.*No such file" --blk path=/dev/ram0
check "a tap device that is not there" with "tap9" --net tap=tap9,vhost=on
check "a network device that is no tap" with "lo" --net tap=lo,vhost=on
check "a tap device with several queues" make_tap 1 multi_queue
check "one queue of a tap device for several" with "tap1.*single queue" --net tap=tap1
check "a tap device with one queue" make_tap 2
check "several queues of a tap device with one" with "tap2.*multi_queue" --net tap=tap2,queues=2
check "more queues than there are" with "queues" --net tap=tap1,queues=9
check "no vhost-vsock" with "/dev/vhost-vsock.*No such file" --vsock cid=3
check "a reserved address" with "cid" --vsock cid=2
check "too little memory" with "memory" --memory 1M
check "memory that is no number" with "memory" --memory lots
check "a physical CPU of the Service VM" with "cpu" --cpu-affinity 0
check "a physical CPU that is not there" with "cpu" --cpu-affinity 63
check "no physical CPU" refuses "cpu-affinity" --name bad --memory 128M --kernel /images/bzImage
check "an unknown option" with "nonsense" --nonsense
# No VM had an ioeventfd, so the data plane is not loaded
check "the HSM unloads" modprobe -r acrn_hsm
check "no HSM" with "/dev/acrn_hsm" --memory 128M
finish
