/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the verifier about user code alone, in a small program that calls it: what it says then is of the user's own
 * instructions, and can be told with the line of the source.
 */
#ifndef USERTRIAL_H
#define USERTRIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/usercode.h"

/*
 * 0, or -EINVAL with a sentence in why, and what the verifier said in *log if it is not NULL (its last USERTRIAL_LOG
 * bytes; the caller's to free).
 */
int usertrial_check(const struct usercode *code, char *why, size_t size, char **log);

/* The name of the file that a line is in, as the user gave it. */
const char *usertrial_file(const struct usercode *code, const struct usercode_line *line);

#define USERTRIAL_LOG 32768

#endif
