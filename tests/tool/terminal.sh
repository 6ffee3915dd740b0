#!/bin/bash
# acrn-vhost stat as a person sees it: in a terminal, which is tmux, over the files of a
# made-up Service VM with two User VMs and two disks. And acrn-vhost check, which asks the
# processor: on this machine, where there is no ACRN.
#
# Usage: terminal.sh FOLDER
work=$1
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tap_out=$work/check.out
# shellcheck source=../system/tap.sh
. "$top/tests/system/tap.sh"

root=$work/root
program=$work/tool/acrn-vhost
hsm=/sys/class/misc/acrn_hsm
blk=/sys/class/misc/vhost-blk
terminal=(tmux -f /dev/null -S terminal)

# put PATH TEXT: a file of that machine
put() {
	mkdir -p "$root$(dirname "$1")"
	printf '%s\n' "$2" > "$root$1"
}

# put_all FOLDER NAME=VALUE...
put_all() {
	local folder=$1 word
	for word in "${@:2}"; do
		put "$folder/${word%%=*}" "${word#*=}"
	done
}

# latency COUNT: a histogram of which all took from 2^13 to 2^14 - 1 ns
latency() {
	local i
	for ((i = 0; i < 32; i++)); do
		echo "$((1 << i)) $((i == 13 ? $1 : 0))"
	done
}

# dm PID WORD...: a device model; acrn-dm has its first thread called mevent
dm() {
	put "/proc/$1/comm" mevent
	printf '%s\0' "${@:2}" > "$root/proc/$1/cmdline"
}

# vm ID PID DOORBELLS: with so many doorbells of each kind
vm() {
	put_all "$hsm/vm$1" "pid=$2" vcpus=1 async_ring=1 state=running "doorbells=$3" \
		"doorbells_deferred=$3" "doorbells_ring=$3" cookies_stale=0 requests_overload=0 \
		requests_kernel=0 requests_client=7 requests_polled=3 upcall_us=9000 pauses=1 "msis=$3" msis_failed=0
	put "/sys/kernel/debug/acrn_hsm/vm$1/doorbells" \
		"mmio 0xc000200$1 2 any rings=$3 async=yes"
	put "/sys/kernel/debug/acrn_hsm/vm$1/latency" "$(latency "$3")"
}

# disk ID PID NAME READS
disk() {
	put_all "$blk/$1" "pid=$2" "disk=$3" "reads=$4" writes=0 flushes=0 discards=0 \
		write_zeroes=0 ids=0 others=0 errors=0 polls=9 polls_found=8 waits=7 interrupts=6
}

machine() {
	mkdir -p "$root/sys/module/acrn_hsm"
	dm 501 /usr/bin/acrn-dm -m 128M quiet
	dm 502 vhost-dm --name busy --memory 128M
	vm 1 501 1000
	vm 2 502 1000
	disk 0 501 sda 500
	disk 1 502 nvme0n1p3 500
}

# What vm 2 and its disk do until the next sample
work_is_done() {
	vm 2 502 5000
	disk 1 502 nvme0n1p3 4500
}

screen() {
	"${terminal[@]}" capture-pane -p
}

keys() {
	"${terminal[@]}" send-keys "$@"
}

# size COLUMNS ROWS
size() {
	"${terminal[@]}" resize-window -x "$1" -y "$2"
}

# within SECONDS COMMAND...: it succeeds before that
within() {
	local tries=$(($1 * 20))
	shift
	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || { screen; return 1; }
		sleep 0.05
	done
}

# line N REGEX: of the screen
line() {
	screen | sed -n "$1p" | grep -Eq "$2"
}

# start OPTION...: the command, at a prompt on an empty screen
start() {
	run "$program --root $root stat $*"
}

# run COMMAND: at a prompt, on an empty screen; what comes of it and of the terminal
run() {
	keys "clear; $1; echo \"status \$?, \$(stty -a | grep -o '[-]*echo ')\"" Enter
}

# The command has ended, and keys are shown again
is_over() {
	screen | grep -q '^status 0, echo$'
}

heading="User VMs: 2   disks on vhost-blk: 2   per second, every"
vm_columns=" VM NAME         DOORBELLS  UPCALL    RING  THREAD   TO-DM    MSIS  PAUSES  CPU%   P50us   P99us"
disk_columns="DISK  VM DEVICE        READS  WRITES FLUSHES  ERRORS   WAITS  POLLED    IRQS   P50us   P99us"

shows_columns() {
	within 5 line 3 "^$vm_columns$" && line 7 "^$disk_columns$"
}

# A number of about 2000 or 6000, which many in 2 s are per second
two="+(19|20)[0-9][0-9]"
six="+(59|60)[0-9][0-9]"

