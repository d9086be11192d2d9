/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user's own filter and action (bpf/user_abi.h): made of an object in a child process (userproc.h), as the daemon
 * keeps them. What the child answers is checked here as if a stranger had sent it.
 */
#ifndef USERCODE_H
#define USERCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#define USERCODE_FUNCTIONS 16    /* of one program */
#define USERCODE_INSNS     65536 /* of one program */
#define USERCODE_FIELDS    128
#define USERCODE_ENUMERATORS 2048
#define USERCODE_ANSWER    (4 << 20) /* bytes of a child's answer */
#define USERCODE_BYTES     256   /* of struct xcap_user_extend, NETCAP_USER_WORDS */
#define USERCODE_DATA      16384 /* bytes of constants */

/* Where an instruction comes from. Texts are offsets in usercode.strings. */
struct usercode_line {
	uint32_t insn; /* ascending */
	uint32_t file;
	uint32_t text; /* of the line */
	uint32_t line;
};

struct usercode_program {
	uint32_t count;
	uint32_t function_count;
	uint32_t line_count;
	uint32_t argument; /* 1: the second @N's argument is wanted, not the context */
	uint32_t functions[USERCODE_FUNCTIONS]; /* first instructions, the first one 0 */
	const struct bpf_insn *insns;
	const struct usercode_line *lines;
};

enum usercode_kind {
	USERCODE_UNSIGNED,
	USERCODE_SIGNED,
	USERCODE_BOOL,
	USERCODE_ENUM,    /* signed if its type says so; shown by name */
	USERCODE_POINTER,
	USERCODE_TEXT,    /* an array of char */
	USERCODE_KINDS,
};

/* One value of struct xcap_user_extend; members of members are values of their own. */
struct usercode_field {
	uint32_t name;    /* in usercode.strings, as "state" or "addr.in[2]" */
	uint32_t format;  /* in usercode.strings, userformat_parse(); "": as its type says */
	uint32_t bit;     /* where it is */
	uint32_t bits;    /* how long */
	uint32_t kind;    /* enum usercode_kind */
	uint32_t is_signed;
	uint32_t enums;   /* first of its enumerators, */
	uint32_t enum_count;
};

struct usercode_enum {
	int64_t value;
	uint64_t name;
};

/*
 * Constants are in one map. An instruction that has the address of one is a 64-bit load with BPF_PSEUDO_MAP_VALUE, whose
 * second half says where in data it is; which map, userdata_place() puts there.
 */
struct usercode {
	struct usercode_program filter, action; /* count 0: there is none */
	uint32_t bytes;                         /* of struct xcap_user_extend */
	uint32_t field_count, enum_count;
	const struct usercode_field *fields;
	const struct usercode_enum *enums;
	const char *strings;
	uint32_t string_bytes;
	uint32_t data_bytes;   /* of constants, 0: there are none */
	const uint8_t *data;
	int data_map;          /* owned; a descriptor, or -1: not made yet. Only if there are constants */
	void *memory;          /* owned; all arrays above are in it */
};

/* What a child's answer begins with; the arrays follow in the order of usercode_take(). */
struct usercode_answer {
	uint32_t error;     /* 0, or a positive errno: only why follows, as strings, and the verifier's log */
	uint32_t data_bytes;
	uint32_t bytes;
	uint32_t field_count, enum_count, string_bytes;
	struct {
		uint32_t count, function_count, line_count, argument;
	} filter, action;
};

/*
 * Checks an answer of size bytes and makes code of it. The memory is taken over if it is good. 0, or -EBADMSG. An
 * answer with an error is good, and code is then empty but for strings: the sentence.
 */
int usercode_take(void *answer, size_t size, struct usercode *code);
void usercode_clear(struct usercode *code);
/* The line of the user's source that an instruction comes from, NULL: not known. */
const struct usercode_line *usercode_line(const struct usercode *code, const struct usercode_program *p, uint32_t insn);
/*
 * What an action wrote, as the value of the metadata's field "user" (docs/protocol.md): "a:0x1;x1:'M'". Returns its
 * length; what does not fit is left out, field by field.
 */
size_t usercode_text(const struct usercode *code, const void *bytes, char *text, size_t size);

#endif
