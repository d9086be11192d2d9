/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts other code in the place of functions of a BPF program. What follows moves, so calls between functions get new
 * distances; jumps never leave their function.
 */
#ifndef SPLICE_H
#define SPLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#define SPLICE_FUNCTIONS 32 /* most that a program has, parts not counted */

/* What takes the place of one function. */
struct splice_part {
	size_t at;                    /* first instruction of the function that it replaces; SIZE_MAX: none, left out */
	const struct bpf_insn *insns; /* not owned */
	size_t count;
	bool calls_out; /* it calls functions of the program, with distances as if it stood at the old place */
};

struct splice {
	struct bpf_insn *insns; /* owned */
	size_t count;
	/* where each function of the program begins now, in order */
	uint32_t starts[SPLICE_FUNCTIONS];
};

/*
 * starts: first instructions of the functions, ascending, the first 0, functions of them. Each part replaces one. 0,
 * -ENOMEM, or -EPROTO: a call to where no function begins, or too many functions. What is in out is the caller's to
 * free.
 */
int splice_make(const struct bpf_insn *insns, size_t count, const uint32_t *starts, size_t functions,
		const struct splice_part *parts, size_t part_count, struct splice *out);

#endif
