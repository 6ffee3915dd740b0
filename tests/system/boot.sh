#!/bin/sh
# The same User VM on the in-tree HSM and on ours: its kernel and drivers must find the
# same machine.
#
# Arguments: physical CPUs of the User VM.
. ./lib.sh

cpus="$1,$2"

# told COMMAND...: as guest 1, but the output comes over the network. Each character on
# the guest's console takes several exits, so that on the in-tree HSM the guest's kernel
# reports a stall after 40 KB. nc ends when its input does, so ours gets an input that
# never ends.
told() {
	[ -p /run/nothing ] || mkfifo /run/nothing
	nc -l -p 5001 <> /run/nothing > /run/told &
	nc_pid=$!
	guest 1 "{ $1; } | nc 10.0.1.1 5001" && wait $nc_pid && cat /run/told
}

# Print the guest's description of its machine, without times and measured rates.
describe() {
	told "dmesg | sed 's/^\[[^]]*\] //'" | grep -vE \
		'tsc:|TSC|BogoMIPS|clocksource|sched_clock|random: |Memory: |smp: Brought|smpboot: Total|clock_' |
		sort
	told "nproc; cat /proc/cmdline /proc/iomem /proc/ioports"
	told "cat /proc/interrupts | sed 's/[0-9]* *[0-9]* //'  | awk '{ print \$1, \$NF }'"
	told "cd /sys/bus/pci/devices && grep -H . */vendor */device */class */resource */irq"
	told "ip -o link | sed 's/qlen.*//'"
}

on_hsm() {
	hsm=$1
	check "$hsm: loads" load_hsm
	start_vm 1 "$cpus" --net tap=tap1,vhost=on
	check "$hsm: the User VM comes to its prompt" vm_ready 1
	check "$hsm: ping" wait_until 10 ping_vm 1
	describe > "/run/describe.$hsm"
	check "$hsm: the User VM powers off" stop_vm 1
	check "$hsm: unloads" unload_modules
}

check "tap device" make_tap 1
on_hsm in-tree
on_hsm ours
check "the kernel log of the User VM has lines" \
	[ "$(wc -l < /run/describe.ours)" -gt 100 ]
check "the User VM is the same on both" diff /run/describe.in-tree /run/describe.ours
finish
