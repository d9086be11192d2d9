/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of a large file of the kernel's, such as /proc/kallsyms. */
#ifndef LINEFILE_H
#define LINEFILE_H

#include <stddef.h>

#define LINEFILE_LINE_BYTES 4096 /* longer lines are cut into several */

/*
 * Calls take() with each line, without its end; it may write into it. Ends early when that returns
 * anything but 0, and returns it; else 0 or negative errno.
 */
int linefile_each(const char *path, int (*take)(void *arg, char *line, size_t length), void *arg);

#endif
