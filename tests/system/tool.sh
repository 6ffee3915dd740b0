#!/bin/sh
# The program acrn-vhost, run by root and by another user, while a User VM works.
#
# Arguments: physical CPU of the User VM.
. ./lib.sh

cpu=$1
hsm_dir=/sys/class/misc/acrn_hsm
disk_dir=/sys/class/misc/vhost-blk
modules=/lib/modules/$(uname -r)

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

# says VERDICT ABOUT ADVICE: acrn-vhost check has a line "VERDICT ABOUT", and ADVICE below
says() {
	acrn-vhost check > /run/shown
	cat /run/shown
	grep -E -A 1 "^$1 +$2" /run/shown | grep -Eq "^ +-> .*$3"
}

# What is known of this kernel: Linux 6.1 alone has the fault
says_of_kernel() {
	case $(uname -r) in
	6.1.*) says note "acrn-dm, vhost" init_on_alloc=1 ;;
	*) shows "^ok +acrn-dm, vhost" acrn-vhost check ;;
	esac && if [ -e /sys/kernel/realtime ]; then
		says note doorbells "not make the guest wait"
	else
		shows "^ok +doorbells +not PREEMPT_RT" acrn-vhost check
	fi
}

# Without the index that depmod makes for modprobe, no module is there but those loaded.
without_vhost_net() {
	mv "$modules/modules.dep.bin" /run && rmmod vhost_net &&
		says note vhost_net CONFIG_VHOST_NET=m
	status=$?
	mv /run/modules.dep.bin "$modules" && modprobe vhost_net
	return $status
}

# Another module in place of the one that is loaded is as good as a newer one
upgraded_not_reloaded() {
	cp "$modules/acrn_hsm.ko" /run &&
		cp "$modules/acrn_vhost.ko" "$modules/acrn_hsm.ko" &&
		says FAIL acrn_hsm "rmmod acrn_vhost acrn_hsm; modprobe acrn_hsm"
	status=$?
	cp /run/acrn_hsm.ko "$modules"
	return $status
}

# async_is MODE ADVICE: the module's parameter
async_is() {
	echo "$1" > /sys/module/acrn_hsm/parameters/async
	says note asynchronous "$2"
	status=$?
	echo auto > /sys/module/acrn_hsm/parameters/async
	return $status
}

# hypervisor_age OCTAL: write to HV_MSR_ASYNCIO_SIZE, see tests/include/hv_test.h
hypervisor_age() {
	printf %b "\\0$1\\0\\0\\0\\0\\0\\0\\0" |
		dd of=/dev/cpu/0/msr bs=8 seek=$((0x41435206)) oflag=seek_bytes conv=notrunc
}

has_vm() {
	ls $hsm_dir/vm*/pid
}

# A hypervisor without asynchronous doorbells is noticed as soon as there is a VM
on_old_hypervisor() {
	hypervisor_age 0
	start_vm 1 "$cpu"
	wait_until 10 has_vm && says note "asynchronous +1 of 1 VMs" "older than ACRN 3.2"
	status=$?
	kill_vm 1
	hypervisor_age 40
	return $status
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
check "check: what is known of this kernel" says_of_kernel
check "check: no vhost_net" without_vhost_net
check "check: acrn_hsm upgraded and not reloaded" upgraded_not_reloaded
check "check: asynchronous doorbells are off" async_is off "echo auto"
[ "${on:-}" = acrn ] || check "check: an old hypervisor" on_old_hypervisor
check "the disk is made" prepare
check "list: no VM" header_alone list
check "tap device" make_tap 1
start_vm 1 "$cpu" --net tap=tap1,vhost=on --blk path=/dev/nullb0
if check "the User VM comes to its prompt" vm_ready 1; then
	id=$(basename $hsm_dir/vm*)
	id=${id#vm}
	check "check: a User VM" shows "^FAIL hypervisor +this VM runs on ACRN and is not" \
		guest 1 "acrn-vhost check"
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
