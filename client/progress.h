/* SPDX-License-Identifier: BSD-2-Clause */
/* The line that shows how a capture to a file goes, while standard error is a terminal. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
	bool terminal;    /* standard error is one */
	bool wanted;      /* to a file, and on a terminal */
	bool shown;       /* a line stands there that must be cleared */
	time_t last;      /* second in which it was last drawn */
};

/* Says how far a long attach is; on a terminal only. */
void progress_attaching(struct progress *p, int64_t done, int64_t total);
/* write_path: of -w; NULL: packets are printed, and no line is wanted. */
void progress_init(struct progress *p, const char *write_path);
/* Draws the line, at most once a second. */
void progress_show(struct progress *p, uint64_t packets);
void progress_end(struct progress *p);

#endif
