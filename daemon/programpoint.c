/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/nearest.h"
#include "daemon/programpoint.h"

/* A program gets its packet as the first of its arguments, and has no other. */
static void use_program(struct resolution *r, struct probe *p, struct program *program, int arg)
{
	program->used = true;
	p->btf_id = program->function.id;
	p->btf_fd = program->fd;
	p->source = program->xdp ? SOURCE_XDP_BUFF : SOURCE_SKB;
	p->kind = program->xdp ? TEMPLATE_XDP : TEMPLATE_TYPED;
	if (!program->btf)
		probe_fail(p, PROBE_REFUSED,
			   "the program %s has no type information, by which programs are attached to: "
			   "compile it with clang -g",
			   p->name);
	else if (arg > 1)
		probe_fail(p, PROBE_REFUSED,
			   "%s has no argument %d: a program's packet is its argument 1; leave @%d out",
			   p->text, arg, arg);
	else
		returned_init_verdict(&p->returned, r->kernel->btf, &program->function, program->xdp);
}

static bool is_meant(const struct program *program, const struct pointname *name)
{
	return !fnmatch(name->name, program->name, 0) &&
	       (!*name->group || strtoul(name->group, NULL, 10) == program->id);
}

/* Programs of one name are told apart by their ids. */
static void name_program(enum pointname_kind kind, const struct program *program, struct pointname *name)
{
	*name = (struct pointname){ .kind = kind };
	if (program->several)
		snprintf(name->group, sizeof(name->group), "%u", program->id);
	snprintf(name->name, sizeof(name->name), "%s", program->name);
}

void programpoint_format(enum pointname_kind kind, const struct program *program, char *text, size_t size)
{
	struct pointname name;

	name_program(kind, program, &name);
	pointname_format(&name, text, size);
}

static void add_program(struct resolution *r, struct program *program, const struct pointname *name)
{
	struct pointname one;
	struct probe *p;

	name_program(name->kind, program, &one);
	one.packets = name->packets;
	p = resolution_add(r, &one);
	if (p)
		use_program(r, p, program, name->arg);
}

static void suggest_programs(const struct resolution *r, struct probe *p, const struct pointname *name)
{
	const struct program_set *programs = &r->list->programs;
	char text[PROBE_TEXT_BYTES];
	struct nearest best;

	nearest_init(&best, PROBE_NEAREST);
	for (size_t i = 0; i < programs->count; i++)
		if (programs->items[i].xdp == r->xdp)
			nearest_offer(&best, name->name, programs->items[i].name);
	for (size_t i = 0; i < best.count; i++) {
		struct pointname near = { .kind = name->kind };

		snprintf(near.name, sizeof(near.name), "%s", best.names[i]);
		pointname_format(&near, text, sizeof(text));
		p->nearest[i] = strdup(text);
	}
}

/* None is meant: is it one of the other sort? */
static void refuse_name(struct resolution *r, const struct pointname *name)
{
	const struct program_set *programs = &r->list->programs;
	struct probe *p = resolution_add(r, name);

	if (!p)
		return;
	for (size_t i = 0; i < programs->count; i++) {
		if (!is_meant(&programs->items[i], name))
			continue;
		probe_fail(p, PROBE_REFUSED, "%s is a program of %s: netcapctl %s captures there", p->text,
			   r->xdp ? "tc" : "XDP", r->xdp ? "skb" : "xdp");
		return;
	}
	probe_fail(p, PROBE_UNKNOWN, "no program of %s is loaded that %s means; netcapctl points%s lists them",
		   r->xdp ? "XDP" : "tc", p->text, r->xdp ? " --xdp" : "");
	suggest_programs(r, p, name);
}

static void fail_all(struct resolution *r, const struct pointname *name, int error)
{
	struct probe *p = resolution_add(r, name);

	if (!p)
		return;
	if (error == -EPERM)
		probe_fail(p, PROBE_REFUSED,
			   "%s is a program, which takes CAP_SYS_ADMIN to look at, and netcapd lacks it: "
			   "give it that, or end the service and run netcapctl as root",
			   p->text);
	else
		probe_fail(p, PROBE_FAILED, "the programs of this kernel cannot be listed: %s", strerror(-error));
}

void programpoint_resolve(struct resolution *r, const struct pointname *name)
{
	struct program_set *programs = &r->list->programs;
	size_t before = r->list->count, meant = 0;
	int error = programs->count ? 0 : program_set_open(programs);

	if (error) {
		fail_all(r, name, error);
		return;
	}
	for (size_t i = 0; i < programs->count && !r->error; i++) {
		if (programs->items[i].xdp != r->xdp || !is_meant(&programs->items[i], name))
			continue;
		meant++;
		add_program(r, &programs->items[i], name);
	}
	if (!meant && r->list->count == before && !r->error)
		refuse_name(r, name);
}
