/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2) for tests without a kernel that would take it, or privileges: libbpf's own way to it is syscall(2), which is
 * this one. Maps and types are taken whatever they are. Programs are taken, or refused with words of the verifier, as their
 * instructions have it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <sys/syscall.h>

long syscall(long number, ...);
const char *__lsan_default_suppressions(void);

/* libbpf 1.1 forgets types where a relocation makes no sense. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libbpf\nleak:btf_parse_elf\n";
}

static long call(long number, const long *a)
{
	register long fourth __asm__("r10") = a[3], fifth __asm__("r8") = a[4], sixth __asm__("r9") = a[5];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(fourth), "r"(fifth), "r"(sixth)
			 : "rcx", "r11", "memory");
	return result;
}

static int any_file(size_t bytes)
{
	const long name[6] = { (long)"bpf", 1 /* MFD_CLOEXEC */ };
	long fd = call(SYS_memfd_create, name);

	if (fd >= 0 && bytes && ftruncate(fd, (bytes + 4095) / 4096 * 4096))
		return -ENOMEM;
	return fd;
}

static int load(const union bpf_attr *attr)
{
	static const char *const words[] = {
		"8: (61) r1 = *(u32 *)(r2 +0)\nR2 invalid mem access 'scalar'\n",
		"back-edge from insn 9 to 8\n",
		"unreachable insn 4000000000\n",
		"; text\n\n12: (zz\n",
	};
	const struct bpf_insn *insns = (const void *)(uintptr_t)attr->insns;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < attr->insn_cnt; i++)
		sum += insns[i].imm;
	/* by small ones libbpf asks what the kernel can */
	if (attr->insn_cnt < 8 || sum % 8 >= sizeof(words) / sizeof(*words))
		return any_file(0);
	if (attr->log_buf)
		strncpy((char *)(uintptr_t)attr->log_buf, words[sum % 8], attr->log_size);
	return sum % 16 < 8 ? -EACCES : -E2BIG;
}

static long fake(int command, const union bpf_attr *attr)
{
	switch (command) {
	case BPF_MAP_CREATE:
		return attr->value_size > 1 << 20 || attr->max_entries > 16 ? -E2BIG : any_file(attr->value_size);
	case BPF_BTF_LOAD:
		return any_file(0);
	case BPF_PROG_LOAD:
		return load(attr);
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_FREEZE:
	case BPF_PROG_BIND_MAP:
		return 0;
	default:
		return -EINVAL;
	}
}

__attribute__((no_sanitize_address)) long syscall(long number, ...) /* of the others it reads more than was given */
{
	va_list args;
	long a[6], result;

	va_start(args, number);
	for (int i = 0; i < 3 || (i < 6 && number != SYS_bpf); i++) /* more are not given to bpf(2) */
		a[i] = va_arg(args, long);
	va_end(args);
	result = number == SYS_bpf ? fake(a[0], (const void *)a[1]) : call(number, a);
	if (result >= 0 || result < -4095)
		return result;
	errno = -result;
	return -1;
}
