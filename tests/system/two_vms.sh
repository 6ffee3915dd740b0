#!/bin/sh
# Two User VMs with two vCPUs each at the same time: each has traffic with the Service VM,
# then both with each other over a bridge.
#
# Arguments: physical CPUs, two for each User VM.
. ./lib.sh

# Join the tap devices by a bridge, on which User VM N has the address 10.1.0.N
bridge() {
	brctl addbr br0 && ip link set br0 up || return
	for vm in 1 2; do
		brctl addif br0 tap$vm && guest $vm "ip address add 10.1.0.$vm/24 dev eth0" || return
	done
}

unbridge() {
	brctl delif br0 tap1 && brctl delif br0 tap2 && ip link set br0 down && brctl delbr br0
}

# talks_to N M: User VM N pings User VM M and runs iperf3 with it
talks_to() {
	guest "$1" "ping -c 3 -W 5 10.1.0.$2 && iperf3 --client 10.1.0.$2 --time 1"
}

# has_sent N: the iperf3 with User VM N succeeded
has_sent() {
	eval "wait \$iperf_pid_$1" && grep -q '"sum_received"' "/run/iperf.$1"
}

for vm in 1 2; do
	check "tap device $vm" make_tap $vm
	start_vm $vm "$1,$2" --net tap=tap$vm,vhost=on
	shift 2
done
for vm in 1 2; do
	check "User VM $vm comes to its prompt" vm_ready $vm
	check "User VM $vm has two processors" [ "$(guest $vm nproc)" = 2 ]
	check "User VM $vm answers to ping" wait_until 10 ping_vm $vm
done
for vm in 1 2; do
	iperf $vm --time 2 --reverse > /run/iperf.$vm &
	eval "iperf_pid_$vm=$!"
done
for vm in 1 2; do
	check "User VM $vm sends while the other does" has_sent $vm
done
check "a bridge joins the two" bridge
check "User VM 1 talks to User VM 2" talks_to 1 2
check "User VM 2 talks to User VM 1" talks_to 2 1
check "the bridge goes" unbridge
check "User VM 1 dies" kill_vm 1
check "User VM 2 goes on" guest 2 "ping -c 3 10.0.2.1"
check "User VM 2 powers off" stop_vm 2
check "no page stays pinned" no_pages_pinned
check "the modules unload" unload_modules
finish
