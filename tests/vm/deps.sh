# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The host packages that booting a guest needs.

# Prints the path of virtiofsd: part of qemu on Debian 12, a package of its own since.
vm_virtiofsd() {
	local path
	for path in /usr/lib/qemu/virtiofsd /usr/libexec/virtiofsd; do
		[ -x "$path" ] && printf '%s\n' "$path" && return
	done
	return 1
}

# Prints the packages that are missing, one a line.
vm_missing_packages() {
	local pair
	for pair in qemu-system-x86_64:qemu-system-x86 modprobe:kmod busybox:busybox-static \
		cpio:cpio zstd:zstd xz:xz-utils setpriv:util-linux; do
		command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair#*:}"
	done
	if ! vm_virtiofsd >/dev/null; then
		if apt-cache show virtiofsd >/dev/null 2>&1; then echo virtiofsd; else echo qemu-system-common; fi
	fi
}

vm_deps() {
	local -a missing
	[ "$EUID" = 0 ] || vm_die "This needs root, to share the root file system with the guest. Run it with sudo."
	[ "$(uname -m)" = x86_64 ] || vm_die "The kernels here are built for x86_64, and this machine is $(uname -m)."
	mapfile -t missing < <(vm_missing_packages)
	[ ${#missing[@]} = 0 ] && return
	vm_note "Installing ${missing[*]}."
	{ apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "${missing[@]}"; } >&2 ||
		vm_die "apt-get could not install ${missing[*]} (its messages are above). Install them by hand."
}
