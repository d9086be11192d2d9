/* SPDX-License-Identifier: BSD-2-Clause */
#include "journeytext.h"

#include <inttypes.h>
#include "print.h"
#include "text.h"

#define SINCE_FIRST_WIDTH 11 /* up to ten seconds in microseconds */
#define SINCE_LAST_WIDTH  12 /* with its sign */

static void begin_line(FILE *out, const char *color)
{
	fprintf(out, "%s    ", color ? color : "");
}

static void end_line(FILE *out, const char *color)
{
	fprintf(out, "%s\n", color ? PRINT_COLOR_OFF : "");
}

static void print_us(FILE *out, const char *sign, uint64_t ns, int width)
{
	char text[32];

	snprintf(text, sizeof(text), "%s%" PRIu64 ".%03" PRIu64, sign, ns / 1000, ns % 1000);
	fprintf(out, "%*s", width, text);
}

/* before: the step before this one, NULL: it is the first. */
static void print_times(FILE *out, const struct journey_step *s, const struct journey_step *before)
{
	print_us(out, "", s->since_ns, SINCE_FIRST_WIDTH);
	fputs(" us ", out);
	if (!before)
		fprintf(out, "%*s", SINCE_LAST_WIDTH, "");
	else if (s->since_ns >= before->since_ns)
		print_us(out, "+", s->since_ns - before->since_ns, SINCE_LAST_WIDTH);
	else
		print_us(out, "-", before->since_ns - s->since_ns, SINCE_LAST_WIDTH);
}

/* Is the packet more than one sk_buff, by clones or copies? */
static bool has_many_skbs(const struct journey *j)
{
	uint64_t first = 0;

	for (unsigned i = 0; i < j->count; i++) {
		if (first && j->steps[i].skb && j->steps[i].skb != first)
			return true;
		first = first ? first : j->steps[i].skb;
	}
	return false;
}

/* Says what is another than the last that was known. */
static void print_change(FILE *out, const char *what, uint32_t value, uint32_t *last)
{
	if (!value || value == *last)
		return;
	fprintf(out, " %s %" PRIu32, what, value);
	*last = value;
}

/* What was said last, which is still so. */
struct place {
	uint32_t netns, pid;
};

static void print_step(FILE *out, const struct journey *j, unsigned index, struct place *last)
{
	const struct journey_step *s = &j->steps[index], *before = index ? s - 1 : NULL;

	print_times(out, s, before);
	fprintf(out, " cpu %-2" PRIu32 " ", s->cpu);
	text_print_safe(out, s->point);
	print_named(out, " ", s->reason);
	print_named(out, " at ", s->location);
	print_return(out, s->point, s->ret, s->took_ns);
	print_device(out, s->dev, s->ifindex);
	print_change(out, "netns", s->netns, &last->netns);
	print_change(out, "pid", s->pid, &last->pid);
	if (s->skb && has_many_skbs(j) && (!before || s->skb != before->skb))
		fprintf(out, " skb 0x%" PRIx64, s->skb);
}

static void print_steps(FILE *out, const struct journey *j, const struct meta *m,
			const struct journeytext_colors *colors)
{
	const char *stack_color = colors->stack ? colors->stack : colors->journey;
	struct place last = {m->netns, m->pid};

	for (unsigned i = 0; i < j->count; i++) {
		const struct journey_step *s = &j->steps[i];

		begin_line(out, colors->journey);
		print_step(out, j, i, &last);
		end_line(out, colors->journey);
		print_stack(out, j->frames + s->first_frame, s->frames, stack_color);
	}
	if (!j->more)
		return;
	begin_line(out, colors->journey);
	fprintf(out, "and %" PRIu64 " more step%s that %s not kept", j->more, j->more == 1 ? "" : "s",
		j->more == 1 ? "was" : "were");
	end_line(out, colors->journey);
}

/* Was the packet perhaps not at the end of its way? */
static bool is_cut_short(const struct journey *j)
{
	return j->end == JOURNEY_EVICTED || j->end == JOURNEY_STOPPED;
}

static void print_missing(FILE *out, const struct journey *j, const char *color)
{
	for (unsigned i = 0; i < j->missing_count; i++) {
		begin_line(out, color);
		print_named(out, j->unsure ? "NOT seen at " : "NOT received at ", j->missing[i]);
		if (j->unsure)
			fputs(", but records were lost meanwhile", out);
		else if (is_cut_short(j))
			fputs(" until then", out);
		end_line(out, color);
	}
}

static void print_end(FILE *out, const struct journey *j, const char *color)
{
	if (!is_cut_short(j))
		return;
	begin_line(out, color);
	if (j->end == JOURNEY_EVICTED)
		fputs("given up here, as more packets were on their way than --gather-buffer-size", out);
	else
		fputs("still on its way when the capture ended", out);
	end_line(out, color);
}

void journeytext_print(FILE *out, const struct journey *j, const struct meta *m,
		       const struct journeytext_colors *colors)
{
	print_meta_brief(out, m);
	if (!j->frame_count)
		print_stack(out, m->stack, m->frames, colors->stack ? colors->stack : colors->journey);
	print_steps(out, j, m, colors);
	print_end(out, j, colors->journey);
	print_missing(out, j, colors->journey);
}
