#!/bin/sh
# A User VM with the unmodified kernel of a distribution. It has no CONFIG_ACRN_GUEST, so
# it uses the local APIC in xAPIC mode and does not ask ACRN for the TSC's rate; its
# drivers are modules; KASLR and mitigations are on.
#
# "long" has vhost_blk loaded there, inside the User VM: the distribution's kernel has the
# cgroup controllers that the kernels of the tests do not have.
#
# Arguments: short or long, physical CPUs of the User VM.
. ./lib.sh

length=$1
cpus=$2,$3
guest_words=$processor_words
# In Bochs, CPUID has the TSC rate of the processor that is emulated, not that of Bochs
[ "${on:-}" != acrn ] || guest_words="$guest_words tsc_early_khz=50000"
vm_images=/images/distribution
vm_memory=384M
vm_boot_seconds=180

prepare() {
	modprobe null_blk nr_devices=1 gb=1 memory_backed=1 && modprobe vhost_blk
}

# These search in the User VM, as printing to its console is slow
is_the_distribution() {
	guest 1 "uname -r | grep -e -cloud- && ! dmesg | grep 'x2apic enabled'"
}

has_two_cpus() {
	guest 1 "[ \$(nproc) = 2 ]"
}

# Each queue of the disk interrupts a CPU of its own
interrupts_both() {
	guest 1 "awk '/virtio1-req/ { first += \$2; second += \$3 }
		END { print first, second; exit !(first && second) }' /proc/interrupts"
}

has_no_complaint() {
	guest 1 "! dmesg | grep -E '$(tr '\n' '|' < trouble)unchecked MSR|Marking TSC|Firmware Bug'"
}

# Who is charged for what vhost_blk does
charges() {
	title="vhost_blk in the User VM"
	if ! guest 1 "modprobe vhost_blk"; then
		skip "$title" "it was not built for the distribution's kernel"
		return
	fi
	check "$title: disks and a cgroup" guest 1 "blk_charge prepare"
	check "$title: the cgroup is charged for what the worker does" guest 1 "blk_charge reads"
	check "$title: for the zeroing of a disk" guest 1 "blk_charge zeroes"
	check "$title: for a write to a file that waits" guest 1 "blk_charge file"
	check "$title: for the memory of requests" guest 1 "blk_charge memory"
	check "$title: zeroing and writes wait as long as its limit says" \
		guest 1 "blk_charge throttled"
}

check "tap device" make_tap 1
check "a disk" prepare
start_vm 1 "$cpus" --net tap=tap1,vhost=on --blk path=/dev/nullb0,queues=2
if check "the User VM comes to its prompt" vm_ready 1; then
	check "it is the distribution's kernel, in xAPIC mode" is_the_distribution
	check "it has two CPUs" has_two_cpus
	check "its clock is the TSC" guest 1 "grep tsc /sys/devices/system/clocksource/clocksource0/current_clocksource"
	check "disk: what is read is what was written" guest 1 "blk_io verify /dev/vda 2 4 1048576"
	check "disk: its interrupts go to both CPUs" interrupts_both
	check "disk: a pattern is written" guest 1 "blk_io fill /dev/vda 1048576 1048576 7"
	check "disk: and is there" guest 1 "blk_io expect /dev/vda 1048576 1048576 7"
	check "ping" wait_until 10 ping_vm 1
	check "TCP to the User VM" iperf 1 --time 1
	check "TCP from the User VM" iperf 1 --time 1 --reverse
	[ "$length" = short ] || charges
	check "its kernel has nothing to complain of" has_no_complaint
	check "the User VM powers off" stop_vm 1
	if [ "$hsm" = ours ]; then
		check "doorbells were routed" [ "$(counter doorbells_routed)" -gt 100 ]
		check "interrupts were injected" [ "$(counter msis_injected)" -gt 100 ]
	fi
fi
check "vhost_blk unloads" rmmod vhost_blk
check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
