/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text is refused with a sentence in printable ASCII, or gives a place that a program can read: its numbers are in
 * their ranges. The same text as a layout of mbufs, which comes out as JSON and goes in again alike.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mbuflayout.h"
#include "sdtarg.h"

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

static int is_power(unsigned n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

static int is_register(uint8_t reg)
{
	return reg <= 14 || reg == 19;
}

static void check_argument(const char *text)
{
	struct sdtarg a;
	char why[512] = "";

	if (sdtarg_parse(text, &a, why, sizeof(why))) {
		check_sentence(why, sizeof(why));
		return;
	}
	check(strlen(text) < SDTARG_TEXT_BYTES && is_power(a.size));
	check(a.kind == SDTARG_CONSTANT || is_register(a.reg));
	check(a.scale == 0 || (a.kind == SDTARG_MEMORY && is_power(a.scale) && is_register(a.index) && a.index != 19));
	check(a.shift == 0 || (a.kind == SDTARG_REGISTER && a.size == 1 && a.shift == 8));
	check(a.kind != SDTARG_REGISTER || a.offset == 0);
	check(a.kind != SDTARG_MEMORY || (a.offset >= INT32_MIN && a.offset <= INT32_MAX));
}

static void check_layout(const char *text)
{
	struct mbuf_layout l, again;
	struct json_object *object;
	char why[512] = "";

	if (mbuflayout_parse(text, &l, why, sizeof(why))) {
		check_sentence(why, sizeof(why));
		return;
	}
	object = mbuflayout_to_json(&l);
	check(object && mbuflayout_from_json(&again, object, why, sizeof(why)) == 0);
	check(!memcmp(&l, &again, sizeof(l)));
	json_object_put(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_argument(text);
	check_layout(text);
	free(text);
	return 0;
}
