/* SPDX-License-Identifier: BSD-2-Clause */
/* The process that compiles filters for filterproc.h, and what goes between the two. */
#ifndef FILTERCHILD_H
#define FILTERCHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/filter.h"

/*
 * A request is the text with its NUL, in one message of a SOCK_SEQPACKET socket. The answer is one
 * message: this, then the instructions of both programs, or, if error is not 0, the sentence.
 */
struct filterchild_answer {
	int32_t error;      /* as filtertext_compile() */
	uint32_t ethernet;  /* instructions */
	uint32_t raw;       /* instructions */
	uint32_t why_bytes; /* without NUL */
	uint32_t retires;   /* 1: the process has used much CPU time and ends */
};

#define FILTERCHILD_WHY_MAX    2048         /* bytes of a sentence: it repeats the text */
#define FILTERCHILD_ANSWER_MAX (128 * 1024) /* bytes of an answer: about 16,000 instructions */

#define FILTERCHILD_MEMORY      (256UL << 20) /* bytes of address space */
#define FILTERCHILD_CPU_REQUEST 2             /* seconds of CPU time for one request */
#define FILTERCHILD_CPU_TOTAL   60            /* after which the process ends between requests */
#define FILTERCHILD_FILES       16            /* descriptors: name servers need some */

/*
 * Gives up every privilege, then serves requests on fd until its end. Returns the exit status.
 * As root it needs CAP_SETUID and CAP_SETGID to stop being root, and does not serve without them.
 */
int filterchild_main(int fd);

#endif
