#!/bin/sh
# Accesses of a User VM that no driver makes: see tests/guest/guest_io.c.
#
# Arguments: physical CPU of the User VM.
. ./lib.sh

check "tap device" make_tap 1
start_vm 1 "$1" --net tap=tap1,vhost=on
check "the User VM comes to its prompt" vm_ready 1
check "each odd access has its answer" guest 1 guest_io
check "the User VM still answers to ping" wait_until 10 ping_vm 1
check "the User VM powers off" stop_vm 1
check "nothing was logged as a warning" sh -c '! dmesg | grep -E "WARNING|cut here|acrn.*(fail|error)"'
check "the modules unload" unload_modules
finish
