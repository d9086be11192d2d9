/* SPDX-License-Identifier: BSD-2-Clause */
/* What registers point to, and which are needed later, at each instruction of user code: for userloads.c. */
#ifndef USERFLOW_H
#define USERFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#define USERFLOW_REGS  11
#define USERFLOW_SLOTS 64 /* of 8 bytes, a whole stack */
#define USERFLOW_UNKNOWN INT16_MIN /* an offset that is not known */

/* What a register has. */
enum userflow_what {
	USERFLOW_NOTHING, /* not set on every way that leads here */
	USERFLOW_NUMBER,  /* addresses of the kernel among them */
	USERFLOW_STACK,
	USERFLOW_CONTEXT,
	USERFLOW_OUTPUT,  /* struct xcap_user_extend */
	USERFLOW_DATA,    /* constants of the object's own */
	USERFLOW_MIXED,   /* several of these, on different ways */
};

struct userflow_value {
	uint16_t what; /* enum userflow_what */
	int16_t offset; /* of USERFLOW_STACK, from the frame pointer */
};

/* At the beginning of an instruction. */
struct userflow_state {
	struct userflow_value regs[USERFLOW_REGS];
	uint8_t slots[USERFLOW_SLOTS]; /* enum userflow_what of pointers that were stored, 0 is the top of the stack */
	bool reached;
};

struct userflow {
	const struct bpf_insn *insns; /* not owned, as the next three */
	uint32_t count;
	const uint32_t *starts;
	uint32_t functions;
	struct userflow_state *states; /* owned; of each instruction */
	uint16_t *needed;              /* owned; registers that are read before they are set, behind each instruction */
	uint32_t *depths;              /* owned; bytes of stack of each function */
	struct userflow_value *results; /* owned; what each function returns; nothing, at an offset: not known yet */
};

/* Where functions begin, in order: where they are called, and at 0. 0, -EINVAL: a call to nowhere, -E2BIG: more than most. */
int userflow_starts(const struct bpf_insn *insns, uint32_t count, uint32_t *starts, uint32_t most, uint32_t *functions);
/* regs: what the first function gets. 0, -ENOMEM, or -EINVAL: an instruction that is none, and *at says which. */
int userflow_make(struct userflow *f, const struct userflow_value regs[USERFLOW_REGS], uint32_t *at);
void userflow_clear(struct userflow *f);
/* Which function an instruction is in. */
uint32_t userflow_function(const struct userflow *f, uint32_t insn);
/* Is it the second half of a 64-bit constant? */
bool userflow_is_second(const struct userflow *f, uint32_t insn);

#endif
