/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "jsonstrict.h"
#include "limit.h"

#define DEPTH 8

static struct json_object *parse(const char *text, size_t len)
{
	char why[512] = "";
	/* A copy of the exact size, so that ASan sees a read behind the end. */
	char *copy = malloc(len ? len : 1);
	struct json_object *value;

	memcpy(copy, text, len);
	value = jsonstrict_parse(copy, len, DEPTH, why, sizeof(why));
	free(copy);
	if (!value)
		fail_msg("%.*s: %s", (int)len, text, why);
	return value;
}

static void check_good(const char *text, const char *shown)
{
	struct json_object *value = parse(text, strlen(text));

	assert_string_equal(json_object_to_json_string_ext(
				    value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			    shown);
	json_object_put(value);
}

static void check_refused_bytes(const char *text, size_t len, const char *reason)
{
	char why[512] = "";
	char *copy = malloc(len ? len : 1);
	struct json_object *value;

	memcpy(copy, text, len);
	value = jsonstrict_parse(copy, len, DEPTH, why, sizeof(why));
	free(copy);
	if (value)
		fail_msg("%.*s: accepted", (int)len, text);
	if (!strstr(why, reason))
		fail_msg("%.*s: \"%s\" is not in: %s", (int)len, text, reason, why);
}

static void check_refused(const char *text, const char *reason)
{
	check_refused_bytes(text, strlen(text), reason);
}

static void test_good(void **state)
{
	check_good("{}", "{}");
	check_good(" \t\r\n[ ] \n", "[]");
	check_good("{\"a\":null,\"b\":[true,false,null],\"c\":{\"a\":\"\"}}",
		   "{\"a\":null,\"b\":[true,false,null],\"c\":{\"a\":\"\"}}");
	check_good(" { \"a\" : 1 , \"b\" : [ 1 , 2 ] } ", "{\"a\":1,\"b\":[1,2]}");
	check_good("{\"\":{\"\":1}}", "{\"\":{\"\":1}}");
	check_good("\"x\"", "\"x\"");
	check_good("true", "true");
	check_good("-0", "0");
	check_good("0", "0");
}

static void test_numbers(void **state)
{
	check_good("9223372036854775807", "9223372036854775807");
	check_good("-9223372036854775808", "-9223372036854775808");
	check_good("[1.5,-0.25,1e3,0E+2,12e-1]", "[1.5,-0.25,1e3,0E+2,12e-1]");
	check_good("1e-999", "1e-999");
	check_refused("9223372036854775808", "too large");
	check_refused("-9223372036854775809", "too large");
	check_refused("1e999", "too large");
	check_refused("0.00000000000000000000000000000000000000000000000000000000000000001",
		      "too long");
	check_refused("01", "leading zero at byte 0");
	check_refused("[-01]", "leading zero at byte 2");
	check_refused("1.", "ends at byte 2 where a digit belongs");
	check_refused("[1.]", "\"]\" at byte 3 where a digit belongs");
	check_refused("-", "where a digit belongs");
	check_refused("1e", "where a digit belongs");
	check_refused("1e+", "where a digit belongs");
	check_refused(".5", "\".\" at byte 0 where a value belongs");
	check_refused("+1", "\"+\" at byte 0 where a value belongs");
	check_refused("0x10", "\"x\" at byte 1 where nothing more belongs");
	check_refused("-Infinity", "\"I\" at byte 1 where a digit belongs");
}

static void test_words(void **state)
{
	check_refused("NaN", "the word \"NaN\" at byte 0");
	check_refused("[Infinity]", "the word \"Infinity\" at byte 1");
	check_refused("True", "the word \"True\"");
	check_refused("nul", "the word \"nul\"");
	check_refused("truex", "the word \"truex\"");
	check_refused("null", "only null");
	check_refused("{a:1}", "\"a\" at byte 1 where the name of a member in double quotes");
}

static void test_structure(void **state)
{
	check_refused("", "ends at byte 0 where a value belongs");
	check_refused(" ", "ends at byte 1 where a value belongs");
	check_refused("{", "ends at byte 1");
	check_refused("{\"a\"", "ends at byte 4 where a colon belongs");
	check_refused("{\"a\" 1}", "\"1\" at byte 5 where a colon belongs");
	check_refused("{\"a\":}", "\"}\" at byte 5 where a value belongs");
	check_refused("{\"a\":1,}", "\"}\" at byte 7 where the name of a member");
	check_refused("[1,]", "\"]\" at byte 3 where a value belongs");
	check_refused("[,1]", "\",\" at byte 1 where a value belongs");
	check_refused("[1 2]", "\"2\" at byte 3 where a comma or ] belongs");
	check_refused("[1}", "\"}\" at byte 2 where a comma or ] belongs");
	check_refused("{\"a\":1]", "\"]\" at byte 6 where a comma or } belongs");
	check_refused("{} {}", "\"{\" at byte 3 where nothing more belongs");
	check_refused("{}}", "\"}\" at byte 2 where nothing more belongs");
	check_refused("{'a':1}", "\"'\" at byte 1");
	check_refused("{} // x", "\"/\" at byte 3");
	check_refused_bytes("{}\0", 3, "\"\\x00\" at byte 2 where nothing more belongs");
	check_refused_bytes("[1,\0]", 5, "\"\\x00\" at byte 3 where a value belongs");
	check_refused("\xef\xbb\xbf{}", "\"\\xef\" at byte 0");
}

static void test_strings(void **state)
{
	static const char escapes[] = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\u20AC\\ud83d\\ude00\"";
	struct json_object *value = parse(escapes, strlen(escapes));

	assert_string_equal(json_object_get_string(value),
			    "\"\\/\b\f\n\r\t\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	json_object_put(value);
	check_refused("\"abc", "ends at byte 4 where the rest of a string");
	check_refused("\"abc\\", "ends at byte 5 where the rest of a string");
	check_refused("\"\\x41\"", "unknown escape \"\\x5cx\" at byte 1");
	check_refused("\"\\'\"", "unknown escape");
	check_refused_bytes("\"\\\0\"", 4, "unknown escape");
	check_refused("\"\\u12\"", "bad escape at byte 1");
	check_refused("\"\\u12", "bad escape at byte 1");
	check_refused("\"\\u00g0\"", "bad escape");
	check_refused_bytes("\"\\u00\0 0\"", 9, "bad escape");
	check_refused("\"\\u0000\"", "\\u0000 at byte 1");
	check_refused("{\"a\\u0000\":1}", "\\u0000 at byte 3");
	check_refused("\"a\nb\"", "control character (0x0a) in a string at byte 2");
	check_refused_bytes("\"a\0b\"", 5, "control character (0x00) in a string at byte 2");
}

static void test_surrogates(void **state)
{
	check_refused("\"\\ud83d\"", "half a surrogate pair at byte 1");
	check_refused("\"\\ude00\"", "half a surrogate pair");
	check_refused("\"\\ud83d\\ud83d\"", "half a surrogate pair");
	check_refused("\"\\ud83d\\u0041\"", "half a surrogate pair");
	check_refused("\"\\ud83d\\n\"", "half a surrogate pair");
	check_refused("\"\\ude00\\ud83d\"", "half a surrogate pair");
	check_good("\"\\udbff\\udfff\"", "\"\xf4\x8f\xbf\xbf\"");
}

static void test_utf8(void **state)
{
	static const char *const bad[] = {
		"\"\x80\"",             /* no first byte */
		"\"\xc0\xaf\"",         /* overlong */
		"\"\xc1\xbf\"",         /* overlong */
		"\"\xe0\x9f\xbf\"",     /* overlong */
		"\"\xf0\x8f\xbf\xbf\"", /* overlong */
		"\"\xed\xa0\x80\"",     /* surrogate */
		"\"\xf4\x90\x80\x80\"", /* beyond U+10FFFF */
		"\"\xf5\x80\x80\x80\"",
		"\"\xff\"",
		"\"\xc3\"", /* cut off */
		"\"\xe2\x82\"",
		"\"\xf0\x9f\x98\"",
		"\"\xf0\x9f\x98",
		"\"\xc3",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_refused(bad[i], "is not UTF-8 at byte 1");
	check_good("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\"",
		   "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\"");
}

static void test_duplicates(void **state)
{
	check_refused("{\"filter\":1,\"x\":2,\"filter\":3}",
		      "the JSON text has the member \"filter\" twice, again at byte 18: keep one");
	check_refused("{\"a\":1,\"\\u0061\":2}", "member \"a\" twice");
	check_refused("{\"\":1,\"\":2}", "member \"\" twice");
	check_refused("{\"x\":[{\"a\":null,\"a\":null}]}", "member \"a\" twice");
	check_refused("{\"\xc3\xa4\":1,\"\\u00e4\":2}", "member \"\\xc3\\xa4\" twice");
	check_good("{\"a\":{\"a\":1},\"b\":{\"a\":1}}", "{\"a\":{\"a\":1},\"b\":{\"a\":1}}");
}

static void test_depth(void **state)
{
	check_good("[[[[[[[[1]]]]]]]]", "[[[[[[[[1]]]]]]]]");
	check_good("[[[[[[[[]]]]]]],{}]", "[[[[[[[[]]]]]]],{}]");
	check_refused("[[[[[[[[[]]]]]]]]]", "more than 8 levels deep at byte 8");
	check_refused("[[[[[[[{\"a\":{}}]]]]]]]", "more than 8 levels deep");
}

/* Names of strangers are quoted so that the sentence stays short, printable ASCII. */
static void test_quoting(void **state)
{
	char text[512], name[150];

	memset(name, 'n', sizeof(name));
	memcpy(name + 46, "\xc3\xa4", 2);
	name[149] = '\0';
	snprintf(text, sizeof(text), "{\"%s\":1,\"%s\":2}", name, name);
	check_refused(text, "nn\\xc3\\xa4...\" twice");
}

static void test_locale(void **state)
{
	struct json_object *value;

	/* Where the locale is not installed, this checks no less than the C locale. */
	setlocale(LC_ALL, "de_DE.UTF-8");
	value = parse("1.5", 3);
	assert_true(json_object_get_double(value) == 1.5);
	json_object_put(value);
	setlocale(LC_ALL, "C");
}

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static struct json_object *parse_strictly(const char *text, size_t len)
{
	char why[256];

	return jsonstrict_parse(text, len, DEPTH, why, sizeof(why));
}

/* The same by json-c alone, which does most of the work of the other. */
static struct json_object *parse_plainly(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object *value = json_tokener_parse_ex(tokener, text, len);

	json_tokener_free(tokener);
	return value;
}

/* The best of five, since the machine may be busy; quadratic work would show in every one. */
static double time_parse(struct json_object *(*parser)(const char *, size_t), const char *text, size_t len)
{
	double best = 1e9;

	for (int i = 0; i < 5; i++) {
		double start = milliseconds(), spent;

		json_object_put(parser(text, len));
		spent = milliseconds() - start;
		if (spent < best)
			best = spent;
	}
	return best;
}

/* What is repeated to fill a message; a number goes between before and after, never the same. */
struct shape {
	const char *open, *before, *after, *close;
};

static size_t fill(char *text, const struct shape *shape)
{
	size_t at = sprintf(text, "%s", shape->open), end = strlen(shape->close);
	char item[64];

	for (unsigned i = 0;; i++) {
		int len = shape->before ? sprintf(item, "%s%x%s", shape->before, i, shape->after)
					: sprintf(item, "%s", shape->after);

		if (at + len + end > LIMIT_MESSAGE_BYTES)
			break;
		memcpy(text + at, item, len);
		at += len;
	}
	memcpy(text + at, shape->close, end);
	return at + end;
}

/*
 * Beside json-c, which takes linear time: 0.6 to 5 times as long, where quadratic work would take hundreds of
 * times. The bound in time is what is promised for any message; sanitizers reach it on slow machines.
 */
static void test_hostile_sizes_take_linear_time(void **state)
{
	static const struct shape shapes[] = {
		{"{", "\"", "\":1,", "\"\":1}"}, {"{\"a\":{", "\"", "\":{},", "\"\":1}}"},
		{"[", NULL, "{},", "1]"},        {"[", NULL, "[],", "1]"},
		{"[", NULL, "0,", "1]"},         {"[", NULL, "1e1,", "1]"},
		{"\"", NULL, "\\u20ac", "\""},   {"\"", NULL, "x", "\""},
	};
	static char text[LIMIT_MESSAGE_BYTES];

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		size_t len = fill(text, &shapes[i]);
		double spent, plain;

		json_object_put(parse(text, len));
		spent = time_parse(parse_strictly, text, len);
		plain = time_parse(parse_plainly, text, len);
		print_message("%s...%s: %zu bytes in %.2f ms, json-c %.2f ms\n", shapes[i].open,
			      shapes[i].after, len, spent, plain);
		assert_true(spent < 12 * plain);
#ifndef __SANITIZE_ADDRESS__
		assert_true(spent < 100);
#endif
	}
}

/* What places tell, as text: NAME@AT, or @AT for an entry. */
static void write_place(void *arg, const struct json_object *parent, const char *name, size_t at)
{
	char *text = arg;

	assert_non_null(parent);
	sprintf(text + strlen(text), "%s@%zu ", name ? name : "", at);
}

static size_t check_places(const char *text, const char *expected)
{
	char told[256] = "", why[256];
	struct jsonstrict_places places = {.place = write_place, .arg = told};

	json_object_put(
		jsonstrict_parse_places(text, strlen(text), DEPTH, &places, why, sizeof(why)));
	assert_string_equal(told, expected);
	return places.end;
}

static void test_places(void **state)
{
	assert_int_equal(check_places("{\"a\":1,\n \"b\" : {\"c\":null}}", "a@1 b@9 c@16 "), 26);
	assert_int_equal(check_places("{\"\\u0061\":[ 1,\n\n2, []]}", "a@1 @12 @16 @19 "), 23);
	assert_int_equal(check_places("5", ""), 1);
	assert_int_equal(check_places("{\"a\":1,\n\"b\":x}", "a@1 b@8 "), 12);
	assert_int_equal(check_places("[1", "@1 "), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_surrogates),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_locale),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_hostile_sizes_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
