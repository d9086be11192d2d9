/* SPDX-License-Identifier: BSD-2-Clause */
/* How long something takes, in nanoseconds, as it is typed and as it is shown. */
#ifndef DURATION_H
#define DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DURATION_TEXT 16 /* bytes that any of them needs */

/*
 * Reads all of text as a decimal number, which may have a fraction, and its unit: ns, us, ms or s. False: it is none,
 * is more than max, or is no whole number of nanoseconds.
 */
bool duration_parse(const char *text, uint64_t max, uint64_t *ns);
/*
 * Three digits and a unit: "16.4 us"; long ones in whole seconds or days (d). gap: what stands before the unit, a blank
 * at most. text has DURATION_TEXT bytes, and is the result.
 */
const char *duration_format(uint64_t ns, const char *gap, char *text);

#endif
