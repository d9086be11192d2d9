/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What keeps programs in the verifier's limits: it follows every way through a program, and what it knows of a
 * value makes one way two.
 */
#ifndef NETCAP_VERIFIER_BPF_H
#define NETCAP_VERIFIER_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "record.h"

extern struct netcap_control netcap_control;

/*
 * Makes the verifier forget what it knows of a number: netcap_control.zero is 0, but only the daemon
 * knows. Without it the verifier follows every combination of a loop's paths, with it they are one.
 */
#define VERIFIER_FORGET(number)                                                  \
	do {                                                                   \
		__u64 whole = (number);                                        \
		__u64 zero = *(volatile __u64 *)&netcap_control.zero;          \
                                                                               \
		asm volatile("%0 ^= %1" : "+r"(whole) : "r"(zero));            \
		(number) = whole;                                              \
	} while (0)

/*
 * Where ways meet that are one to the verifier by now: it compares them at the targets of jumps. The
 * jump to the next instruction is gone when the program runs.
 */
#define VERIFIER_MEET() asm volatile("goto +0")

/* Keeps what a pointer points to in memory, where the compiler would rather have it in registers. */
#define VERIFIER_IN_MEMORY(at) asm volatile("" : "+r"(at) : : "memory")

/* Makes the compiler forget what it knows of a number, so that the check behind it stays. */
#define VERIFIER_OPAQUE(number) asm volatile("" : "+r"(number))

/*
 * Pieces of one packet that are looked at; what lies beyond counts as unreadable (NETCAP_F_PARTIAL).
 * Where there is no bpf_loop() (before Linux 5.17) the verifier walks every turn of a loop.
 */
#define VERIFIER_MAX_PIECES     1024
#define VERIFIER_MAX_PIECES_OLD 25 /* one turn finds the first */

/*
 * Calls step(turn, &context) until it returns 1. Which of the two loops a program has is decided when
 * it is compiled: a kernel without bpf_loop() refuses even the address of a callback.
 */
#ifdef NETCAP_OLD_LOOPS
#define VERIFIER_FUNCTION static __always_inline
/* inlined: as a subprogram it would come behind netcap_filter(), which must be the last */
#define VERIFIER_STEP static __always_inline long
/*
 * The context stays in memory, as with bpf_loop(): each value in a register would be another way to
 * the verifier.
 */
#define VERIFIER_LOOP(step, context)                                           \
	do {                                                                 \
		void *at = &(context);                                       \
                                                                             \
		VERIFIER_IN_MEMORY(at);                                        \
		for (__u32 turn = 0; turn < VERIFIER_MAX_PIECES_OLD; turn++) { \
			if (step(turn, at))                                  \
				break;                                       \
			VERIFIER_IN_MEMORY(at);                                \
		}                                                            \
	} while (0)
#else
/* Looked at once by the verifier, wherever it is called. Before Linux 5.12 it takes no pointers. */
#define VERIFIER_FUNCTION __noinline
#define VERIFIER_STEP static long
#define VERIFIER_LOOP(step, context) bpf_loop(VERIFIER_MAX_PIECES, step, &(context), 0)
#endif

#endif
