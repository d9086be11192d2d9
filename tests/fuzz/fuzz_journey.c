/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text is refused or read; what was read comes out of journey_format() and goes in again alike. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "journey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct journey first, second;
static char text[JOURNEY_TEXT_MAX], again[JOURNEY_TEXT_MAX];
static char first_store[JOURNEY_TEXT_MAX], second_store[JOURNEY_TEXT_MAX];

static void check(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int err = journey_parse(&first, (const char *)data, size, first_store), len;

	check(err == 0 || err == -EBADMSG);
	if (err)
		return 0;
	len = journey_format(&first, text);
	check(len < 0 || text[len] == '\0');
	if (len < 0 || first.more)
		return 0; /* names longer than those of trace points */
	check(journey_parse(&second, text, (size_t)len, second_store) == 0);
	check(second.count + second.more == first.count + first.more);
	check(journey_format(&second, again) >= 0 && (second.more || !strcmp(text, again)));
	return 0;
}
