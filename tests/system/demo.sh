#!/bin/sh
# The demonstration of `make run`: iperf3 between the Service VM and a User VM.
#
# Arguments: seconds for each iperf3 run, physical CPUs of the User VM.
# Prints "step: TEXT" as it goes and "json: NAME VALUE" for the report.
. ./lib.sh

seconds=$1
cpus=$2

fail() {
	echo "failed: $*"
	exit 1
}

measure() {
	name=$1
	echo "step: iperf3, $2"
	shift 2
	result=$(iperf 1 --time "$seconds" "$@") || fail "iperf3: $result"
	echo "json: $name $result"
}

echo "step: User VM boots"
make_tap 1 || fail "no tap device"
start_vm 1 "$cpus" --net "tap=tap1,vhost=on"
vm_ready 1 || fail "the User VM did not come to its prompt: $(tail -n 5 /run/vm1.log)"
wait_until 10 ping_vm 1 || fail "the User VM does not answer to ping"

measure tcp_to_user_vm "TCP to the User VM"
measure tcp_from_user_vm "TCP from the User VM" --reverse
measure udp64_to_user_vm "UDP, 64 bytes, to the User VM" --udp --length 64 --bitrate 0
measure udp64_from_user_vm "UDP, 64 bytes, from the User VM" --udp --length 64 --bitrate 0 --reverse

echo "step: User VM powers off"
stop_vm 1 || fail "the device model ended with an error: $(tail -n 5 /run/vm1.log)"
for name in doorbells_routed msis_injected; do
	echo "json: $name $(counter $name 2> /dev/null || echo null)"
done
echo "json: device_model $(cat /run/vm1.stats)"
