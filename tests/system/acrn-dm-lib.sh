# shellcheck shell=sh
# Functions for tests that run a Linux User VM on acrn-dm.
. ./lib.sh

# Devices whose requests acrn-dm's own threads do not handle: io_uring does for the
# disk, the kernel's vhost-net for the network
# shellcheck disable=SC2034 # used by scripts that include this file
fast_disk="-s 3,virtio-blk,iothread,/run/disk.img,aio=io_uring"
# shellcheck disable=SC2034
fast_network="-s 4,virtio-net,tap=tap1,vhost"

# disk_works N: write 512 KiB from block N of 16 KiB on, and read them back from the
# device, not from the guest's page cache
disk_works() {
	guest 1 "dd if=/dev/urandom of=/tmp/data bs=64k count=8 2> /dev/null &&
		dd if=/tmp/data of=/dev/vda bs=16k seek=$1 oflag=direct 2> /dev/null &&
		echo 3 > /proc/sys/vm/drop_caches &&
		dd if=/dev/vda bs=16k skip=$1 count=32 iflag=direct 2> /dev/null | cmp - /tmp/data" &&
		cmp -s -n 524288 /run/disk.img /dev/zero $((16384 * $1)) &&
		{ echo "the file has nothing but zeroes"; return 1; }
	return 0
}

# Send 1 MiB each way, and 20 pings.
network_works() {
	iperf 1 --bytes 1M && iperf 1 --bytes 1M --reverse &&
		ping -c 20 -i 0.05 -W 5 10.0.1.2 > /dev/null
}

# works NAME N: check disk (from block N on) and network
works() {
	check "$1: the disk keeps what is written" disk_works "$2"
	check "$1: the network carries" network_works
}

# Make what acrn-dm needs; ends the test if that fails.
prepare() {
	if ! check "tap device" make_tap 1 || ! check "huge pages" huge_pages 80; then
		finish
		exit 1
	fi
	dd if=/dev/zero of=/run/disk.img bs=1M count=8 2> /dev/null
}
