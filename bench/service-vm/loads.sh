# shellcheck shell=sh
# The loads of `make bench B=block` and B=net, each a line "load: {...}".
#
# channel: command that runs another one in the User VM, such as "console 1" or
#	"ssh root@10.0.1.2"
# jobs:	folder of the fio jobs there
# quick: 1 for fewer and shorter loads
# pingpong_seconds: how long each kind of requests is sent
: "${channel=}" "${jobs:=/jobs}" "${quick:=0}"
pingpong_seconds=1
[ "$quick" = 0 ] || pingpong_seconds=0.5
port=5200

# Whether the exits of the real hypervisor are counted, as bench/exits does
counts_exits() {
	[ -e /sys/kernel/debug/acrn_exits ]
}

# The first program that asks for random numbers waits until there are any, busily
random_ready() {
	guest 1 "head -c 1 /dev/random > /dev/null"
}

# load CASE TOOL COMMAND...
load() {
	load_case=$1
	load_tool=$2
	load_kind=guest
	[ "$load_tool" != fio ] || load_kind=marked
	shift 2
	# shellcheck disable=SC2086 # the channel is words
	counters host "$load_case" "$load_tool" $channel counters $load_kind "$@"
}

# block_loads DISK SLOW TAGS BUSY QUEUES: disks that do not exist are left out
block_loads() {
	sections="fast,randread,depth-1 fast,randread,depth-32"
	[ "$quick" = 1 ] || sections="$sections fast,randwrite,depth-1 fast,randwrite,depth-32"
	[ "$quick" = 1 ] || [ "$5" -gt 1 ] || sections="$sections fast,bandwidth fast,mixed"
	[ -z "$2" ] || sections="$sections $(echo "$sections" |
		tr ' ' '\n' | sed -n 's/^fast,\(rand.*\)/1-ms,\1/p' | xargs)"
	[ -z "$3" ] || [ "$quick" = 1 ] || [ "$5" -gt 1 ] ||
		sections="$sections 32-tags,randread,depth-256"
	[ -z "$4" ] || sections="$sections busyloop,randread,depth-32"
	runtime=1000ms
	[ "$quick" = 0 ] || runtime=500ms
	# shellcheck disable=SC2046 # words
	load "$5 queues" fio env "DISK=$1" "SLOW=$2" "TAGS=$3" "BUSY=$4" "QUEUES=$5" \
		"RUNTIME=$runtime" fio --minimal --terse-version=3 $(echo "$sections" | sed 's/[^ ]*/--section=&/g') \
		"$jobs/block.fio"
}

# iperf_load CASE ADDRESS OPTION...: --reverse is to the User VM. Some versions of iperf3
# end with 0 after an error
iperf_load() {
	iperf_case=$1
	iperf_address=$2
	shift 2
	iperf_line=$(load "$iperf_case" iperf3 iperf3 --client "$iperf_address" --json \
		--interval 0 --time 1 "$@") || return
	case $iperf_line in
	*'\"error\":'*)
		echo "$iperf_line" >&2
		return 1
		;;
	esac
	echo "$iperf_line"
}

# iperf_loads CASE ADDRESS OPTION...: in both directions, unless it is to be quick
iperf_loads() {
	both_case=$1
	shift
	iperf_load "$both_case from the User VM" "$@" || return
	[ "$quick" = 1 ] || iperf_load "$both_case to the User VM" "$@" --reverse
}

# pingpong_load CASE ADDRESS PROTOCOL DEPTH [SIZE]
pingpong_load() {
	load "$1" pingpong pingpong client "$3" "$2" $port "${5:-64}" "$4" $pingpong_seconds
}

# net_loads_few CASE ADDRESS: against the servers there
net_loads_few() {
	iperf_loads "$1TCP, 1 stream," "$2" &&
		iperf_loads "$1UDP, 64 bytes," "$2" --udp --length 64 --bitrate 0 &&
		pingpong_load "$1UDP request and response" "$2" udp 1 &&
		pingpong_load "$1UDP requests, depth 32" "$2" udp 32
}

net_loads() {
	net_loads_few "$@" || return
	[ "$quick" = 0 ] || return 0
	iperf_loads "$1TCP, 4 streams," "$2" --parallel 4 &&
		iperf_loads "$1UDP, 1472 bytes," "$2" --udp --length 1472 --bitrate 0 &&
		pingpong_load "$1TCP request and response" "$2" tcp 1
}

# vsock_loads: against the Service VM, whose address is 2
vsock_loads() {
	pingpong_load "vsock request and response" 2 vsock 1 || return
	[ "$quick" = 0 ] || return 0
	pingpong_load "vsock requests of 64 KiB, depth 2" 2 vsock 2 65536
}
