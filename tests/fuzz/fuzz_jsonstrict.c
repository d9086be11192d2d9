/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the strict parser takes, json-c's strict mode takes too, as the same value; written out, it
 * goes in again alike. What is refused gets a sentence in printable ASCII.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonstrict.h"

#define DEPTH 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_sentence(const char *why, size_t size)
{
	size_t len = strnlen(why, size);

	check(len > 0 && len < size);
	for (size_t i = 0; i < len; i++)
		check(why[i] >= ' ' && why[i] <= '~');
}

/*
 * json-c 0.16 takes escaped pairs whose character, cut to 16 bits, looks like half a pair (U+1D800
 * to U+1DFFF, U+2D800 to U+2DFFF, ...) for broken ones, and puts U+FFFD there.
 */
static int json_c_garbles(const char *text)
{
	while ((text = strstr(text, "\\u"))) {
		unsigned high, low;

		if (sscanf(text, "\\u%4x\\u%4x", &high, &low) == 2 && high >> 10 == 0xd800 >> 10 &&
		    ((high & 0x3f) << 10 & 0xf800) == 0xd800)
			return 1;
		text++;
	}
	return 0;
}

static void check_json_c_agrees(struct json_object *value, const char *text, size_t size)
{
	struct json_tokener *t = json_tokener_new_ex(2 * DEPTH);
	struct json_object *other;

	check(t != NULL);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With the NUL behind the text, which ends a number. */
	other = json_tokener_parse_ex(t, text, size + 1);
	check(json_tokener_get_error(t) == json_tokener_success);
	check(json_object_equal(value, other) || json_c_garbles(text));
	json_object_put(other);
	json_tokener_free(t);
}

static void check_round_trip(struct json_object *value)
{
	char why[256];
	size_t len;
	const char *text = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &len);
	struct json_object *again = jsonstrict_parse(text, len, DEPTH, why, sizeof(why));

	check(again && json_object_equal(value, again));
	json_object_put(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As large as the text, to the byte, for the address sanitizer to watch. */
	char *exact = malloc(size ? size : 1), *text = malloc(size + 1), why[256] = "";
	struct json_object *value;

	if (size) {
		memcpy(exact, data, size);
		memcpy(text, data, size);
	}
	text[size] = '\0';
	value = jsonstrict_parse(exact, size, DEPTH, why, sizeof(why));
	if (value) {
		check_json_c_agrees(value, text, size);
		check_round_trip(value);
	} else {
		check_sentence(why, sizeof(why));
	}
	json_object_put(value);
	free(exact);
	free(text);
	return 0;
}
