/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "droprows.h"

static struct json_object *parse(const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	assert_non_null(object);
	return object;
}

static void a_row_is_read(void **state)
{
	struct json_object *object = parse(
		"{\"reason\":\"NO_SOCKET\",\"subsystem\":\"core\",\"location\":\"udp_rcv+0x1\",\"device\":\"eth0\","
		"\"netns\":4026531840,\"protocol\":\"ipv6\",\"transport\":\"udp\",\"ports\":\"\",\"packets\":7,"
		"\"bytes\":420,\"lastMinute\":2,\"last\":1764053103000000,\"recent\":[5,6]}");
	struct droprow row;

	droprows_read_one(&row, object);
	assert_string_equal(row.reason, "NO_SOCKET");
	assert_string_equal(row.location, "udp_rcv+0x1");
	assert_string_equal(row.netns, "4026531840");
	assert_string_equal(row.proto, "ipv6/udp");
	assert_int_equal(row.packets, 7);
	assert_int_equal(row.bytes, 420);
	assert_int_equal(row.last, 1764053103000000);
	assert_int_equal(row.recent[DROPROWS_MINUTES - 3], 0);
	assert_int_equal(row.recent[DROPROWS_MINUTES - 2], 5);
	assert_int_equal(row.recent[DROPROWS_MINUTES - 1], 6);
	json_object_put(object);
}

/* Whatever a daemon sends. */
static void other_types_are_nothing(void **state)
{
	static const char *const texts[] = {
		"{\"reason\":7,\"netns\":\"x\",\"packets\":null,\"recent\":[\"x\",null,{}]}", "[]", "\"x\"",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct json_object *object = parse(texts[i]);
		struct droprow row;

		droprows_read_one(&row, object);
		assert_string_equal(row.reason, "");
		assert_string_equal(row.netns, "");
		assert_int_equal(row.packets, 0);
		assert_int_equal(row.recent[DROPROWS_MINUTES - 1], 0);
		json_object_put(object);
	}
}

static void long_protocols_are_cut(void **state)
{
	char text[512];
	struct json_object *object;
	struct droprow row;

	snprintf(text, sizeof(text), "{\"protocol\":\"%0100d\",\"transport\":\"tcp\"}", 0);
	object = parse(text);
	droprows_read_one(&row, object);
	assert_int_equal(strlen(row.proto), sizeof(row.proto) - 1);
	json_object_put(object);
}

static const char rows_text[] =
	"[{\"reason\":\"A\",\"transport\":\"tcp\",\"packets\":2,\"bytes\":20,\"lastMinute\":1,\"last\":5,\"recent\":[1]},"
	"{\"reason\":\"B\",\"transport\":\"tcp\",\"packets\":4,\"last\":1},"
	"{\"reason\":\"A\",\"transport\":\"udp\",\"packets\":3,\"bytes\":30,\"lastMinute\":2,\"last\":4,\"recent\":[2]},"
	"{\"reason\":\"A\",\"device\":\"lo\",\"packets\":4}]";

static void what_looks_the_same_is_one_row(void **state)
{
	struct json_object *array = parse(rows_text);
	struct droprows r;

	assert_int_equal(droprows_read(&r, array, false), 0);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.packets, 13);
	assert_string_equal(r.rows[0].reason, "A");
	assert_int_equal(r.rows[0].packets, 5);
	assert_int_equal(r.rows[0].bytes, 50);
	assert_int_equal(r.rows[0].last_minute, 3);
	assert_int_equal(r.rows[0].last, 5);
	assert_int_equal(r.rows[0].recent[DROPROWS_MINUTES - 1], 3);
	assert_string_equal(r.rows[1].device, "lo");
	assert_string_equal(r.rows[2].reason, "B");
	droprows_clear(&r);
	json_object_put(array);
}

static void protocols_are_kept_apart_if_wanted(void **state)
{
	struct json_object *array = parse(rows_text);
	struct droprows r;

	assert_int_equal(droprows_read(&r, array, true), 0);
	assert_int_equal(r.count, 4);
	assert_string_equal(r.rows[2].proto, "udp");
	assert_string_equal(r.rows[3].proto, "tcp");
	droprows_clear(&r);
	json_object_put(array);
}

static void no_rows(void **state)
{
	struct droprows r;

	assert_int_equal(droprows_read(&r, NULL, false), 0);
	assert_int_equal(r.count, 0);
	droprows_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_read),
		cmocka_unit_test(other_types_are_nothing),
		cmocka_unit_test(long_protocols_are_cut),
		cmocka_unit_test(what_looks_the_same_is_one_row),
		cmocka_unit_test(protocols_are_kept_apart_if_wanted),
		cmocka_unit_test(no_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
