# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# One guest: virtiofsd shares the host's root with it, qemu runs it, and its exit code comes back by file.

vm_run_dir=
declare -a vm_children=()
# qemu and how it emulates; vm_use_parallel changes it
declare -a vm_qemu=(qemu-system-x86_64 -accel "tcg,thread=single" -cpu "max,-cx16")

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
		vm_qemu=(qemu-system-x86_64 -accel "tcg,thread=multi" -cpu max)
		return
	fi
	program=$(vm_package_locked bookworm-backports qemu-system-x86)
	common=$(vm_package_locked bookworm-backports qemu-system-common)
	data=$(vm_package_locked bookworm-backports qemu-system-data)
	vm_qemu=("$program/usr/bin/qemu-system-x86_64" -L "$data/usr/share/qemu" -L /usr/share/seabios
		-L "$common/usr/share/qemu" -accel "tcg,thread=multi" -cpu max)
}

# Runs qemu to its end and returns its exit code, or that of timeout(1).
# - The CPU goes without CMPXCHG16B, and both virtual CPUs share one thread: qemu 7.2 corrupts the flags
#   after the one, and runs stale instructions in the other case while the kernel patches its code. Neither
#   was seen with qemu 10 (vm_use_parallel).
# - 5.10 and 6.1 distrust the emulated TSC, and a clock read then costs 12 times as much.
# - Lockup detectors go off by themselves on a loaded machine.
vm_run_qemu() {
	local seconds=$1 memory=$2 kernel_dir=$3
	# shellcheck disable=SC2054 # the commas are qemu's
	local -a args=(
		-machine q35 -smp 2 -m "$memory"
		-object "memory-backend-memfd,id=memory,size=$memory,share=on" -numa node,memdev=memory
		-nodefaults -no-user-config -display none -no-reboot
		-kernel "$kernel_dir/vmlinuz" -initrd "$kernel_dir/initrd"
		-chardev "socket,id=root,path=$vm_run_dir/socket"
		-device vhost-user-fs-pci,queue-size=1024,chardev=root,tag=hostroot
		-serial "file:$vm_run_dir/console" -chardev stdio,id=output,signal=off -serial chardev:output
		-append "console=ttyS0 panic=-1 quiet loglevel=5 mitigations=off nowatchdog tsc=reliable clocksource=tsc netcap_run=$vm_run_dir"
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

# vm_boot NAME SECONDS MEMORY COMMAND...: runs COMMAND in kernel NAME and returns its exit code, or
# VM_EXIT_TIMEOUT, or VM_EXIT_BROKEN when the guest ended before the command did.
vm_boot() {
	local name=$1 seconds=$2 memory=$3 dir code=0
	shift 3
	dir=$(vm_kernel_dir "$name")
	vm_run_dir=$(mktemp -d "$vm_cache/runs/$name.XXXXXX")
	trap vm_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	vm_write_job "$dir/root/lib/modules" "$@"
	vm_start_virtiofsd
	vm_run_qemu "$seconds" "$memory" "$dir" || code=$?
	[ -s "$vm_run_dir/exit" ] && return "$(<"$vm_run_dir/exit")"
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
