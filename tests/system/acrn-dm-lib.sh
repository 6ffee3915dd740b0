# shellcheck shell=sh
# For the tests of the unmodified acrn-dm with a Linux User VM.
. ./lib.sh

# Without the device model's threads: in the kernel, and by io_uring
# shellcheck disable=SC2034 # for those that include this
fast_disk="-s 3,virtio-blk,iothread,/run/disk.img,aio=io_uring"
# shellcheck disable=SC2034
fast_network="-s 4,virtio-net,tap=tap1,vhost"

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

works() {
	check "$1: the disk keeps what is written" disk_works "$2"
	check "$1: the network carries" network_works
}

# What device models need; ends the test if it cannot be had.
prepare() {
	if ! check "tap device" make_tap 1 || ! check "huge pages" huge_pages 80; then
		finish
		exit 1
	fi
	dd if=/dev/zero of=/run/disk.img bs=1M count=8 2> /dev/null
}
