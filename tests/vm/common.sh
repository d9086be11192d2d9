# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What all of tests/vm shares: where things are, the table of kernels, and how to fail.

vm_tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
vm_cache=${NETCAP_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netcap-vm}

# Codes of scripts/vm for what is not the command's own result, as timeout(1) and env(1) use them.
readonly VM_EXIT_TIMEOUT=124 VM_EXIT_BROKEN=125
# The code by which a test says that it does not apply, as meson and automake read it.
readonly VM_EXIT_SKIP=77

vm_die() {
	printf 'vm: %s\n' "$*" >&2
	exit "$VM_EXIT_BROKEN"
}

vm_note() {
	printf 'vm: %s\n' "$*" >&2
}

# Prints what exit code $1 of scripts/vm means.
vm_word_of() {
	case $1 in
	0) echo passed ;;
	"$VM_EXIT_SKIP") echo skipped ;;
	"$VM_EXIT_TIMEOUT") echo "timed out" ;;
	"$VM_EXIT_BROKEN") echo died ;;
	*) echo "failed ($1)" ;;
	esac
}

# Prints the rows of the table, or the one of kernel $1: name, suite, version prefix.
vm_rows() {
	awk -v name="${1:-}" '!/^#/ && NF && (name == "" || $1 == name) { print $1, $2, $3 }' \
		"$vm_tree/tests/vm/kernels"
}

vm_names() {
	vm_rows | cut -d' ' -f1
}

vm_check_name() {
	local names
	[ -n "$(vm_rows "$1")" ] && return
	names=$(vm_names | paste -sd' ')
	vm_die "There is no kernel named \"$1\". The kernels are: $names."
}

# Prints the directory of kernel $1: release, vmlinuz, initrd and root/ (its unpacked packages).
vm_kernel_dir() {
	printf '%s/kernels/%s\n' "$vm_cache" "$1"
}

# The release file is written last, so a kernel that has one is complete.
vm_is_fetched() {
	[ -s "$(vm_kernel_dir "$1")/release" ]
}

vm_check_cache() {
	case $vm_cache in
	*[[:space:]]*) vm_die "The cache path \"$vm_cache\" holds a blank, which a kernel command line cannot carry. Set NETCAP_VM_CACHE to a path without one." ;;
	/*) ;;
	*) vm_die "The cache path \"$vm_cache\" is not absolute. Set NETCAP_VM_CACHE to a path that begins with /." ;;
	esac
	mkdir -p "$vm_cache/kernels" "$vm_cache/runs" ||
		vm_die "The cache directory $vm_cache cannot be made. Set NETCAP_VM_CACHE to a directory that can be written."
}
