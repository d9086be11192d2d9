/* SPDX-License-Identifier: BSD-2-Clause */
#include "sparkline.h"

#define LEVELS 8

/* A sum of 64-bit numbers may need more bits; how high a bar is does not need them all. */
static double sum(const uint64_t *values, size_t from, size_t to)
{
	double total = 0;

	while (from < to)
		total += (double)values[from++];
	return total;
}

/* Rounded up: what is not 0 is seen. */
static unsigned level(double value, double max)
{
	unsigned n = max > 0 ? (unsigned)(LEVELS * value / max) : 0;

	return n * max < LEVELS * value ? n + 1 : n;
}

void sparkline_print(FILE *out, const uint64_t *values, size_t count, size_t columns, bool utf8)
{
	static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char ascii[] = " .:-=+*#@";
	double max = 0;

	for (size_t i = 0; i < columns; i++) {
		double value = sum(values, i * count / columns, (i + 1) * count / columns);

		max = value > max ? value : max;
	}
	for (size_t i = 0; i < columns; i++) {
		unsigned n = level(sum(values, i * count / columns, (i + 1) * count / columns), max);

		if (utf8)
			fputs(bars[n], out);
		else
			putc(ascii[n], out);
	}
}
