/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base64.h"

/* The test vectors of RFC 4648, section 10. */
static void test_vectors(void **state)
{
	static const struct {
		const char *bytes, *text;
	} vectors[] = {
		{ "", "" },	      { "f", "Zg==" },	       { "fo", "Zm8=" },
		{ "foo", "Zm9v" },    { "foob", "Zm9vYg==" },  { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		char *text = base64_encode((const uint8_t *)vectors[i].bytes,
					   strlen(vectors[i].bytes));

		assert_non_null(text);
		assert_string_equal(text, vectors[i].text);
		free(text);
	}
}

/* All 64 digits, in order: the value 0, 1, 2 ... 63 in six bits each. */
static void test_digits(void **state)
{
	uint8_t bytes[48];
	char *text;

	for (int i = 0; i < 16; i++) {
		uint32_t group = (4 * i) << 18 | (4 * i + 1) << 12 | (4 * i + 2) << 6 | (4 * i + 3);

		bytes[3 * i] = group >> 16;
		bytes[3 * i + 1] = group >> 8;
		bytes[3 * i + 2] = group;
	}
	text = base64_encode(bytes, sizeof(bytes));
	assert_non_null(text);
	assert_string_equal(text,
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	free(text);
}

static void test_decode(void **state)
{
	static const char *const wrong[] = { "A", "AA", "AAA", "A===", "AA=A", "AAAA=", "AA==AAAA", "AB==", "AAB=", "A*AA", "AA A" };
	uint8_t bytes[256], *back;
	size_t len;

	for (int i = 0; i < 256; i++)
		bytes[i] = 255 - i;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		char *text = base64_encode(bytes, n);

		back = base64_decode(text, &len);
		assert_non_null(back);
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
		free(back);
		free(text);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_null(base64_decode(wrong[i], &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
