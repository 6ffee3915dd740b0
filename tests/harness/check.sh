#!/bin/bash
# Static analysis, behind `make check`: compiler warnings, sparse, checkpatch,
# kernel-doc (of every function that is not static), clang-format, shellcheck,
# codespell, headers that compile alone, circles of files. Runs none of the code.
#
# Modules are built for the VMs' kernel of each version in $KVERS.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
build=$top/build/check
failed=()

mapfile -t kernel_c < <(find hsm acrn_vhost ioeventfd irqfd vhost_blk bench/{floor,exits} -name '*.[ch]' | sort)
mapfile -t kernel_h < <(find include hsm acrn_vhost ioeventfd irqfd vhost_blk -name '*.h' | sort)
mapfile -t user_c < <(find lib dm acrn-dm tool tests bench/service-vm bench/both -name '*.[ch]' | sort)
mapfile -t user_h < <(find lib dm tool tests bench/service-vm -name '*.h' ! -path 'tests/unit/shim/*' \
	! -path 'tests/hypervisor/*' | sort)
mapfile -t shell < <(grep -rlE '^#!/bin/(ba)?sh' --exclude-dir=.git --exclude-dir=build .
	printf "%s\n" tests/system/lib.sh tests/system/tap.sh tests/packages/root.sh tests/installed/units.sh)
mapfile -t text < <(git ls-files --cached --others --exclude-standard)

# step NAME COMMAND...: run a check; its output is shown only when it fails.
step() {
	local name=$1 log
	shift
	log=$build/${name// /-}.log
	printf '%-40s' "$name"
	if "$@" > "$log" 2>&1; then
		echo ok
	else
		echo FAILED
		tail -n 40 "$log"
		failed+=("$name")
	fi
}

# module_tree DIR: a copy of the modules' sources, with an additional source file
# for each kernel header that includes it and nothing else
module_tree() {
	local dir=$1 header name
	rm -rf "$dir"
	mkdir -p "$dir/headers"
	cp -rs "$top"/{include,hsm,acrn_vhost,ioeventfd,irqfd,vhost_blk,bench/{floor,exits}} "$dir"
	# A copy, as lines are added to it
	cp "$top/Kbuild" "$dir"
	for header in "${kernel_h[@]}"; do
		name=${header//[\/.]/_}
		printf '#include <linux/module.h>\n#include "../%s"\nMODULE_LICENSE("GPL");\nMODULE_DESCRIPTION("");\n' \
			"$header" > "$dir/headers/$name.c"
		echo "headers_check-y += headers/$name.o"
	done >> "$dir/Kbuild"
	echo "obj-m += headers_check.o floor/acrn_floor.o exits/acrn_exits.o" >> "$dir/Kbuild"
}

# W=1 and sparse do not fail on a warning, so the output is searched for them.
modules() {
	local kdir=$1 dir=$2 flags=$3 log
	log=$dir.out
	module_tree "$dir"
	make -C "$kdir" M="$dir" W=1 C=2 CF="-D__CHECK_ENDIAN__" KCFLAGS="$flags" \
		KBUILD_MODPOST_WARN=0 modules > "$log" 2>&1
	local status=$?
	cat "$log"
	[ $status = 0 ] && ! grep -E 'warning:|error:|WARNING:' "$log"
}

headers_alone() {
	local header
	for header in "$@"; do
		gcc -fsyntax-only -Wall -Wextra -Werror -D_GNU_SOURCE -Iinclude -Ilib -Idm -Itool \
			-Itests/include -x c "$header" || return 1
	done
}

# User-space code: no circles of files, no file over 600 lines
circles() {
	make -s -C "$top" tools &&
		tests/harness/circles.py build/dm dm 600 &&
		tests/harness/circles.py build/lib lib 600 &&
		tests/harness/circles.py build/tool tool 600
}

spdx() {
	local file
	for file in "$@"; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' ||
			{ echo "$file: no SPDX line"; return 1; }
	done
}

python() {
	local file
	for file in tests/harness/*.py bench/*.py; do
		python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$file" || return 1
	done
}

mkdir -p "$build"
kdir=
for version in $KVERS; do
	kdir=$(tests/kernel/build.sh "$version") || exit 1
	flags=
	[ "$version" != 6.1 ] || flags="-include $top/tests/kernel/acrn-kernel.h"
	step "modules $version: W=1, sparse" modules "$kdir" "$build/modules-$version" "$flags"
done

step "circles of files: modules" tests/harness/circles.py "$build/modules-$version"

# Checks are ignored for two reasons: include/compat.h exists to compare versions,
# and trace events are written in a style of their own.
checkpatch() {
	local ignore=$1
	shift
	"$kdir/source/scripts/checkpatch.pl" --no-tree --strict --quiet --no-summary \
		--ignore "FILE_PATH_CHANGES,$ignore" --file "$@"
}
mapfile -t trace_h < <(find "${kernel_h[@]}" -name trace.h)
mapfile -t plain_c < <(printf '%s\n' "${kernel_c[@]}" include/*.h | grep -vFx "${trace_h[@]/#/-e}")
step "checkpatch" checkpatch LINUX_VERSION_CODE,CONSTANT_COMPARISON "${plain_c[@]}"
step "checkpatch of trace events" checkpatch PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE \
	"${trace_h[@]}"
step "kernel-doc" "$kdir/source/scripts/kernel-doc" -none -Werror "${kernel_c[@]}" include/*.h \
	{lib,dm,dm/*,tool}/*.[ch]
step "kernel-doc of each function" tests/harness/undocumented.py \
	{hsm,ioeventfd,irqfd,acrn_vhost,vhost_blk}/*.c
step "SPDX" spdx "${kernel_c[@]}" "${user_c[@]}" include/*.h
step "user-space headers compile alone" headers_alone "${user_h[@]}"
step "clang-format" clang-format --dry-run -Werror "${user_c[@]}"
step "shellcheck" shellcheck --external-sources --source-path=SCRIPTDIR "${shell[@]}"
step "python" python
step "circles of files: dm, lib, tool" circles
step "differences" tests/harness/differences.py
step "codespell" codespell --ignore-words-list=extint,inflight,inout,ist,mis,nd,ser "${text[@]}"

if [ ${#failed[@]} -gt 0 ]; then
	echo "make check: failed: ${failed[*]}" >&2
	exit 1
fi
