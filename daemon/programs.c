/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "daemon/btftype.h"
#include "daemon/programs.h"

static void close_program(struct program *p)
{
	close(p->fd);
	btf__free(p->btf);
}

/* A program that replaces another one's function (freplace) gets what that one gets. */
static bool takes(const struct program *p, const char *context)
{
	const struct btf_type *proto = p->btf ? function_proto(&p->function) : NULL;

	return proto && p->function.args &&
	       btftype_is_pointer_to(p->btf, btf_params(proto)[0].type, context);
}

/* Is it a program for packets? Then p->xdp says for which. */
static bool classify(struct program *p, uint32_t type)
{
	p->xdp = type == BPF_PROG_TYPE_XDP || (type == BPF_PROG_TYPE_EXT && takes(p, "xdp_md"));
	return p->xdp || type == BPF_PROG_TYPE_SCHED_CLS || type == BPF_PROG_TYPE_SCHED_ACT ||
	       (type == BPF_PROG_TYPE_EXT && takes(p, "__sk_buff"));
}

/* Its types, and the full name that they have. What cannot be read is left out. */
static void read_types(struct program *p, uint32_t btf_id, uint32_t function)
{
	const struct btf_type *t;

	p->btf = btf__load_from_kernel_by_id(btf_id);
	t = p->btf ? btf__type_by_id(p->btf, function) : NULL;
	if (t && btf_is_func(t)) {
		function_init(&p->function, p->btf, function);
		snprintf(p->name, sizeof(p->name), "%s", p->function.name);
		return;
	}
	btf__free(p->btf);
	p->btf = NULL;
}

static bool is_candidate(uint32_t type)
{
	return type == BPF_PROG_TYPE_XDP || type == BPF_PROG_TYPE_SCHED_CLS ||
	       type == BPF_PROG_TYPE_SCHED_ACT || type == BPF_PROG_TYPE_EXT;
}

/* False: it is none for packets. */
static bool read_program(struct program *p)
{
	struct bpf_func_info functions[1] = {};
	struct bpf_prog_info info = {
		.nr_func_info = 1,
		.func_info_rec_size = sizeof(functions[0]),
		.func_info = (uintptr_t)functions,
	};
	uint32_t length = sizeof(info);

	if (bpf_obj_get_info_by_fd(p->fd, &info, &length) || !is_candidate(info.type))
		return false;
	snprintf(p->name, sizeof(p->name), "%s", info.name);
	if (info.btf_id && info.nr_func_info)
		read_types(p, info.btf_id, functions[0].type_id);
	if (classify(p, info.type))
		return true;
	btf__free(p->btf);
	return false;
}

static int add(struct program_set *set, uint32_t id)
{
	struct program p = { .id = id, .fd = bpf_prog_get_fd_by_id(id) }, *more;

	if (p.fd < 0)
		return errno == ENOENT ? 0 : -errno; /* it went away */
	if (!read_program(&p)) {
		close(p.fd);
		return 0;
	}
	more = realloc(set->items, (set->count + 1) * sizeof(*more));
	if (!more) {
		close_program(&p);
		return -ENOMEM;
	}
	set->items = more;
	more[set->count++] = p;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct program *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->id < y->id ? -1 : x->id > y->id;
}

static void mark_namesakes(struct program_set *set)
{
	for (size_t i = 1; i < set->count; i++)
		if (!strcmp(set->items[i].name, set->items[i - 1].name))
			set->items[i].several = set->items[i - 1].several = true;
}

int program_set_open(struct program_set *set)
{
	uint32_t id = 0;
	int r = 0;

	memset(set, 0, sizeof(*set));
	while (!r && !bpf_prog_get_next_id(id, &id))
		r = add(set, id);
	if (!r && errno != ENOENT)
		r = -errno; /* not the end of the list */
	if (r)
		program_set_close(set);
	else if (set->count)
		qsort(set->items, set->count, sizeof(*set->items), compare);
	mark_namesakes(set);
	return r;
}

void program_set_keep_used(struct program_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i].used)
			set->items[kept++] = set->items[i];
		else
			close_program(&set->items[i]);
	}
	set->count = kept;
}

void program_set_close(struct program_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		close_program(&set->items[i]);
	free(set->items);
	memset(set, 0, sizeof(*set));
}
