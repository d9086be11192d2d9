# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# One guest: virtiofsd shares the host's root with it, qemu runs it, and its exit code comes back by file.

vm_run_dir=
declare -a vm_children=()
# qemu and how it emulates; vm_use_parallel changes it
vm_cpu="max,-erms,-fsrm,-avx,-avx2"
declare -a vm_qemu=(qemu-system-x86_64 -accel "tcg,thread=single" -cpu "$vm_cpu,-cx16")

# Leaves nothing behind, however the script ends; setpriv --pdeathsig does it even for a kill -9.
vm_cleanup() {
	local pid
	for pid in "${vm_children[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	[ -z "$vm_run_dir" ] || rm -rf "$vm_run_dir"
}

# Writes what the guest has to do into the directory of the run.
vm_write_job() {
	local modules=$1
	shift
	cp "$vm_tree/tests/vm/guest-main" "$vm_run_dir/guest-main"
	{
		printf 'job_directory=%q\n' "$PWD"
		printf 'job_modules=%q\n' "$modules"
		printf 'job_command=('
		printf ' %q' "$@"
		printf ' )\n'
	} >"$vm_run_dir/job"
}

vm_start_virtiofsd() {
	local _
	setpriv --pdeathsig TERM "$(vm_virtiofsd)" --socket-path="$vm_run_dir/socket" -o source=/ \
		-o cache=always -o sandbox=chroot --thread-pool-size=2 >"$vm_run_dir/virtiofsd.log" 2>&1 &
	vm_children+=($!)
	for _ in {1..250}; do
		[ -S "$vm_run_dir/socket" ] && return
		sleep 0.02
	done
	vm_die "virtiofsd did not start within 5 seconds: $(tail -n 3 "$vm_run_dir/virtiofsd.log")"
}

# From now on each virtual CPU has a thread of its own, as rates of packets need it: what reads them must not
# stand still while they are sent. That takes qemu 10, which Debian 12 has in its backports.
vm_use_parallel() {
	local major common data program
	major=$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
	if [ "${major:-0}" -ge 10 ]; then
		vm_qemu=(qemu-system-x86_64 -accel "tcg,thread=multi" -cpu "$vm_cpu")
		return
	fi
	program=$(vm_package_locked bookworm-backports qemu-system-x86)
	common=$(vm_package_locked bookworm-backports qemu-system-common)
	data=$(vm_package_locked bookworm-backports qemu-system-data)
	vm_qemu=("$program/usr/bin/qemu-system-x86_64" -L "$data/usr/share/qemu" -L /usr/share/seabios
		-L "$common/usr/share/qemu" -accel "tcg,thread=multi" -cpu "$vm_cpu")
}

# Runs qemu to its end and returns its exit code, or that of timeout(1). What the guest has as its root is in the
# arguments after the first four, and in those of its kernel.
# - The CPU goes without CMPXCHG16B, and both virtual CPUs share one thread: qemu 7.2 corrupts the flags
#   after the one, and runs stale instructions in the other case while the kernel patches its code. Neither
#   was seen with qemu 10 (vm_use_parallel).
# - It also goes without fast string moves and AVX: emulated, "rep movsb" moves byte by byte, and kernel and libc use it for
#   every copy where the CPU says that it is fast. A start of netcapd takes a third of the time without.
# - 5.10 and 6.1 distrust the emulated TSC, and a clock read then costs 12 times as much.
# - Lockup detectors go off by themselves on a loaded machine.
vm_run_qemu() {
	local seconds=$1 memory=$2 kernel_dir=$3 kernel_args=$4
	shift 4
	# shellcheck disable=SC2054 # the commas are qemu's
	local -a args=(
		-machine q35 -smp 2 -m "$memory"
		-nodefaults -no-user-config -display none -no-reboot
		-kernel "$kernel_dir/vmlinuz"
		-serial "file:$vm_run_dir/console" -chardev stdio,id=output,signal=off -serial chardev:output
		-append "console=ttyS0 panic=-1 quiet loglevel=5 mitigations=off nowatchdog tsc=reliable clocksource=tsc $kernel_args"
		"$@"
	)
	setpriv --pdeathsig TERM timeout --foreground "$seconds" "${vm_qemu[@]}" "${args[@]}" \
		</dev/null 2>"$vm_run_dir/qemu.log" &
	vm_children+=($!)
	wait $!
}

