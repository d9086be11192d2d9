/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blanking comments only makes spaces, leaves the lines alone, leaves nothing to blank, and takes
 * nothing from JSON without comments.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jsoncomments.h"
#include "jsonstrict.h"

#define DEPTH 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static int is_json(const char *text, size_t size)
{
	char why[256];
	struct json_object *value = jsonstrict_parse(text, size, DEPTH, why, sizeof(why));

	json_object_put(value);
	return value != NULL;
}

static void check_blanked(const char *text, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		check(text[i] == (char)data[i] || (text[i] == ' ' && data[i] != '\n'));
	if (is_json((const char *)data, size))
		check(!memcmp(text, data, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As large as the text, to the byte, for the address sanitizer to watch. */
	char *text = malloc(size ? size : 1), *again = malloc(size ? size : 1);
	size_t at = 0;

	if (size)
		memcpy(text, data, size);
	if (jsoncomments_blank(text, size, &at)) {
		check(at + 2 <= size && !memcmp(text + at, "/*", 2));
		check(!is_json((const char *)data, size));
	} else {
		check_blanked(text, data, size);
		if (size)
			memcpy(again, text, size);
		check(!jsoncomments_blank(again, size, &at) && !memcmp(again, text, size));
	}
	free(text);
	free(again);
	return 0;
}
