/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/splice.h"

struct job {
	const struct bpf_insn *insns;
	size_t count;
	const uint32_t *starts;
	size_t functions;
	const struct splice_part *parts;
	size_t part_count;
	struct splice *out;
};

static const struct splice_part *part_at(const struct job *j, size_t at)
{
	for (size_t i = 0; i < j->part_count; i++)
		if (j->parts[i].at == at)
			return &j->parts[i];
	return NULL;
}

static size_t end_of(const struct job *j, size_t function)
{
	return function + 1 < j->functions ? j->starts[function + 1] : j->count;
}

static void place(const struct job *j)
{
	size_t at = 0;

	for (size_t f = 0; f < j->functions; f++) {
		const struct splice_part *part = part_at(j, j->starts[f]);

		j->out->starts[f] = at;
		at += part ? part->count : end_of(j, f) - j->starts[f];
	}
	j->out->count = at;
}

static bool names_function(const struct bpf_insn *i)
{
	if (i->code == (BPF_JMP | BPF_CALL))
		return i->src_reg == BPF_PSEUDO_CALL;
	return i->code == (BPF_LD | BPF_IMM | BPF_DW) && i->src_reg == BPF_PSEUDO_FUNC;
}

/* Where a function of the old program is now, or negative errno. */
static int64_t new_start(const struct job *j, int64_t old)
{
	for (size_t f = 0; f < j->functions; f++)
		if (j->starts[f] == old)
			return j->out->starts[f];
	return -EPROTO;
}

/* Code that stood at old and stands at the place of function f now. */
static int put(const struct job *j, size_t f, const struct bpf_insn *from, size_t count, bool calls)
{
	struct bpf_insn *to = j->out->insns + j->out->starts[f];

	memcpy(to, from, count * sizeof(*to));
	for (size_t i = 0; calls && i < count; i++) {
		int64_t target;

		if (!names_function(&from[i]))
			continue;
		target = new_start(j, (int64_t)j->starts[f] + i + 1 + from[i].imm);
		if (target < 0)
			return target;
		to[i].imm = target - (int64_t)(j->out->starts[f] + i + 1);
	}
	return 0;
}

static int put_all(const struct job *j)
{
	int r = 0;

	for (size_t f = 0; !r && f < j->functions; f++) {
		const struct splice_part *part = part_at(j, j->starts[f]);

		if (part)
			r = put(j, f, part->insns, part->count, part->calls_out);
		else
			r = put(j, f, j->insns + j->starts[f], end_of(j, f) - j->starts[f], true);
	}
	return r;
}

int splice_make(const struct bpf_insn *insns, size_t count, const uint32_t *starts, size_t functions,
		const struct splice_part *parts, size_t part_count, struct splice *out)
{
	const struct job job = { insns, count, starts, functions, parts, part_count, out };

	out->insns = NULL;
	if (functions > SPLICE_FUNCTIONS)
		return -EPROTO;
	place(&job);
	out->insns = malloc(out->count * sizeof(*out->insns));
	return out->insns ? put_all(&job) : -ENOMEM;
}
