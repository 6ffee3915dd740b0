# shellcheck shell=sh
# Functions for the scripts of checks.

# Whether a module is loaded
loaded() {
	grep "^$1 " /proc/modules
}

# Whether systemd has come to its target, and no unit failed
units_well() {
	systemctl is-active multi-user.target || return
	systemctl list-units --failed --plain --no-legend > /run/failed
	while read -r unit _; do
		systemctl status --no-pager "$unit"
	done < /run/failed
	[ ! -s /run/failed ]
}
