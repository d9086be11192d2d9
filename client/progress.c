/* SPDX-License-Identifier: BSD-2-Clause */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define CLEAR_LINE "\r\033[K"

void progress_init(struct progress *p, const char *write_path)
{
	*p = (struct progress){.terminal = isatty(STDERR_FILENO)};
	p->wanted = write_path && p->terminal;
}

void progress_show(struct progress *p, uint64_t packets)
{
	struct timespec now;

	if (!p->wanted)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (p->shown && now.tv_sec == p->last)
		return;
	/* Back to its start, so that a sentence that comes next replaces it. */
	fprintf(stderr, CLEAR_LINE "%" PRIu64 " packets\r", packets);
	fflush(stderr);
	p->shown = true;
	p->last = now.tv_sec;
}

void progress_attaching(struct progress *p, int64_t done, int64_t total)
{
	if (!p->terminal)
		return;
	fprintf(stderr, CLEAR_LINE "attached %" PRId64 " of %" PRId64 " trace points\r", done, total);
	fflush(stderr);
	p->shown = true;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs(CLEAR_LINE, stderr);
	p->shown = false;
}
