#!/bin/sh
# One round of B=block or B=net on a real ACRN machine, in its Service VM. The User
# VM runs already, on the HSM and with the devices that VARIANT stands for; see
# bench/README.md. Prints lines for `make bench-from`.
#
# Usage: on-machine.sh block|net ROUND VARIANT CHANNEL...
#
#   CHANNEL	runs a command in the User VM, such as ssh root@10.0.1.2; in both
#		VMs counters and pingpong of build/bench/both are in the PATH
#   DISK	the User VM's name for the disk, for block; SLOW for another one
#   QUEUES	of these disks (1)
#   JOBS	where block.fio is in the User VM (/jobs)
#   ADDRESS	the Service VM's for the User VM, for net; iperf3 --server and
#		pingpong server 5200 run in the Service VM
set -eu

usage="usage: on-machine.sh block|net ROUND VARIANT CHANNEL..."
bench=${1:?$usage}
round=${2:?$usage}
variant=${3:?$usage}
shift 3
channel=${*:?$usage}
# shellcheck disable=SC2034 # for loads.sh
jobs=${JOBS:-/jobs}
# shellcheck source=service-vm/loads.sh
. "$(dirname "$0")/service-vm/loads.sh"

# Which HSM is loaded, and the build of it
hsm=built-in
for module in acrn acrn_hsm; do
	[ ! -d /sys/module/$module ] || hsm=$module
done
case $variant/$hsm in
service-vm/* | in-tree*/acrn | in-tree*/built-in) ;;
in-tree*/* | */acrn | */built-in)
	echo "variant $variant, but the HSM is $hsm" >&2
	exit 2
	;;
esac

# setting MODULE NAME: a parameter, or nothing
setting() {
	cat "/sys/module/$1/parameters/$2" 2> /dev/null || true
}
settings="async=$(setting acrn_hsm async) dispatch=$(setting acrn_vhost dispatch)"
case $variant/$settings in
"ours/async=off dispatch=irq" | "ours-async/async=auto dispatch=irq") ;;
"ours-thread/async=off dispatch=thread") ;;
ours*)
	echo "variant $variant, but $settings" >&2
	exit 2
	;;
esac
id=/sys/module/$hsm/notes/.note.gnu.build-id
[ ! -r "$id" ] || hsm="$hsm $(tail -c 20 "$id" | od -An -tx1 | tr -d ' \n' | cut -c 1-12)"

model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
commit=$(git -C "$(dirname "$0")" describe --always --dirty) || commit=unknown
echo "round: $round $variant"
printf 'machine: {"kernel": "%s", "cpu": "%s", "cpus": %s, "hypervisor": "ACRN", "hsm": "%s", "date": "%s", "commit": "%s"}\n' \
	"$(uname -r)" "$model" "$(nproc)" "$hsm" "$(date +%F)" "$commit"
case $bench in
block) block_loads "${DISK:?}" "${SLOW-}" "" "" "${QUEUES:-1}" ;;
net) net_loads "" "${ADDRESS:?}" ;;
*) echo "$usage" >&2; exit 2 ;;
esac
echo "round: done"
