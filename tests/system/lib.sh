# shellcheck shell=sh
# Functions for tests in the Service VM: TAP output and User VMs.
#
# User VM number N has tap device tapN, the Service VM's address 10.0.N.1, its
# own 10.0.N.2, the console in /run/vmN.log and its input in /run/vmN.in.

# Parameters of Linux in a User VM: those that it needs on a processor that Bochs
# emulates, as in tests/harness/acrn.py, and those that make it fast.
processor_words=
[ "${on:-}" != acrn ] || processor_words="no_timer_check nopcid noxsave clearcpuid=22,28,29"
guest_words="mitigations=off tsc=reliable $processor_words"

# shellcheck source=tap.sh
. /tests/tap.sh

: "${hsm:?is set by service-init: ours or in-tree}"

# counter NAME: one of the data plane's counters.
counter() {
	cat "/sys/kernel/debug/acrn_vhost/$1"
}

# wait_until SECONDS COMMAND...: poll until COMMAND succeeds. SECONDS are multiplied by
# $slowness.
wait_until() {
	tries=$(($1 * 20 * ${slowness:-1}))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 50000
	done
}

# What null_disk makes disks in
nullb=/sys/kernel/config/nullb

# Disks of null_blk can be made, by null_disk
null_disk_prepare() {
	modprobe null_blk nr_devices=0 && mkdir -p ${nullb%/*} &&
		mount -t configfs configfs ${nullb%/*}
}

# null_disk NAME SETTING...: make /dev/NAME, of 512 MB unless a setting is another size
null_disk() {
	name=$1
	shift
	mkdir "$nullb/$name" || return
	for setting in size=512 "$@" power=1; do
		echo "${setting#*=}" > "$nullb/$name/${setting%%=*}" || return
	done
}

# Mount a new file system of the block device /dev/ram0 on /mnt
mount_ram0() {
	mke2fs /dev/ram0 && mkdir -p /mnt && mount -t ext4 /dev/ram0 /mnt
}

# make_tap N [multi_queue|UID]: make the tap device of User VM N, with the Service VM's
# address; for several queues, or of that user
make_tap() {
	if [ -n "$2" ]; then
		/tests/tap_device "tap$1" "$2"
	else
		tunctl -t "tap$1"
	fi && ip address add "10.0.$1.1/24" dev "tap$1" &&
		ip link set "tap$1" up
}

# new_console N: make the console input of User VM N, and set old output aside
new_console() {
	rm -f "/run/vm$1.in"
	# service-init looks for warnings in each console at the end
	[ ! -e "/run/vm$1.log" ] ||
		mv "/run/vm$1.log" "/run/vm$1-until-$(cut -d ' ' -f 1 /proc/uptime).log"
	mkfifo "/run/vm$1.in"
	[ "${on:-}" != acrn ] || show_console "$1"
}

# show_console N: copy the console of User VM N to standard error as it is written. If the
# machine stands still, service-init does not get to copy it at the end.
show_console() {
	[ ! -e "/run/vm$1.shown" ] || kill "$(cat "/run/vm$1.shown")"
	: > "/run/vm$1.log"
	tail -n +1 -f "/run/vm$1.log" >&2 &
	echo $! > "/run/vm$1.shown"
}

# start_vm N CPUS OPTION...: start User VM N with vhost-dm on the physical CPUS (a list
# with commas). The device model's process id is in /run/vmN.pid. The root file system is
# the initramfs, or $vm_root, such as /dev/vda. Kernel and initramfs are in $vm_images, by
# default /images. $vhost_dm is the command, if it is to be another user's.
start_vm() {
	vm=$1
	cpus=$2
	shift 2
	if [ -n "$vm_root" ]; then
		boot="root=$vm_root rw init=/init"
	else
		boot=
		set -- --initrd "${vm_images:-/images}/user-vm.cpio.lz4" "$@"
	fi
	rm -f "/run/vm$vm.stats"
	new_console "$vm"
	# With a slow Service VM, the User VM's CPUs stand still at times
	quiet=
	[ "${slowness:-1}" = 1 ] || quiet=rcupdate.rcu_cpu_stall_suppress=1
	# The input is open for reading and writing, so that it never ends
	# shellcheck disable=SC2086 # the command is a list of words
	${vhost_dm:-vhost-dm} --name "vm$vm" --cpu-affinity "$cpus" --memory "${vm_memory:-128M}" \
		--kernel "${vm_images:-/images}/bzImage" \
		--cmdline "console=ttyS0 loglevel=5 $guest_words net_address=10.0.$vm.2/24 $boot $quiet" \
		--stats "/run/vm$vm.stats" "$@" \
		<> "/run/vm$vm.in" > "/run/vm$vm.log" 2>&1 &
	echo $! > "/run/vm$vm.pid"
}

# huge_pages N: reserve N huge pages of 2 MiB, from which acrn-dm takes a User VM's memory
huge_pages() {
	echo "$1" > /proc/sys/vm/nr_hugepages
	[ "$(cat /proc/sys/vm/nr_hugepages)" = "$1" ]
}

# start_acrn_dm N CPUS OPTION...: as start_vm, with acrn-dm or the program $acrn_dm.
# OPTIONs are devices. acrn-dm takes local APIC ids for CPUs.
start_acrn_dm() {
	vm=$1
	cpus=$2
	shift 2
	new_console "$vm"
	if [ -n "$vm_root" ]; then
		boot="root=$vm_root rw init=/init"
	else
		boot=rdinit=/init
		set -- -r /images/user-vm.cpio.lz4 "$@"
	fi
	# The Service VM needs init_on_alloc: on 6.1 vhost-net reads a header that acrn-dm
	# says is there, and is not
	/tests/on_tty "${acrn_dm:-acrn-dm}" --logger_setting console,level=3 \
		--cpu_affinity "$cpus" -m "${vm_memory:-128M}" -s 0:0,hostbridge -s 1:0,lpc -l com1,stdio "$@" \
		-k /images/bzImage \
		-B "console=ttyS0 loglevel=5 $guest_words $boot net_address=10.0.$vm.2/24" \
		"vm$vm" <> "/run/vm$vm.in" > "/run/vm$vm.log" 2>&1 &
	echo $! > "/run/vm$vm.pid"
}

# Print what is of interest of the consoles of all User VMs: kernel reports, and the end
show_user_vms() {
	for log in /run/vm*.log; do
		[ -e "$log" ] || continue
		echo "--- $log"
		head -n -400 "$log" | grep -A 40 -E -f /tests/trouble
		tail -n 400 "$log"
	done
}

vm_pid() {
	cat "/run/vm$1.pid"
}

# vm_booted N [TIMES]: whether User VM N has booted, or so many times. Its first process
# prints a line each time, perhaps where a line of the device model has begun.
vm_booted() {
	[ "$(grep -o 'user-vm: ready' "/run/vm$1.log" | wc -l)" -ge "${2:-1}" ]
}

vm_booted_or_gone() {
	vm_booted "$1" || ! kill -0 "$(vm_pid "$1")"
}

# vm_ready N: wait until User VM N has booted and its shell answers.
vm_ready() {
	wait_until "${vm_boot_seconds:-60}" vm_booted_or_gone "$1"
	vm_booted "$1" || { tail -n 12 "/run/vm$1.log"; return 1; }
	guest "$1" true > /dev/null
}

# reboot_vm N TIMES [COMMAND]: run a shell command in User VM N and reboot it; wait until
# it has booted so many times.
reboot_vm() {
	echo "${3:+$3; }reboot -f" > "/run/vm$1.in"
	wait_until "${vm_boot_seconds:-60}" vm_booted "$1" "$2" ||
		{ tail -n 12 "/run/vm$1.log"; return 1; }
}

# guest N COMMAND: run a shell command in User VM N, print its output and return its
# status. Marks before and after the output separate it from prompts and kernel messages.
guest() {
	console=/run/vm$1.log
	mark="mark-$(cut -d ' ' -f 1 /proc/uptime)"
	echo "echo; echo $mark; $2; echo \"$mark \$?\"" > "/run/vm$1.in"
	wait_until "${guest_seconds:-30}" grep -q "$mark [0-9]" "$console" ||
		{ echo "User VM $1 did not answer to: $2"; return 124; }
	tr -d '\r' < "$console" | sed -e "1,/^$mark\$/d" -e "/$mark [0-9]/,\$d"
	return "$(sed -n "s/.*$mark \([0-9]*\).*/\1/p" "$console")"
}

# on_all DISKS COMMAND: run the command in User VM 1 for all disks at once; DISK in
# it stands for their names
on_all() {
	commands=
	for disk in $1; do
		commands="$commands $(echo "$2" | sed "s/DISK/$disk/g") & pids=\"\$pids \$!\"; "
	done
	guest 1 "pids=; $commands failed=0; for p in \$pids; do wait \$p || failed=1; done; [ \$failed = 0 ]"
}

# stop_vm N: power the User VM off from inside. Returns the device model's status.
stop_vm() {
	echo "poweroff -f" > "/run/vm$1.in"
	wait_until 30 sh -c "! kill -0 $(vm_pid "$1") 2> /dev/null" ||
		{ kill -9 "$(vm_pid "$1")"; echo "VM $1 did not power off"; return 1; }
	wait "$(vm_pid "$1")"
}

# kill_vm N: kill the device model, which for the kernel is the same as a crash
kill_vm() {
	kill -9 "$(vm_pid "$1")"
	wait "$(vm_pid "$1")" 2> /dev/null
	true
}

ping_vm() {
	ping -c 1 -W 5 "10.0.$1.2" > /dev/null 2>&1
}

# iperf N OPTION...: run an iperf3 client against User VM N and print JSON in one line.
# With --json some versions return 0 on an error, which is then only in the JSON.
iperf() {
	vm=$1
	shift
	iperf_json=$(iperf3 --client "10.0.$vm.2" --json --connect-timeout 5000 "$@")
	iperf_status=$?
	printf %s "$iperf_json" | tr -d '\n\t'
	[ $iperf_status = 0 ] && ! echo "$iperf_json" | grep -q '"error":'
}

# Whether as many long-term pins of pages were released as acquired
no_pages_pinned() {
	# Reading this adds up the CPUs' own counts
	cat /proc/sys/vm/stat_refresh
	awk '/^nr_foll_pin_acquired/ { a = $2 } /^nr_foll_pin_released/ { r = $2 }
		END { print "acquired", a, "released", r; exit !(a == r && a > 0) }' /proc/vmstat
}

unload_modules() {
	case $hsm in
	ours) rmmod acrn_vhost && rmmod acrn_hsm ;;
	in-tree) rmmod acrn ;;
	esac && rmmod vhost_net
}

load_hsm() {
	case $hsm in
	ours) modprobe acrn_hsm ;;
	in-tree) modprobe acrn ;;
	esac && modprobe vhost_net
}
