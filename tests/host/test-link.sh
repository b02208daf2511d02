#!/bin/sh
# tests/host/test-link.sh DIR -- programs of others link with DIR/libcascade.a and run; TAP.
#
# With the flags that host.h names, and with more; by gcc and, if it is here, clang.
dir=$1
lib=$dir/libcascade.a
include='-I. -Itests/host/include'
n=0

result() {	# STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$dir/link.log" | tail -n 20
	fi
}

try() {		# NAME PROGRAM COMPILER FLAGS...
	name=$1
	source=tests/host/external/$2.c
	shift 2
	"$@" $include -Wall -Wextra -Werror "$source" "$lib" -lcmocka -o "$dir/link-test" \
		>"$dir/link.log" 2>&1 && timeout 60 "$dir/link-test" >>"$dir/link.log" 2>&1
	result $? "$name"
	rm -f "$dir/link-test"
}

# A function of ours that has the name of one in a library would be called by that library.
clashes() {
	nm --defined-only -g "$lib" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u >"$dir/ours"
	: >"$dir/link.log"
	for so in libc.so.6 libcmocka.so.0 libasan.so.8 libubsan.so.1 libgcc_s.so.1; do
		path=$(gcc -print-file-name="$so")
		[ -e "$path" ] || continue
		nm -D --defined-only "$path" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort -u |
			comm -12 - "$dir/ours" | sed "s/$/ is in $so too/" >>"$dir/link.log"
	done
	! [ -s "$dir/link.log" ]
}

# A program that never asked for sanitizers must not need them.
unsanitized() {
	nm -u "$lib" | grep -v ' w ' | grep 'asan\|ubsan' >"$dir/link.log"
	[ $? -eq 1 ]
}

clang=$(command -v clang-19 || command -v clang)
count=8
[ -n "$clang" ] || count=7
echo "1..$count"
try two_lines_link_and_run two-lines gcc
try two_lines_without_pie two-lines gcc -no-pie -O2
try two_lines_collected two-lines gcc -ffunction-sections -Wl,--gc-sections
try driver_links_and_runs driver gcc
try driver_with_sanitizers_against_the_plain_library driver gcc -fsanitize=address,undefined
[ -z "$clang" ] || try driver_by_clang driver "$clang"
clashes
result $? no_name_clashes_with_a_library
unsanitized
result $? library_needs_no_sanitizer
rm -f "$dir/ours" "$dir/link.log"
