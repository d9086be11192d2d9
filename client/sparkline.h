/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of numbers as a small bar chart. */
#ifndef SPARKLINE_H
#define SPARKLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Prints so many columns (1 to count), each the sum of equally many of the values: a blank for 0, else
 * one of eight levels, the highest for the greatest sum. utf8: U+2581 to U+2588, otherwise ASCII.
 */
void sparkline_print(FILE *out, const uint64_t *values, size_t count, size_t columns, bool utf8);

#endif
