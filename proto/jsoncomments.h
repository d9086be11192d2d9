/* SPDX-License-Identifier: BSD-2-Clause */
/* Comments in JSON files that people write, which the strict parser does not know. */
#ifndef JSONCOMMENTS_H
#define JSONCOMMENTS_H

#include <stddef.h>

/*
 * Makes spaces of the comments in len bytes of text, those to the end of a line and those between
 * slash-star and star-slash, so that every other byte, and every line, stays where it was. What is
 * in strings is no comment. 0, or -EINVAL: the comment that begins at byte *at has no end.
 */
int jsoncomments_blank(char *text, size_t len, size_t *at);

#endif
