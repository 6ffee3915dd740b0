#!/bin/sh
# The task in the Service VM for every measurement: loads one HSM after the
# other, round by round, and runs the measuring program under each. The order
# changes: nobody is always first, or always behind the same one.
#
# On the real hypervisor, whose time is exact, what is measured in the second
# round is how many VM exits there are: they take longer when they are counted.
#
# Arguments: name of the program without "bench-", rounds, 1 for quick rounds or
# 0, variants joined by "+", arguments for the program. A variant is what is
# measured: the in-tree HSM, ours, or what a program has to hold them against.
#
# The program gets the variant and its arguments and prints rows; everything
# that comes between "round: N VARIANT" and "round: done" is about that round.
program=/tests/bench-$1
rounds=$2
export quick="$3" PATH="$PATH:/tests"
variants=$(echo "$4" | tr '+' ' ')
shift 4

# Which modules a variant needs, in the order of loading.
modules_of() {
	case $1 in
	in-tree | in-tree-user | in-tree-plain | in-tree-iothread | in-tree-vhost) echo acrn ;;
	ours | ours-user | ours-async | ours-plain | ours-iothread | ours-vhost | ours-unpolled | \
		observed | ours-thread | user | vhost | uring | thread)
		echo acrn_hsm acrn_vhost ;;
	service-vm) ;;
	floor) echo acrn_hsm acrn_floor ;;
	exit) echo acrn_hsm ;;
	*) echo "no variant $1" >&2; return 1 ;;
	esac
}

# The words in the other order
reversed() {
	echo "$@" | tr ' ' '\n' | tac | xargs
}

# observe 0|1: all that our modules can tell about each doorbell
observe() {
	mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
	echo "$1" > /sys/kernel/debug/acrn_hsm/measure_latency &&
		echo "$1" > /sys/kernel/tracing/events/acrn_hsm/enable
}

# measure VARIANT ARGUMENT...: with its modules loaded for as long as it takes.
measure() {
	modules=$(modules_of "$1") || return 1
	for module in $modules; do
		modprobe "$module" || return 1
	done
	[ "$1" != observed ] || observe 1 || return 1
	case $1 in
	ours | ours-user | ours-thread | observed)
		echo off > /sys/module/acrn_hsm/parameters/async || return 1 ;;
	esac
	[ "$1" != ours-thread ] || echo thread > /sys/module/acrn_vhost/parameters/dispatch || return 1
	"$program" "$@" || return 1
	[ "$1" != observed ] || observe 0 || return 1
	for module in $(reversed "$modules"); do
		rmmod "$module" || return 1
	done
}

modprobe vhost_net || exit 1
[ -e "$program" ] || program=$program.sh
round=0
while [ $((round += 1)) -le "$rounds" ]; do
	# Every second round goes backwards, and the next begins one further on
	if [ $((round % 2)) = 0 ]; then
		order=$(reversed "$variants")
		variants="${variants#* } ${variants%% *}"
	else
		order=$variants
	fi
	if [ "${on:-}" = acrn ] && [ "$round" = 2 ]; then
		modprobe acrn_exits || exit 1
	fi
	for variant in $order; do
		echo "round: $round $variant"
		measure "$variant" "$@" || exit 1
		echo "round: done"
	done
done
echo "upcalls: $(awk '/HYP:/ { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts)"
