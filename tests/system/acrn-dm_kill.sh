#!/bin/sh
# The unmodified acrn-dm is killed while its User VM boots, several times. Then a User VM
# must work.
#
# Arguments: number of kills, physical CPU of the User VM.
. ./acrn-dm-lib.sh

kills=$1
cpu=$2

prepare
# A User VM that boots has a request outstanding most of the time. After a kill the next
# User VM must find the hypervisor as if there had been none before.
# shellcheck disable=SC2086 # the devices are several words
start_fast() {
	start_acrn_dm 1 "$cpu" $fast_disk $fast_network
}

killed=0
while [ $killed -lt "$kills" ]; do
	start_fast
	usleep $((300000 * ${slowness:-1} + 150000 * killed))
	kill_vm 1
	killed=$((killed + 1))
done
start_fast
name="after $kills kills"
if check "$name: the User VM comes to its prompt" vm_ready 1; then
	works "$name" 192
	guest 1 "(while :; do dd if=/dev/vda of=/dev/null bs=4k count=64 iflag=direct
		done) > /dev/null 2>&1 & true"
fi
kill_vm 1
check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
