/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What all programs that capture write into a record. */
#ifndef NETCAP_DESCRIBE_BPF_H
#define NETCAP_DESCRIBE_BPF_H

#include "record.bpf.h"

/* Is the session running? */
static __always_inline bool active(void)
{
	return *(volatile __u32 *)&netcap_control.active;
}

/*
 * 16 bytes, a load each, which costs less than the call of a helper. In this order, or clang keeps them
 * all on the stack.
 */
static __always_inline void copy_name(char *to, const char *from)
{
	for (int i = 0; i < NETCAP_COMM_LEN; i++) {
		to[i] = *(const volatile char *)&from[i];
		asm volatile("" ::: "memory");
	}
}

/* What describe() fills, on the stack, which is short: the fields up to comm. */
struct record_head {
	__u64 words[offsetof(struct netcap_record, comm) / sizeof(__u64)];
};

/* Who runs here: straight into the record, for the stack is short. */
static __always_inline void describe_task(struct netcap_record *r)
{
#ifdef NETCAP_OLD_LOOPS
	__u64 task = bpf_get_current_pid_tgid();

	r->pid = task >> 32;
	r->tid = task;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
#else
	struct task_struct *task = bpf_get_current_task_btf(); /* Linux 5.11 */

	r->pid = task->tgid;
	r->tid = task->pid;
	copy_name(r->comm, task->comm);
#endif
}

#endif
