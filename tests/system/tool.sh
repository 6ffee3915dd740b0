#!/bin/sh
# The program acrn-vhost, run by root and by another user, while a User VM works.
#
# Arguments: physical CPU of the User VM.
. ./lib.sh

cpu=$1
hsm_dir=/sys/class/misc/acrn_hsm
disk_dir=/sys/class/misc/vhost-blk

echo "nobody:x:65534:65534::/:/bin/sh" >> /etc/passwd

# as_nobody COMMAND: run a shell command as the user nobody
as_nobody() {
	su -s /bin/sh nobody -c "$1"
}

prepare() {
	modprobe null_blk nr_devices=1 gb=1 memory_backed=1 && modprobe vhost_blk poll=0
}

# shows REGEX COMMAND...: COMMAND prints a line that matches REGEX
shows() {
	wanted=$1
	shift
	"$@" | tee /run/shown
	grep -Eq "$wanted" /run/shown
}

header_alone() {
	as_nobody "acrn-vhost $1" | tee /run/shown
	[ "$(wc -l < /run/shown)" = 1 ]
}

reads() {
	guest 1 "dd if=/dev/vda of=/dev/null bs=4k count=$1 iflag=direct"
}

# vm_sum NAME: a counter of the VM, from sysfs
vm_sum() {
	cat "$hsm_dir/vm$id/$1"
}

# The columns of -1 and the fields of --json have the counters of sysfs. The VM is idle,
# so they do not change.
shows_sums() {
	as_nobody "acrn-vhost stat -1" > /run/sums && as_nobody "acrn-vhost stat --json" > /run/json
	cat /run/sums /run/json
	grep -Eq "^ *$id vm1 +$(($(vm_sum doorbells) + $(vm_sum doorbells_ring) +
		$(vm_sum doorbells_deferred))) +$(vm_sum doorbells) +$(vm_sum doorbells_ring) +$(
		vm_sum doorbells_deferred) +$(vm_sum requests_client) +$(vm_sum msis) " /run/sums &&
		grep -Eq "^ *0 +$id nullb0 +$(cat $disk_dir/0/reads) +$(cat $disk_dir/0/writes) " \
			/run/sums &&
		grep -q "\"pid\": $(vm_pid 1), .*\"msis\": $(vm_sum msis)," /run/json &&
		grep -q "\"disk\": \"nullb0\", \"reads\": $(cat $disk_dir/0/reads)," /run/json
}

shows_no_rates() {
	as_nobody "acrn-vhost stat -i 0.5 -n 1" > /run/rates
	cat /run/rates
	awk '$3 == "nullb0" { seen = 1; reads = $4 } END { exit !(seen && reads == 0) }' /run/rates
}

# The second of two tables has the rates of a User VM that reads its disk
shows_rates() {
	echo "while dd if=/dev/vda of=/dev/null bs=4k iflag=direct 2> /dev/null; do :; done" \
		> /run/vm1.in
	usleep 300000
	as_nobody "acrn-vhost stat -i 0.7 -n 2" > /run/rates
	cat /run/rates
	# ^C for the guest's shell
	printf '\003' > /run/vm1.in
	awk '/^ *VM NAME/ { tables++ }
		tables == 2 && $2 == "vm1" { doorbells = $3; parts = $4 + $5 + $6; msis = $8 }
		tables == 2 && $3 == "nullb0" { reads = $4 }
		END { exit !(doorbells > 5 && parts > 5 && msis > 5 && reads > 5) }' /run/rates
}

# Doorbells are shown to root only
doorbells_for_root() {
	shows "^ *$id mmio 0x[0-9a-f]+ [0-9] (any|0x[0-9a-f]+) +[1-9][0-9]* +(yes|no)" \
		acrn-vhost stat -1 -d && ! as_nobody "acrn-vhost stat -1 -d"
}

latency_when_measured() {
	echo 1 > /sys/kernel/debug/vhost_blk/measure_latency
	reads 20 > /dev/null
	echo 0 > /sys/kernel/debug/vhost_blk/measure_latency
	shows "^ *0 +$id nullb0 .* [0-9]+\.[0-9] +[0-9]+\.[0-9]$" acrn-vhost stat -1
}

# fails REGEX: acrn-vhost check fails with a line "FAIL REGEX"
fails() {
	acrn-vhost check > /run/shown
	status=$?
	cat /run/shown
	[ $status = 1 ] && grep -Eq "^FAIL $1" /run/shown
}

in_tree_instead() {
	rmmod acrn_vhost && rmmod acrn_hsm && fails "acrn_hsm .*not loaded" &&
		modprobe acrn && fails "in-tree HSM .*loaded"
}

# The commands that acrn-vhost check advises make it succeed
follow_the_advice() {
	acrn-vhost check | sed -n '/^FAIL in-tree/ { n; s/.*then: //p; }' > /run/advice
	cat /run/advice
	sh -e /run/advice && acrn-vhost check
}

check "check: nothing stands in the way" acrn-vhost check
check "check: whoever is not root is told so" \
	shows "^note device .*may not open" as_nobody "acrn-vhost check"
check "the disk is made" prepare
check "list: no VM" header_alone list
check "tap device" make_tap 1
start_vm 1 "$cpu" --net tap=tap1,vhost=on --blk path=/dev/nullb0
if check "the User VM comes to its prompt" vm_ready 1; then
	id=$(basename $hsm_dir/vm*)
	id=${id#vm}
	check "it reads" reads 200
	check "list: the VM, its device model, its disk" \
		shows "^ *$id vm1 +running +1 (yes|no) +$(vm_pid 1) vhost-dm +nullb0$" \
		as_nobody "acrn-vhost list"
	check "stat -1 and --json: what sysfs has" shows_sums
	check "stat: no latency that is not measured" \
		shows "^ *0 +$id nullb0 .* - +-$" acrn-vhost stat -1
	check "stat: latency" latency_when_measured
	check "stat -d: doorbells, for root" doorbells_for_root
	check "stat: no rates of a disk that nobody reads" shows_no_rates
	check "stat: rates of one that is read" shows_rates
	kill_vm 1
fi
check "stat: the VM is gone" header_alone "stat -1"
check "vhost_blk unloads" rmmod vhost_blk
check "check: the in-tree HSM instead" in_tree_instead
check "check: what it says is the way back" follow_the_advice
check "the modules unload" rmmod acrn_hsm
check "stat: says what is missing" \
	shows "not loaded.*acrn-vhost check" sh -c "acrn-vhost stat -1 2>&1"
finish
