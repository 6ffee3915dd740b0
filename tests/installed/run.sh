#!/bin/sh
# Runs one script of /tests and reboots, as checks.service. Its name and its arguments are
# words of the kernel's command line, and output goes where it goes in
# tests/system/service-init.
read -r words < /proc/cmdline
for word in $words; do
	case $word in
	task=* | args=* | hsm=* | slowness=*) export "${word?}" ;;
	esac
done
exec < /dev/null > /dev/ttyS1 2> /dev/console
stty -opost -F /dev/ttyS1
echo "service-vm: up"

cd /tests || exit
# shellcheck source=../system/lib.sh
. ./lib.sh
: "${task:?} ${args=}"
# shellcheck disable=SC2046 # the arguments are words
"./$task.sh" $(echo "$args" | tr ',' ' ')
echo "exit: $?"

{
	show_user_vms
	echo "--- journal"
	journalctl --boot --no-pager --output short-monotonic
} > /dev/console 2>&1
systemctl reboot
