/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts one behind the other, each found by its offset. The empty text is at 0. */
#ifndef STRPOOL_H
#define STRPOOL_H

#include <stddef.h>
#include <stdint.h>

/* All zero: empty. */
struct strpool {
	char *bytes; /* owned */
	size_t len, room;
	int error;   /* 0 or -ENOMEM, which sticks */
};

/* Where the text is: one that is there already is not put in again. 0 on error, too. */
uint32_t strpool_add(struct strpool *p, const char *text);
void strpool_clear(struct strpool *p);

#endif
