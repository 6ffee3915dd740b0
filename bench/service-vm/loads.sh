# shellcheck shell=sh
# The loads of `make bench B=block`, each a line "load: {...}".
#
# channel: command that runs another one in the User VM, such as "console 1" or
#	"ssh root@10.0.1.2"
# jobs:	folder of the fio jobs there
# quick: 1 for fewer and shorter loads
: "${channel=}" "${jobs:=/jobs}" "${quick:=0}"

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

# block_loads DISK SLOW BUSY QUEUES: disks that do not exist are left out
block_loads() {
	sections="fast,randread,depth-1 fast,randread,depth-32"
	[ "$quick" = 1 ] || sections="$sections fast,randwrite,depth-1 fast,randwrite,depth-32"
	[ "$quick" = 1 ] || [ "$4" -gt 1 ] || sections="$sections fast,bandwidth fast,mixed"
	[ -z "$2" ] || sections="$sections $(echo "$sections" |
		tr ' ' '\n' | sed -n 's/^fast,\(rand.*\)/1-ms,\1/p' | xargs)"
	[ -z "$3" ] || sections="$sections busyloop,randread,depth-32"
	runtime=1000ms
	[ "$quick" = 0 ] || runtime=500ms
	# shellcheck disable=SC2046 # words
	load "$4 queues" fio env "DISK=$1" "SLOW=$2" "BUSY=$3" "QUEUES=$4" "RUNTIME=$runtime" \
		fio --minimal --terse-version=3 $(echo "$sections" | sed 's/[^ ]*/--section=&/g') \
		"$jobs/block.fio"
}
