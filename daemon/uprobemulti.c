/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "daemon/uprobemulti.h"

#define IS_RETURN 1 /* BPF_F_UPROBE_MULTI_RETURN */

/* What bpf(2) takes with BPF_LINK_CREATE for this attach type. */
struct link_attr {
	__u32 program;
	__u32 target; /* nothing */
	__u32 attach_type;
	__u32 flags;
	__aligned_u64 path;
	__aligned_u64 offsets;
	__aligned_u64 semaphores;
	__aligned_u64 cookies;
	__u32 count;
	__u32 multi_flags;
	__u32 pid;
	__u32 pad;
};

int uprobemulti_link(const struct perfprobe_user *place, int program)
{
	unsigned long offset = place->offset, semaphore = place->semaphore;
	char path[32];
	struct link_attr attr = {
		.program = program,
		.attach_type = UPROBEMULTI_ATTACH,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)&offset,
		.semaphores = semaphore ? (uintptr_t)&semaphore : 0,
		.count = 1,
		.multi_flags = place->is_return ? IS_RETURN : 0,
		.pid = place->pid,
	};
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", place->fd);
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

/* ---- does it work? ---- */

/* What is traced. */
static __attribute__((noinline)) void traced(void)
{
	asm volatile("nop");
}

struct place {
	uintptr_t address;
	uint64_t offset; /* in the program's file; 0: not found */
};

static int find_offset(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct place *place = arg;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && place->address >= begin && place->address - begin < p->p_filesz)
			place->offset = place->address - begin + p->p_offset;
	}
	return 1; /* the first one is the program */
}

/* A program that adds 1 to the only value of a map. */
static int load_counter(int map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = map },
		{ .code = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_STX | BPF_XADD | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = UPROBEMULTI_ATTACH);
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "netcap_trial", "Dual BSD/GPL", insns, sizeof(insns) / sizeof(*insns),
			       &options);

	return fd < 0 ? -errno : fd;
}

static int try_with(int file, int map, uint64_t offset)
{
	const struct perfprobe_user here = { .fd = file, .offset = offset, .pid = getpid() };
	int program = load_counter(map), link;
	uint64_t count = 0;
	uint32_t zero = 0;

	if (program < 0)
		return program;
	link = uprobemulti_link(&here, program);
	close(program);
	if (link < 0)
		return link;
	traced();
	close(link);
	if (bpf_map_lookup_elem(map, &zero, &count))
		return -errno;
	return count ? 0 : -EXDEV;
}

int uprobemulti_try(void)
{
	struct place place = { .address = (uintptr_t)traced };
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), map, r;

	if (file < 0)
		return -errno;
	dl_iterate_phdr(find_offset, &place);
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "netcap_trial", sizeof(uint32_t), sizeof(uint64_t), 1, NULL);
	r = map < 0 ? -errno : place.offset ? try_with(file, map, place.offset) : -ENOENT;
	if (map >= 0)
		close(map);
	close(file);
	return r;
}
