/* SPDX-License-Identifier: BSD-2-Clause */
#include "print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "text.h"

#define FEXIT     "fexit:" /* how such trace points begin */

const char *print_color(const char *name)
{
	static const struct {
		const char *name, *sequence;
	} colors[] = {
		{"red", "\033[31m"},  {"green", "\033[32m"},  {"yellow", "\033[33m"},
		{"blue", "\033[34m"}, {"purple", "\033[35m"}, {"cyan", "\033[36m"},
	};

	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		if (!strcmp(name, colors[i].name))
			return colors[i].sequence;
	}
	return NULL;
}

bool print_wants_color(FILE *out)
{
	const char *refused = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(refused && *refused);
}

void print_named(FILE *out, const char *label, const char *value)
{
	if (!value)
		return;
	fputs(label, out);
	text_print_safe(out, value);
}

/* Of a packet captured as a function returns. */
void print_return(FILE *out, const char *point, const char *ret, uint64_t took_ns)
{
	if (took_ns) {
		print_named(out, " returned ", ret);
		fprintf(out, "%s after %" PRIu64 ".%03" PRIu64 " us", ret ? "" : " returned", took_ns / 1000,
			took_ns % 1000);
	} else if (!strncmp(point, FEXIT, sizeof(FEXIT) - 1)) {
		fputs(" (return not seen)", out);
	}
}

void print_device(FILE *out, const char *dev, uint32_t ifindex)
{
	print_named(out, " dev ", dev);
	if (ifindex)
		fprintf(out, "%s(%" PRIu32 ")", dev ? "" : " dev ", ifindex);
}

static void print_task(FILE *out, const struct meta *m)
{
	fprintf(out, " pid %" PRIu32, m->pid);
	if (m->tid != m->pid)
		fprintf(out, " tid %" PRIu32, m->tid);
	if (m->comm) {
		fputs(" (", out);
		text_print_safe(out, m->comm);
		putc(')', out);
	}
}

void print_stack(FILE *out, const char *const *frames, unsigned count, const char *color)
{
	for (unsigned i = 0; i < count; i++) {
		fprintf(out, "        %s", color ? color : "");
		text_print_safe(out, frames[i]);
		fprintf(out, "%s\n", color ? PRINT_COLOR_OFF : "");
	}
}

static void print_netns(FILE *out, const struct meta *m)
{
	if (m->netns)
		fprintf(out, " netns %" PRIu32, m->netns);
}

/* From the task to the end of the line. */
static void print_rest(FILE *out, const struct meta *m)
{
	print_task(out, m);
	if (m->mark)
		fprintf(out, " mark 0x%" PRIx32, m->mark);
	print_named(out, " in ", m->tunnel);
	print_named(out, " headers made: ", m->made);
	if (m->track)
		fprintf(out, " track %" PRIu64, m->track);
	if (m->partial)
		fputs(" (bytes missing: page fragments could not be read)", out);
	putc('\n', out);
}

void print_meta(FILE *out, const struct meta *m, const char *stack_color)
{
	print_named(out, "    ", m->point);
	print_named(out, " ", m->reason);
	print_named(out, " at ", m->location);
	print_return(out, m->point, m->ret, m->took_ns);
	print_device(out, m->dev, m->ifindex);
	print_netns(out, m);
	fprintf(out, " cpu %" PRIu32, m->cpu);
	print_rest(out, m);
	print_stack(out, m->stack, m->frames, stack_color);
}

void print_meta_brief(FILE *out, const struct meta *m)
{
	fputs("   ", out);
	print_netns(out, m);
	print_rest(out, m);
}
