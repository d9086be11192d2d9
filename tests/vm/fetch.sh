# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# From the name of a kernel to something that boots: package index, packages, modules, initramfs.

# Prints the address of the Debian mirror that this machine itself uses.
vm_mirror() {
	local codename
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # these are apt's own variables
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' |
		awk -v release="$codename" '$1 == release && $2 == "main" { print $3; exit }'
}

# vm_apt SUITE TOOL ARGS...: apt-get or apt-cache in a state directory of our own, which knows only SUITE.
vm_apt() {
	local dir=$vm_cache/apt/$1 tool=$2
	shift 2
	"$tool" -q -o Dir::State="$dir" -o Dir::State::status="$dir/status" -o Dir::State::lists="$dir/lists" \
		-o Dir::Cache="$dir/cache" -o Dir::Etc::sourcelist="$dir/sources.list" \
		-o Dir::Etc::sourceparts="$dir/none" -o Dir::Etc::preferences="$dir/none/none" \
		-o Dir::Etc::preferencesparts="$dir/none" -o APT::Architecture=amd64 \
		-o APT::Architectures=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

vm_update_index() {
	local suite=$1 dir=$vm_cache/apt/$1 mirror
	mirror=$(vm_mirror)
	[ -n "$mirror" ] || vm_die "No Debian mirror was found in this machine's apt sources, so kernels cannot be fetched. Add one under /etc/apt/sources.list.d."
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/none"
	: >"$dir/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$dir/sources.list"
	vm_apt "$suite" apt-get update >&2 ||
		vm_die "The package index of $suite could not be read from $mirror (apt's messages are above). Check the network and the mirror."
}

# Prints the newest release of a suite whose version begins with a prefix.
vm_newest_release() {
	local suite=$1 prefix=$2
	vm_apt "$suite" apt-cache pkgnames "linux-image-$prefix" | sed -n 's/^linux-image-\(.*-cloud-amd64\)$/\1/p' |
		sort -V | tail -n 1
}

# Prints the directory of package $2 of suite $1, unpacked: it is fetched if it is not there yet, and
# never installed. What it needs besides must be on this machine.
vm_package() {
	local suite=$1 package=$2 dir=$vm_cache/packages/$1/$2
	if [ ! -d "$dir" ]; then
		vm_update_index "$suite"
		vm_note "Fetching the package $package of $suite."
		rm -rf "$dir.new"
		mkdir -p "$dir.new/debs" "$dir.new/root"
		(cd "$dir.new/debs" && vm_apt "$suite" apt-get download "$package" >&2) ||
			vm_die "The package $package could not be downloaded (apt's messages are above)."
		dpkg -x "$dir.new"/debs/*.deb "$dir.new/root"
		mv "$dir.new/root" "$dir"
		rm -r "$dir.new"
	fi
	printf '%s\n' "$dir"
}

vm_package_locked() {
	(
		flock 9
		vm_package "$@"
	) 9>"$vm_cache/lock"
}

# Downloads and unpacks the packages of a release into DIR/root. Since 6.19 linux-image-* is a shell
# and kernel, modules and the list of what is built in are in packages of their own: take those that exist.
vm_unpack() {
	local suite=$1 release=$2 dir=$3 deb
	local -a packages
	mapfile -t packages < <(vm_apt "$suite" apt-cache pkgnames linux- |
		grep -xF -e "linux-image-$release" -e "linux-binary-$release" \
			-e "linux-modules-$release" -e "linux-base-$release")
	mkdir -p "$dir/debs" "$dir/root"
	(cd "$dir/debs" && vm_apt "$suite" apt-get download "${packages[@]}" >&2) ||
		vm_die "The packages of $release could not be downloaded (apt's messages are above)."
	for deb in "$dir"/debs/*.deb; do
		dpkg -x "$deb" "$dir/root"
	done
	rm -r "$dir/debs"
	[ -e "$dir/root/lib" ] || ln -s usr/lib "$dir/root/lib"
}

vm_link_vmlinuz() {
	local release=$1 dir=$2 path
	for path in "boot/vmlinuz-$release" "lib/modules/$release/vmlinuz"; do
		[ -f "$dir/root/$path" ] && ln -s "root/$path" "$dir/vmlinuz" && return
	done
	vm_die "The packages of $release hold no vmlinuz where it was looked for (boot/ and lib/modules/)."
}

# Copies the modules that the guest needs to see its root into DIR, numbered in the order of loading.
vm_copy_boot_modules() {
	local release=$1 root=$2 dir=$3 path number=100
	mkdir -p "$dir"
	for module in virtio_pci virtiofs overlay; do
		modprobe -d "$root" -S "$release" --show-depends "$module" ||
			vm_die "Kernel $release has no module $module, which the guest's root file system needs."
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
		number=$((number + 1))
		case $path in
		*.xz) xz -dc "$path" >"$dir/$number.ko" ;;
		*) cp "$path" "$dir/$number.ko" ;;
		esac
	done
}

vm_make_initrd() {
	local release=$1 dir=$2 tree=$2/initrd.tree applet
	mkdir -p "$tree"/{bin,dev,proc,sys,lower,upper,root}
	vm_copy_boot_modules "$release" "$dir/root" "$tree/modules"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for applet in sh mount mkdir insmod sed switch_root poweroff; do
		ln -s busybox "$tree/bin/$applet"
	done
	install -m 755 "$vm_tree/tests/vm/guest-init" "$tree/init"
	(cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$dir/initrd"
	rm -r "$tree"
}

# Makes kernel $1 bootable, or newer than it was. The old one stays until the new one is complete.
vm_fetch() {
	local name=$1 dir new suite prefix release
	dir=$(vm_kernel_dir "$name")
	new=$dir.new
	read -r name suite prefix < <(vm_rows "$name")
	vm_update_index "$suite"
	release=$(vm_newest_release "$suite" "$prefix")
	[ -n "$release" ] || vm_die "Suite $suite has no cloud kernel whose version begins with $prefix; correct tests/vm/kernels."
	if vm_is_fetched "$name" && [ "$(<"$dir/release")" = "$release" ]; then
		vm_make_initrd "$release" "$dir"
		return
	fi
	vm_note "Fetching kernel $name: $release of $suite."
	rm -rf "$new"
	vm_unpack "$suite" "$release" "$new"
	depmod -b "$new/root" "$release"
	vm_link_vmlinuz "$release" "$new"
	vm_make_initrd "$release" "$new"
	printf '%s\n' "$release" >"$new/release"
	rm -rf "$dir"
	mv "$new" "$dir"
}

# As vm_fetch, but one at a time, and only what is not there yet unless $1 is "newest".
vm_fetch_locked() {
	local what=$1 name
	shift
	(
		flock 9
		for name in "$@"; do
			if [ "$what" = newest ] || ! vm_is_fetched "$name"; then vm_fetch "$name"; fi
		done
	) 9>"$vm_cache/lock"
}
