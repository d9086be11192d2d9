/* SPDX-License-Identifier: BSD-2-Clause */
#include "gathershow.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "gathering.h"
#include "jsonget.h"
#include "output.h"

#define DEFAULT_WIDTH 80
#define LEAST_WIDTH   60
#define MOST_WIDTH    120
#define ERASE         "\033[J" /* from the cursor to the end of the screen */

void gathershow_init(struct gathershow *g, const struct options *o)
{
	bool alone = o->spec.histogram || o->write_path || !isatty(STDOUT_FILENO);

	*g = (struct gathershow){.options = o, .out = o->spec.histogram ? stdout : stderr};
	setlocale(LC_CTYPE, "");
	g->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	g->in_place = o->spec.gather_summary && alone && isatty(fileno(g->out));
}

/* Takes away what was drawn last, so that what comes next stands there. */
static void erase(struct gathershow *g)
{
	if (g->lines)
		fprintf(g->out, "\r\033[%uA" ERASE, g->lines);
	g->lines = 0;
}

static struct gathering_view view_of(const struct gathershow *g, bool live)
{
	struct gathering_view v = {
		.width = DEFAULT_WIDTH,
		.utf8 = g->utf8,
		.gather_size = g->options->spec.gather_size,
		.ring_bytes = g->options->spec.ring_bytes,
	};
	struct winsize size = {0};

	if (!ioctl(fileno(g->out), TIOCGWINSZ, &size) && size.ws_col) {
		v.width = size.ws_col < LEAST_WIDTH ? LEAST_WIDTH : size.ws_col > MOST_WIDTH ? MOST_WIDTH : size.ws_col;
		/* broken lines, or those that left the screen above, cannot be drawn anew */
		if (live && size.ws_row > 1 && size.ws_col >= LEAST_WIDTH)
			v.lines = size.ws_row - 1u;
	}
	return v;
}

static int show(struct gathershow *g, struct json_object *session, bool live)
{
	struct json_object *gathering = jsonget_object(session, "gathering");
	struct gathering_view v = view_of(g, live && g->in_place);
	unsigned lines;

	erase(g);
	if (!gathering)
		return 0;
	if (g->options->spec.histogram && g->options->json) {
		puts(json_object_to_json_string_ext(gathering, JSON_C_TO_STRING_PLAIN |
								       JSON_C_TO_STRING_NOSLASHESCAPE));
		return output_flush();
	}
	lines = gathering_print(g->out, gathering, &v);
	if (v.lines)
		g->lines = lines;
	else if (live)
		putc('\n', g->out); /* from the next one */
	if (!live)
		putc('\n', stderr); /* from the summary */
	if (g->out == stdout)
		return output_flush();
	fflush(g->out);
	return 0;
}

int gathershow_running(struct gathershow *g, struct json_object *session)
{
	return show(g, session, true);
}

int gathershow_ended(struct gathershow *g, struct json_object *session)
{
	return show(g, session, false);
}
