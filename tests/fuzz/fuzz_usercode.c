/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon does with user code behind libbpf: any instructions are refused or rewritten, any answer of the child
 * is refused or can be used, and any source can be looked through. The first byte chooses.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/usersource.h"
#include "client/usertext.h"
#include "daemon/usercode.h"
#include "daemon/userloads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* Every instruction has its place, in order, and jumps stay in the program. */
static void check_loads(const struct userloads *u, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		check(u->places[i] < u->count && (!i || u->places[i] > u->places[i - 1]));
	for (uint32_t i = 0; i < u->count; i++) {
		const struct bpf_insn *insn = &u->insns[i];
		uint8_t class = BPF_CLASS(insn->code);

		if ((class == BPF_JMP || class == BPF_JMP32) && BPF_OP(insn->code) != BPF_CALL &&
		    BPF_OP(insn->code) != BPF_EXIT)
			check(i + 1 + insn->off < u->count);
	}
}

static void rewrite(const uint8_t *data, size_t size)
{
	uint32_t count = size / sizeof(struct bpf_insn), starts[] = { 0, size ? data[0] % 16 + 1 : 1 };
	struct bpf_insn *insns = malloc(count * sizeof(*insns) + 1);
	struct userloads u;
	char why[256];
	uint32_t at;

	memcpy(insns, data, count * sizeof(*insns));
	for (int entry = USERLOADS_FILTER_CTX; entry <= USERLOADS_ACTION_ARG; entry++) {
		int functions = starts[1] < count && size % 2 ? 2 : 1;

		if (userloads_make(insns, count, starts, functions, entry, &u, &at, why, sizeof(why)))
			check(at <= count);
		else
			check_loads(&u, count);
		userloads_clear(&u);
	}
	free(insns);
}

static void take(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1), bytes[USERCODE_BYTES];
	char text[512];
	struct usercode code;

	memcpy(copy, data, size);
	memset(bytes, size, sizeof(bytes));
	if (usercode_take(copy, size, &code)) {
		free(copy);
		return;
	}
	check(usercode_text(&code, bytes, text, sizeof(text)) < sizeof(text));
	for (uint32_t i = 0; i < code.action.count; i++)
		usercode_line(&code, &code.action, i);
	usercode_clear(&code);
}

static void look_through(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct usertext t = { .rest = text };
	struct usersource s;

	memcpy(text, data, size);
	text[size] = '\0';
	while (usertext_next(&t))
		check(strlen(t.name) < sizeof(t.name) && strlen(t.value) < sizeof(t.value));
	check(usersource_parse(&s, text, size) == 0);
	usersource_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (*data % 3) {
	case 0:
		rewrite(data + 1, size - 1);
		break;
	case 1:
		take(data + 1, size - 1);
		break;
	default:
		look_through(data + 1, size - 1);
	}
	return 0;
}
