/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an argument is at a trace point in user space, in the notation that notes of USDT probes have (sys/sdt.h of
 * SystemTap, and <https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation>), on x86-64:
 *
 *     8@%rdi           a register, or a part of it       -4@$5            a constant
 *     2@-24(%rbp)      memory                            8@(%rax,%rbx,8)  memory with an index
 *
 * In front are the bytes of the value, with a minus if it is signed. The arguments of functions are in the same notation.
 * Not taken are floating-point numbers, symbols, segments, %rip, and memory without a register as its base.
 */
#ifndef SDTARG_H
#define SDTARG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDTARG_TEXT_BYTES 64 /* of one with its NUL */

enum sdtarg_kind {
	SDTARG_CONSTANT, /* offset is the value */
	SDTARG_REGISTER,
	SDTARG_MEMORY,   /* at reg + offset, and index * scale if there is one */
};

/* Registers are by their places in struct pt_regs, in 8 bytes (arch/x86/include/asm/ptrace.h): r15 is 0, sp is 19. */
struct sdtarg {
	enum sdtarg_kind kind;
	uint8_t size;     /* bytes of the value: 1, 2, 4, 8 */
	bool is_signed;
	uint8_t reg;
	uint8_t index;    /* with scale */
	uint8_t scale;    /* 1, 2, 4, 8; 0: no index */
	uint8_t shift;    /* bits of the register below the value: 8 for %ah, else 0 */
	int64_t offset;
};

/* Parses one. 0, or -EINVAL with a sentence in why (size bytes): what is wrong, the value. */
int sdtarg_parse(const char *text, struct sdtarg *a, char *why, size_t size);
/*
 * Writes argument number n, from 1, of a C function as it is entered (System V ABI of x86-64, 3.2.3): six are in
 * registers, the others on the stack above the return address. All of them are taken as unsigned and of 8 bytes: the
 * upper half of one that is declared shorter is not defined, which is the caller's to cut.
 */
void sdtarg_of_function(unsigned n, char text[SDTARG_TEXT_BYTES]);

#endif
