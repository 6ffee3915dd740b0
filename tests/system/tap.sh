# shellcheck shell=sh
# TAP output for tests that are shell scripts.

tap_run=0
tap_failed=0
: "${tap_out:=/run/check.out}"

diag() {
	echo "# $*"
}

# check NAME COMMAND...: one check, which passes if COMMAND succeeds; otherwise the end of
# COMMAND's output is printed. Returns COMMAND's status.
check() {
	tap_name=$1
	shift
	tap_run=$((tap_run + 1))
	"$@" > "$tap_out" 2>&1
	tap_status=$?
	if [ $tap_status = 0 ]; then
		echo "ok $tap_run - $tap_name"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_run - $tap_name"
	diag "status $tap_status: $*"
	tail -n 12 "$tap_out" | sed 's/^/#   /'
	return $tap_status
}

# skip NAME WHY: a check that cannot be made
skip() {
	tap_run=$((tap_run + 1))
	echo "ok $tap_run - $1 # SKIP $2"
}

# finish: print the plan. Succeeds if there were checks and all of them passed.
finish() {
	echo "1..$tap_run"
	[ "$tap_failed" = 0 ] && [ "$tap_run" -gt 0 ]
}