vm_show_console() {
	{
		echo "--- the last lines of the guest's console:"
		tail -n 60 "$vm_run_dir/console" | tr -d '\r'
		cat "$vm_run_dir/qemu.log"
	} >&2
}

vm_make_run_dir() {
	vm_run_dir=$(mktemp -d "$vm_cache/runs/$1.XXXXXX")
	trap vm_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# vm_result NAME SECONDS CODE: the exit code that the guest left, or what qemu's own code means.
vm_result() {
	local name=$1 seconds=$2 code=$3
	[ -s "$vm_run_dir/exit" ] && return "$(tr -d '\r' <"$vm_run_dir/exit")"
	if [ "$code" = 124 ]; then
		vm_note "Kernel $name: the command did not end within $seconds seconds (-t changes that)."
		code=$VM_EXIT_TIMEOUT
	else
		vm_note "Kernel $name: the guest ended before the command did."
		code=$VM_EXIT_BROKEN
	fi
	vm_show_console
	return "$code"
}

# vm_boot NAME SECONDS MEMORY COMMAND...: runs COMMAND in kernel NAME and returns its exit code, or
# VM_EXIT_TIMEOUT, or VM_EXIT_BROKEN when the guest ended before the command did.
vm_boot() {
	local name=$1 seconds=$2 memory=$3 dir code=0
	shift 3
	dir=$(vm_kernel_dir "$name")
	vm_make_run_dir "$name"
	vm_write_job "$dir/root/lib/modules" "$@"
	vm_start_virtiofsd
	vm_run_qemu "$seconds" "$memory" "$dir" "netcap_run=$vm_run_dir" -initrd "$dir/initrd" \
		-object "memory-backend-memfd,id=memory,size=$memory,share=on" -numa node,memdev=memory \
		-chardev "socket,id=root,path=$vm_run_dir/socket" \
		-device vhost-user-fs-pci,queue-size=1024,chardev=root,tag=hostroot || code=$?
	vm_result "$name" "$seconds" "$code"
}

# Writes an initramfs with image-init and the directory $1 into the directory of the run.
vm_make_image_initrd() {
	local dir=$vm_run_dir/initrd.tree applet
	mkdir -p "$dir"/{bin,dev,root}
	cp "$(command -v busybox)" "$dir/bin/busybox"
	for applet in sh mount cp sleep switch_root poweroff; do
		ln -s busybox "$dir/bin/$applet"
	done
	install -m 755 "$vm_tree/tests/vm/image-init" "$dir/init"
	cp -a "$1" "$dir/tree"
	(cd "$dir" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$vm_run_dir/initrd"
	rm -r "$dir"
}

# vm_boot_image NAME SECONDS MEMORY IMAGE TREE: boots IMAGE with the files of the directory TREE over it, systemd as
# process 1 and image-test.service as what it starts. Returns what vm_boot returns. IMAGE stays as it is.
vm_boot_image() {
	local name=$1 seconds=$2 memory=$3 image=$4 tree=$5 code=0
	vm_make_run_dir "$name"
	vm_make_image_initrd "$tree"
	vm_run_qemu "$seconds" "$memory" "$(vm_kernel_dir "$name")" \
		"systemd.unit=image-test.service systemd.show_status=0" -initrd "$vm_run_dir/initrd" \
		-drive "file=$image,format=raw,if=none,id=disk,snapshot=on" -device nvme,drive=disk,serial=disk \
		-serial "file:$vm_run_dir/exit" || code=$?
	vm_result "$name" "$seconds" "$code"
}
