/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "jsonstrict.h"

#define DEPTH 8

static struct json_object *parse(const char *text)
{
	char why[512] = "";
	struct json_object *value = jsonstrict_parse(text, strlen(text), DEPTH, why, sizeof(why));

	if (!value)
		fail_msg("%s: %s", text, why);
	return value;
}

struct sample {
	char *text;
	int64_t number;
	bool flag;
	struct jsonstrict_strings list;
	struct json_object *object;
};

static const struct jsonstrict_field fields[] = {
	{"text", JSONSTRICT_STRING, offsetof(struct sample, text), true, 2, 4},
	{"number", JSONSTRICT_INTEGER, offsetof(struct sample, number), false, -5, INT64_MAX},
	{"flag", JSONSTRICT_BOOLEAN, offsetof(struct sample, flag), false, 0, 0},
	{"list", JSONSTRICT_STRINGS, offsetof(struct sample, list), false, 0, 2},
	{"object", JSONSTRICT_OBJECT, offsetof(struct sample, object), false, 0, 0},
	{0},
};

static int read_sample(const char *text, struct sample *s, const char *member, const char *reason)
{
	struct json_object *object = parse(text);
	const char *field = "";
	char why[256] = "";
	int r = jsonstrict_read(object, fields, s, &field, why, sizeof(why));

	assert_string_equal(field, member);
	if (!strstr(why, reason))
		fail_msg("%s: \"%s\" is not in: %s", text, reason, why);
	json_object_put(object);
	return r;
}

static void clear_sample(struct sample *s)
{
	free(s->text);
	jsonstrict_strings_clear(&s->list);
}

static void test_read(void **state)
{
	struct sample s = {.number = 7};

	assert_int_equal(read_sample("{\"text\":\"ab\"}", &s, "", ""), 0);
	assert_string_equal(s.text, "ab");
	assert_int_equal(s.number, 7);
	assert_int_equal(read_sample("{\"text\":\"abcd\",\"number\":-5,\"flag\":true,"
				     "\"list\":[\"x\",\"y\"]}",
				     &s, "", ""),
			 0);
	assert_string_equal(s.text, "abcd");
	assert_int_equal(s.number, -5);
	assert_true(s.flag);
	assert_int_equal(s.list.count, 2);
	assert_string_equal(s.list.items[1], "y");
	assert_int_equal(read_sample("{\"text\":\"ab\",\"list\":[]}", &s, "", ""), 0);
	assert_int_equal(s.list.count, 0);
	assert_null(s.object);
	assert_int_equal(read_sample("{\"text\":\"ab\",\"object\":{}}", &s, "", ""), 0);
	assert_non_null(s.object);
	clear_sample(&s);
	jsonstrict_strings_clear(NULL);
}

static void check_read_refused(const char *text, const char *member, const char *reason)
{
	struct sample s = {0};

	assert_int_equal(read_sample(text, &s, member, reason), -EINVAL);
	clear_sample(&s);
}

#define T "{\"text\":\"abc\","

static void test_read_refused(void **state)
{
	check_read_refused("{}", "text", "\"text\" is missing: add it");
	check_read_refused("{\"text\":null}", "text", "is missing");
	check_read_refused("{\"text\":5}", "text", "is an integer: give a string");
	check_read_refused("{\"text\":[]}", "text", "is an array: give a string");
	check_read_refused("{\"text\":\"a\"}", "text", "is 1 bytes long: give 2 to 4");
	check_read_refused("{\"text\":\"abcde\"}", "text", "is 5 bytes long: give 2 to 4");
	check_read_refused(T "\"number\":-6}", "number", "is -6: give a number from -5 to");
	check_read_refused(T "\"number\":\"6\"}", "number", "is a string: give an integer");
	check_read_refused(T "\"number\":true}", "number", "is a boolean: give an integer");
	check_read_refused(T "\"number\":{}}", "number", "is an object: give an integer");
	check_read_refused(T "\"number\":6.0}", "number", "is a number with a fraction");
	check_read_refused(T "\"flag\":\"true\"}", "flag", "is a string: give true or false");
	check_read_refused(T "\"list\":[\"a\",\"b\",\"c\"]}", "list", "has 3 entries: give 0 to 2");
	check_read_refused(T "\"list\":[\"a\",null]}", "list",
			   "entry 2 of the member \"list\" is null");
	check_read_refused(T "\"list\":[\"\"]}", "list",
			   "entry 1 of the member \"list\" is 0 bytes");
	check_read_refused(T "\"object\":[]}", "object", "is an array: give an object");
	check_read_refused("[]", "parameters", "the parameters are an array");
	check_read_refused("\"x\"", "parameters", "the parameters are a string");
}

static void test_read_unknown(void **state)
{
	static const struct jsonstrict_field none[] = {{0}};
	struct json_object *object = parse("{\"text\":\"ab\",\"te\\nxt\":1}");
	struct sample s = {0};
	const char *field = NULL;
	char why[256];

	assert_int_equal(jsonstrict_read(object, fields, &s, &field, why, sizeof(why)), -EINVAL);
	assert_string_equal(field, "te\nxt");
	assert_string_equal(why, "the member \"te\\x0axt\" is not known: leave it out; known are "
				 "text, number, flag, list, object");
	assert_null(s.text);
	assert_int_equal(jsonstrict_read(object, none, &s, &field, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "there are no members here"));
	assert_int_equal(jsonstrict_read(NULL, none, &s, &field, why, sizeof(why)), 0);
	assert_int_equal(jsonstrict_read(NULL, fields, &s, &field, why, sizeof(why)), -EINVAL);
	json_object_put(object);
}

/* Trees that did not come from the parser are no way around the ranges. */
static void test_read_foreign_tree(void **state)
{
	struct json_object *object = json_object_new_object(), *list = json_object_new_array();
	struct sample s = {0};
	const char *field;
	char why[256];

	json_object_object_add(object, "text", json_object_new_string_len("a\0c", 3));
	assert_int_equal(jsonstrict_read(object, fields, &s, &field, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "\"text\" holds a NUL"));
	json_object_object_add(object, "text", json_object_new_string("ok"));
	json_object_object_add(object, "number", json_object_new_uint64(UINT64_MAX));
	assert_int_equal(jsonstrict_read(object, fields, &s, &field, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "is 18446744073709551615"));
	json_object_object_del(object, "number");
	json_object_array_add(list, json_object_new_string_len("a\0c", 3));
	json_object_object_add(object, "list", list);
	assert_int_equal(jsonstrict_read(object, fields, &s, &field, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "entry 1 of the member \"list\" holds a NUL"));
	json_object_put(object);
	clear_sample(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refused),
		cmocka_unit_test(test_read_unknown),
		cmocka_unit_test(test_read_foreign_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
