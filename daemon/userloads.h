/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes user code of what the compiler made of the user's C. In C, skb->mark is a plain load from an address of the
 * kernel, which the verifier takes in few programs and of few pointers only. So each load that is not from the
 * program's own memory becomes a call of bpf_probe_read_kernel(), which reads 0 where there is nothing. What a
 * register points to is found by following every way through the code.
 */
#ifndef USERLOADS_H
#define USERLOADS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#define USERLOADS_MOST 8192 /* instructions taken */

/* What the arguments of the first function are. */
enum userloads_entry {
	USERLOADS_FILTER_CTX,  /* context, packet, point */
	USERLOADS_FILTER_ARG,  /* a number in place of the context */
	USERLOADS_ACTION_CTX,  /* context, packet, length, user, point */
	USERLOADS_ACTION_ARG,
};

struct userloads {
	struct bpf_insn *insns; /* owned */
	uint32_t count;
	uint32_t *places;       /* owned; where each old instruction is now */
};

/*
 * starts: first instructions of functions, ascending, the first 0. 0; -ENOMEM; or -EINVAL with what is wrong in why, as
 * the end of a sentence, and the old instruction in *at.
 */
int userloads_make(const struct bpf_insn *insns, uint32_t count, const uint32_t *starts, uint32_t functions,
		   enum userloads_entry entry, struct userloads *out, uint32_t *at, char *why, size_t size);
void userloads_clear(struct userloads *u);

#endif
