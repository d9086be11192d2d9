/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a program of which too much could become: limits on time, memory and output. No shell is in between. */
#ifndef LIMITEDRUN_H
#define LIMITEDRUN_H

#include <stddef.h>

#define LIMITEDRUN_CPU_S   10          /* seconds of CPU time */
#define LIMITEDRUN_WALL_MS 30000
#define LIMITEDRUN_MEMORY  (1UL << 30) /* bytes of address space */
#define LIMITEDRUN_FILE    (32UL << 20) /* bytes of a file that it writes */
#define LIMITEDRUN_SAID    65536       /* bytes of what it says that are kept */

enum limitedrun_end {
	LIMITEDRUN_DONE,    /* status is its exit code */
	LIMITEDRUN_MISSING, /* it could not be started: status is errno */
	LIMITEDRUN_TIME,    /* it took too long */
	LIMITEDRUN_SIGNAL,  /* status is the signal's number */
};

struct limitedrun {
	enum limitedrun_end end;
	int status;
	char *said;  /* owned; its standard output and error, NUL-terminated */
	size_t len;
	long cpu_ms; /* it used */
	long peak_kib; /* of its memory */
};

/* argv[0] is looked for in PATH. input becomes its standard input. 0 or -ENOMEM. */
int limitedrun(struct limitedrun *r, char *const *argv, int input);
void limitedrun_clear(struct limitedrun *r);

#endif
