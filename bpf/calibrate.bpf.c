/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds out how a struct page's address becomes the address of its bytes: daemon/pagemap.c writes a
 * known number into a pipe, and this program, run in that process by BPF_PROG_TEST_RUN, follows the
 * pipe to its page and looks for the number at the places that the daemon proposes.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct page {
	unsigned long flags;
};

struct pipe_buffer {
	struct page *page;
};

struct pipe_inode_info {
	struct pipe_buffer *bufs;
};

struct file {
	void *private_data;
};

struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	struct files_struct *files;
};
#pragma clang attribute pop

__u64 calibrate_page;      /* address of the struct page */
__u64 calibrate_page_size; /* sizeof(struct page), bytes */
__u64 calibrate_task;      /* an address in the kernel's linear map */

/* Arguments: the pipe's descriptor. */
SEC("raw_tp")
int netcap_find_page(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pipe_inode_info *pipe;
	struct file **files, *file = NULL;

	files = BPF_CORE_READ(task, files, fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &files[ctx[0]]);
	pipe = BPF_CORE_READ(file, private_data);
	calibrate_page = (__u64)BPF_CORE_READ(pipe, bufs, page);
	calibrate_page_size = bpf_core_type_size(struct page);
	calibrate_task = (__u64)task;
	return 0;
}

/* Arguments: an address, the number. Returns 1 if the number stands there. */
SEC("raw_tp")
int netcap_try_address(__u64 *ctx)
{
	__u64 found = 0;

	if (bpf_probe_read_kernel(&found, sizeof(found), (void *)ctx[0]))
		return 0;
	return found == ctx[1];
}
