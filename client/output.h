/* SPDX-License-Identifier: BSD-2-Clause */
/* Standard output, as the sinks that print share it. */
#ifndef OUTPUT_H
#define OUTPUT_H

/*
 * Passes on what is buffered. 0; -EPIPE: its reader went away (head(1) has what it wanted); -EIO:
 * it cannot be written, and the sentence is printed.
 */
int output_flush(void);
/* The same result, of what was written so far, without passing on the rest. */
int output_check(void);

#endif
