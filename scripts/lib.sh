# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154
# What scripts/demo and scripts/test share. Sourced by bash; $program is the caller's name.

mounted=()

say() {
	printf '==> %s\n' "$*"
}

die() {
	printf '%s: %s\n' "$program" "$*" >&2
	exit 1
}

# Runs a command as the owner of the build directory (or, before there is one, of the sources), so
# that a build under sudo leaves nothing behind that the user cannot change.
as_owner() {
	local place=$1 uid gid
	shift
	[ -e "$place" ] || place=.
	uid=$(stat -c %u "$place")
	gid=$(stat -c %g "$place")
	local drop=(setpriv "--reuid=$uid" "--regid=$gid" --clear-groups)
	if [ "$(id -u)" = 0 ] && [ "$uid" != 0 ] && "${drop[@]}" test -w "$PWD"; then
		"${drop[@]}" "$@"
	else
		"$@"
	fi
}

# On Ubuntu /usr/sbin/bpftool only works for the kernel it was packaged with; the tool itself works
# for any.
find_bpftool() {
	local tool
	PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
	bpftool version >/dev/null 2>&1 && return
	for tool in /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
		if [ -x "$tool" ] && "$tool" version >/dev/null 2>&1; then
			PATH=$(dirname "$tool"):$PATH
			return
		fi
	done
	die "bpftool does not run on this machine. Install it, and see that 'bpftool version' works."
}

# build_tree DIR [meson options]: configures DIR once and compiles everything in it.
build_tree() {
	local dir=$1 log
	shift
	log=$(mktemp)
	if [ ! -e "$dir/build.ninja" ]; then
		as_owner "$dir" meson setup "$dir" "$@" </dev/null >"$log" 2>&1 || {
			cat "$log" >&2
			rm -f "$log"
			die "meson could not configure $dir; its output is above."
		}
	fi
	as_owner "$dir" ninja -C "$dir" </dev/null >"$log" 2>&1 || {
		tail -n 60 "$log" >&2
		rm -f "$log"
		die "the build in $dir failed; the end of its output is above."
	}
	rm -f "$log"
}

# mount_if_absent TYPE PATH: remembers what it mounted, for unmount_own.
mount_if_absent() {
	if [ "$(stat -f -c %T "$2" 2>/dev/null)" != "$1" ]; then
		mount -t "${1/_fs/}" none "$2" ||
			die "$1 could not be mounted on $2, and without it nothing can be traced."
		mounted+=("$2")
	fi
}

mount_kernel_filesystems() {
	mount_if_absent tracefs /sys/kernel/tracing
	mount_if_absent bpf_fs /sys/fs/bpf
}

unmount_own() {
	local path
	for path in "${mounted[@]}"; do
		umount "$path"
	done
	mounted=()
}
