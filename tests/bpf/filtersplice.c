/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/filtersplice.h"

#define LOG_BYTES (1 << 20)

/* The subprogram that an instruction names, or 0. */
static size_t names_subprogram(const struct bpf_insn *insn, size_t i)
{
	bool call = insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
	bool callback =
	    insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC;

	return call || callback ? i + 1 + (size_t)(ptrdiff_t)insn->imm : 0;
}

static int compare(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted starts of all subprograms, the main one included; how many, at most max. */
static size_t find_starts(const struct bpf_insn *insns, size_t count, size_t *starts, size_t max)
{
	size_t n = 1, j;

	starts[0] = 0;
	for (size_t i = 0; i < count; i++) {
		size_t start = names_subprogram(&insns[i], i);

		for (j = 0; j < n && starts[j] != start; j++)
			;
		if (j == n && n < max)
			starts[n++] = start;
	}
	qsort(starts, n, sizeof(*starts), compare);
	return n;
}

static int take_functions(struct filtersplice *s, int fd, const size_t *starts, size_t count)
{
	struct bpf_prog_info info = {
	    .nr_func_info = FILTERSPLICE_SUBPROGS,
	    .func_info_rec_size = sizeof(struct bpf_func_info),
	    .func_info = (uintptr_t)s->functions,
	};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.nr_func_info != count)
		return -EPROTO;
	for (size_t i = 0; i < count; i++)
		s->functions[i].insn_off = (uint32_t)starts[i];
	s->function_count = info.nr_func_info;
	s->btf = bpf_btf_get_fd_by_id(info.btf_id);
	return s->btf < 0 ? -errno : 0;
}

int filtersplice_init(struct filtersplice *s, const struct bpf_program *program)
{
	const struct bpf_insn *insns = bpf_program__insns(program);
	size_t count = bpf_program__insn_cnt(program), starts[FILTERSPLICE_SUBPROGS], n;

	memset(s, 0, sizeof(*s));
	s->btf = -1;
	n = find_starts(insns, count, starts, FILTERSPLICE_SUBPROGS);
	s->stub = starts[n - 1];
	for (size_t i = s->stub; i < count; i++)
		if (names_subprogram(&insns[i], i))
			s->load = names_subprogram(&insns[i], i);
	if (!s->load || s->load >= s->stub)
		return -EPROTO;
	s->insns = malloc(s->stub * sizeof(*insns));
	if (!s->insns)
		return -ENOMEM;
	memcpy(s->insns, insns, s->stub * sizeof(*insns));
	return take_functions(s, bpf_program__fd(program), starts, n);
}

void filtersplice_clear(struct filtersplice *s)
{
	free(s->insns);
	s->insns = NULL;
	if (s->btf >= 0)
		close(s->btf);
	s->btf = -1;
}

int filtersplice_load(const struct filtersplice *s, const struct filter_code *code)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_btf_fd = (uint32_t)s->btf,
		    .func_info = s->functions, .func_info_cnt = s->function_count,
		    .func_info_rec_size = sizeof(struct bpf_func_info));
	size_t count = s->stub + code->count;
	struct bpf_insn *insns = malloc(count * sizeof(*insns));
	int fd, error;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, s->insns, s->stub * sizeof(*insns));
	memcpy(insns + s->stub, code->insns, code->count * sizeof(*insns));
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "netcap_equality", "Dual BSD/GPL", insns, count,
			   &options);
	error = errno;
	if (fd < 0) {
		char *log = calloc(1, LOG_BYTES);

		options.log_buf = log;
		options.log_size = log ? LOG_BYTES : 0;
		options.log_level = log ? 1 : 0;
		bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "netcap_equality", "Dual BSD/GPL", insns,
			      count, &options);
		fprintf(stderr, "%s", log ? log : "");
		free(log);
	}
	free(insns);
	return fd < 0 ? -error : fd;
}