shows_rates() {
	screen
	line 4 "^  2 busy         $six $two $two $two       0 $two       0   0.0    16.4    16.4$" &&
		line 8 "^   1   2 nvme0n1p3  $two( +0){6}       -       -$"
}

is_sorted() {
	line 5 "^  1 quiet         ( +0){7} +0.0 +- +-$" && line 9 "^   0   1 sda   ( +0){7} "
}

# is_line N TEXT: tmux prints no spaces at the end of a line
is_line() {
	local shown
	shown=$(screen | sed -n "$1p")
	[[ $2 =~ ^"$shown"\ *$ ]]
}

# fits COLUMNS TEXT: lines are cut off there, and TEXT are the disks' columns
fits() {
	is_line 3 "${vm_columns:0:$1}" && is_line 7 "${2:0:$1}"
}

# The VM is gone, and no line is left of the longer table
is_shorter() {
	! grep -q busy <(screen) && [ "$(screen | grep -c nvme0n1p3)" = 1 ]
}

plain_elsewhere() {
	"$program" --root "$root" stat -n 2 -i 0.1 > "$work/plain"
	cat -v "$work/plain"
	[ "$(grep -cx "$vm_columns" "$work/plain")" = 2 ] && ! grep -q $'\033\|User VMs' "$work/plain"
}

lists_both() {
	"$program" --root "$root" list | tee "$tap_out"
	grep -Eq "^  1 quiet +running +1 yes +501 acrn-dm +sda$" "$tap_out" &&
		grep -Eq "^  2 busy +running +1 yes +502 vhost-dm +nvme0n1p3$" "$tap_out"
}

valid_json() {
	"$program" --root "$root" stat --json -d | tee "$tap_out" | python3 -c '
import json, sys
all = json.load(sys.stdin)
assert [vm["name"] for vm in all["vms"]] == ["quiet"], all
assert [disk["reads"] for disk in all["disks"]] == [500, 4500], all
assert [bell["rings"] for bell in all["doorbells"]] == [1000], all'
}

is_pictured() {
	local picture=$top/Documentation/acrn-vhost-stat.svg
	grep -F "Documentation/acrn-vhost-stat.svg" "$top/README.md" &&
		grep -F ">$vm_columns<" "$picture" && grep -F ">$disk_columns<" "$picture" &&
		grep -E ">${heading//[0-9]/[0-9]+} [0-9]+ s; q ends<" "$picture"
}

no_acrn() {
	! "$program" check > "$tap_out" &&
		grep -A 1 "^FAIL hypervisor" "$tap_out" | grep -q -- "-> boot it on ACRN"
}

# The path of a socket must be short
cd "$work" || exit
rm -rf "$root"
machine
check "it builds" make -s -C "$top/tool" O="$work/tool"
check "a terminal" "${terminal[@]}" new-session -d -x 100 -y 24 \
	"env -i PATH=$PATH TERM=screen timeout --foreground 100 bash --norc"
trap '"${terminal[@]}" kill-server' EXIT
"${terminal[@]}" set -g status off

check "list: what acrn-dm and vhost-dm are called" lists_both
start -i 2
check "the heading is there at once" within 1 line 1 "^$heading 2 s; q ends$"
work_is_done
check "columns" shows_columns
check "rates" shows_rates
check "the busiest comes first" is_sorted
keys q
check "q ends it, and the terminal is as before" within 1 is_over

vm 1 501 1000
start -i 60 -n 1
check "the heading again" within 1 line 1 "^$heading 60 s; q ends$"
keys C-c
check "so does Ctrl-C" within 1 is_over

# The terminal changes before the next table
start -i 3
check "another table" within 5 line 3 "^$vm_columns$"
size 60 9
check "a small terminal" within 1 fits 60 "$disk_columns"
size 50 4
check "a tiny one" within 1 fits 50 ""
size 120 24
check "a large one" within 1 fits 120 "$disk_columns"
rm -r "${root:?}$hsm/vm2"
check "a VM ends" within 5 is_shorter
keys C-z
check "Ctrl-Z" within 2 grep -q Stopped <(sleep 0.3; screen)
run fg
check "it goes on" within 5 line 3 "^$vm_columns$"
keys q
check "and ends" within 1 is_over

vm 2 502 9000
start -d -n 1 -i 1
sleep 0.3
vm 2 502 9500
check "doorbells, one a line" within 3 line 4 "^  2 mmio 0xc0002002 2 any +(4|5)[0-9][0-9]  yes$"
check "of both VMs" line 5 "^  1 mmio 0xc0002001 2 any +0  yes$"
rm -r "${root:?}$hsm/vm2"
check "into a file it writes no control characters" plain_elsewhere
check "--json is JSON" valid_json
check "README's picture has what it shows today" is_pictured
check "check: no ACRN" no_acrn
finish
