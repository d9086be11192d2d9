/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces netcap_filter(), the last subprogram of a loaded tc program, as daemon/template.c does.
 */
#ifndef FILTERSPLICE_H
#define FILTERSPLICE_H

#include <linux/bpf.h>

#include "daemon/filter.h"

#define FILTERSPLICE_SUBPROGS 32

struct bpf_program;

struct filtersplice {
	struct bpf_insn *insns; /* owned; up to the stub */
	size_t stub;            /* index of its first instruction, and how many insns there are */
	size_t load;            /* of netcap_load() */
	struct bpf_func_info functions[FILTERSPLICE_SUBPROGS];
	uint32_t function_count;
	int btf;
};

/* Takes the instructions of a loaded program, whose object must stay open. 0 or negative errno. */
int filtersplice_init(struct filtersplice *s, const struct bpf_program *program);
void filtersplice_clear(struct filtersplice *s);
/* Loads the program with this filter: its descriptor, or negative errno after printing the log. */
int filtersplice_load(const struct filtersplice *s, const struct filter_code *code);

#endif
