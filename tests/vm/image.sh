# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Root file systems for guests with systemd as process 1: one of each Debian suite, kept in the cache.

# What netcapd's programs are linked with, under the names that both Debian 12 and 13 know, and what the tests call.
readonly VM_IMAGE_PACKAGES=systemd,systemd-sysv,libbpf1,libdw1,libelf1,libevent-core-2.1-7,libjson-c5,libpcap0.8,libsystemd0,iproute2,python3,tcpdump,util-linux

# Never needed by a test, and half of the size.
readonly -a VM_IMAGE_PRUNED=(usr/share/doc usr/share/man usr/share/locale usr/share/info usr/lib/udev/hwdb.d
	var/cache/apt var/lib/apt/lists)

vm_image_path() {
	printf '%s/images/%s.ext4\n' "$vm_cache" "$1"
}

# Units that take time at boot and that no test looks at.
vm_image_mask() {
	local unit
	for unit in getty.target systemd-firstboot.service apt-daily.timer apt-daily-upgrade.timer \
		dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
		systemd-journal-flush.service systemd-random-seed.service systemd-update-utmp.service \
		systemd-logind.service systemd-remount-fs.service modprobe@.service \
		dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount; do
		ln -sf /dev/null "$1/etc/systemd/system/$unit"
	done
}

# What a first boot would ask for or make up.
vm_image_finish() {
	local root=$1
	echo netcap-vm >"$root/etc/hostname"
	echo 4e4554434150564d4e4554434150564d >"$root/etc/machine-id"
}

vm_image_make() {
	local suite=$1 image=$2 root=$2.root mirror bootstrap path
	bootstrap=$(vm_package_locked bookworm mmdebstrap)
	mirror=$(vm_mirror)
	[ -n "$mirror" ] || vm_die "No Debian mirror was found in this machine's apt sources, so no root file system can be made. Add one under /etc/apt/sources.list.d."
	vm_note "Making a root file system of $suite."
	rm -rf "$root" "$image.new"
	perl "$bootstrap/usr/bin/mmdebstrap" --quiet --mode=root --variant=essential --format=directory \
		--include="$VM_IMAGE_PACKAGES" "$suite" "$root" \
		"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" </dev/null >&2 ||
		vm_die "mmdebstrap could not make a root file system of $suite (its messages are above). Check the network and the mirror."
	for path in "${VM_IMAGE_PRUNED[@]}"; do rm -rf "${root:?}/$path"; done
	vm_image_mask "$root"
	vm_image_finish "$root"
	mke2fs -q -t ext4 -O ^has_journal -m 0 -E root_owner=0:0 -d "$root" "$image.new" \
		"$(($(du -sm "$root" | cut -f1) * 12 / 10 + 64))M" >&2
	mv "$image.new" "$image"
	rm -rf "$root"
}

# What the image is made of, so that a change here makes a new one.
vm_image_recipe() {
	sha256sum <"$vm_tree/tests/vm/image.sh"
}

# Makes the image of a suite, if it is not there yet or was made otherwise, and prints its path. It has a lock of its
# own: it takes minutes, and guests that need no image need not wait.
vm_image_locked() {
	local image recipe
	image=$(vm_image_path "$1")
	recipe=$(vm_image_recipe)
	mkdir -p "$vm_cache/images"
	(
		flock 9
		if [ ! -s "$image" ] || [ "$(cat "$image.recipe" 2>/dev/null)" != "$recipe" ]; then
			vm_image_make "$1" "$image"
			printf '%s\n' "$recipe" >"$image.recipe"
		fi
	) 9>"$image.lock" || return
	printf '%s\n' "$image"
}
