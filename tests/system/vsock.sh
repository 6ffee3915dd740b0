#!/bin/sh
# Sockets between a User VM and the Service VM on vhost-vsock: each end listens and
# connects, and again after the driver, the User VM and the device model were restarted.
#
# Arguments: KiB to transfer through each connection in each direction, physical CPU of the
# User VM.
. ./lib.sh

bytes=$(($1 * 1024))
cpu=$2
cid=42
port=1000

load_driver() {
	guest 1 "modprobe vmw_vsock_virtio_transport"
}

# Use another port for each connection, so that a listener's message is not an old one
next_port() {
	port=$((port + 1))
}

# guest_listens TYPE: the Service VM connects to the User VM
guest_listens() {
	next_port
	guest 1 "vsock_io $1 listen $port $bytes" > /run/io 2>&1 &
	listener=$!
	wait_until 5 grep -q "listening on $port" /run/vm1.log &&
		vsock_io "$1" connect $port $bytes $cid && wait $listener && return
	cat /run/io
	return 1
}

# service_vm_listens TYPE: the User VM connects to the Service VM, which is 2
service_vm_listens() {
	next_port
	vsock_io "$1" listen $port $bytes > /run/io 2>&1 &
	listener=$!
	wait_until 5 grep -q listening /run/io
	guest 1 "vsock_io $1 connect $port $bytes 2" && wait $listener && return
	kill $listener
	cat /run/io
	return 1
}

# The doorbells of both queues were routed and have rung
doorbells_routed() {
	cat /sys/kernel/debug/acrn_hsm/vm*/doorbells
	[ "$(grep -c 'mmio.*rings=[1-9]' /sys/kernel/debug/acrn_hsm/vm*/doorbells)" = 2 ]
}

rebind() {
	driver=/sys/bus/virtio/drivers/vmw_vsock_virtio_transport
	device=$(guest 1 "ls $driver | grep ^virtio") &&
		guest 1 "echo $device > $driver/unbind && echo $device > $driver/bind"
}

reboot_and_load_driver() {
	reboot_vm 1 2 && load_driver
}

# A second User VM with the same address is refused
taken() {
	! vhost-dm --name other --cpu-affinity "$cpu" --memory 128M --kernel /images/bzImage \
		--vsock cid=$cid > /run/other.log 2>&1 && grep "vsock $cid.*in use" /run/other.log
}

# The connection ends with an error when the device model is killed in the middle of it.
# Which error Linux reports depends on the moment: reset, broken pipe, not connected, or no
# memory to queue a packet.
kill_in_traffic() {
	next_port
	echo "vsock_io stream listen $port 0x100000000" > /run/vm1.in
	wait_until 5 grep -q "listening on $port" /run/vm1.log || return
	timeout 20 vsock_io stream connect $port 0x100000000 $cid > /run/io 2>&1 &
	client=$!
	sleep 1
	kill -0 $client && kill_vm 1 || return
	wait $client
	status=$?
	cat /run/io
	[ $status = 1 ] && grep -E "^(send|recv): " /run/io
}

check "vhost-vsock loads" modprobe vhost_vsock
start_vm 1 "$cpu" --vsock cid=$cid
check "the User VM comes to its prompt" vm_ready 1
check "the driver finds the device" load_driver
check "stream to the User VM and back" guest_listens stream
check "stream to the Service VM and back" service_vm_listens stream
check "messages to the User VM and back" guest_listens seqpacket
check "messages to the Service VM and back" service_vm_listens seqpacket
[ "$hsm" != ours ] || check "the doorbells of both queues were routed" doorbells_routed
check "no other User VM gets the address" taken
check "the driver is unbound and bound" rebind
check "stream after that" guest_listens stream
check "the User VM reboots" reboot_and_load_driver
check "stream after that" service_vm_listens stream
check "the device model is killed in the middle of a stream" kill_in_traffic
start_vm 1 "$cpu" --vsock cid=$cid
check "the next User VM with that address comes to its prompt" vm_ready 1
check "its driver finds the device" load_driver
check "stream to it and back" guest_listens stream
check "the User VM powers off" stop_vm 1
check "no doorbell reached the device model" grep '"doorbells_to_dm": 0' /run/vm1.stats
check "no page stays pinned" no_pages_pinned
# A socket that is not told of its peer's end times out after 8 seconds
check "vhost-vsock unloads" wait_until 10 rmmod vhost_vsock
check "the modules unload" unload_modules
finish
