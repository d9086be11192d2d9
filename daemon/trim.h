/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes out of a program what its constants rule out. The kernel would do so, too, but only after it has looked at all
 * of it, and each piece that goes moves all the rest: for the copies of our templates, of which most is never reached,
 * that takes longer than the verifier's walk.
 */
#ifndef TRIM_H
#define TRIM_H

#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

/*
 * Shortens insns[*count] in place, and functions[*function_count], which has one entry for each subprogram, the main
 * program first, in order. A subprogram that nothing calls is gone then. What remains does the same, and its jumps of
 * no distance stay where they are (VERIFIER_MEET()). 0, or -ENOMEM: no place has changed.
 */
int trim_program(struct bpf_insn *insns, size_t *count, struct bpf_func_info *functions, uint32_t *function_count);

#endif
