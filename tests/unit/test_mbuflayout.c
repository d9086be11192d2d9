/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "jsonstrict.h"
#include "mbuflayout.h"

static const struct mbuf_layout sample = { 0, 16, 22, 24, 36, 40, 42, 52, 64 };

#define ALL_BUT_NEXT "buf_addr=0,data_off=16,port=22,ol_flags=24,pkt_len=36,data_len=40,vlan_tci=42,vlan_tci_outer=52"

static void text_is_read_in_any_order(void **state)
{
	struct mbuf_layout l;
	char why[256];

	assert_int_equal(mbuflayout_parse(ALL_BUT_NEXT ",next=64", &l, why, sizeof(why)), 0);
	assert_memory_equal(&l, &sample, sizeof(l));
	assert_int_equal(mbuflayout_parse("next=64," ALL_BUT_NEXT, &l, why, sizeof(why)), 0);
	assert_memory_equal(&l, &sample, sizeof(l));
	assert_int_equal(mbuflayout_parse("next=1023," ALL_BUT_NEXT, &l, why, sizeof(why)), 0);
	assert_int_equal(l.next, 1023);
}

static void other_text_is_refused_in_a_sentence(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "\"\", which is no member" },
		{ ALL_BUT_NEXT, "has no next" },
		{ "next=64", "has no buf_addr" },
		{ ALL_BUT_NEXT ",next=64,", "\"\", which is no member" },
		{ ALL_BUT_NEXT ",nexT=64", "\"nexT\", which is no member" },
		{ ALL_BUT_NEXT ",next", "give the offset of next" },
		{ ALL_BUT_NEXT ",next=", "give the offset of next" },
		{ ALL_BUT_NEXT ",next=-1", "give the offset of next" },
		{ ALL_BUT_NEXT ",next=0x40", "give the offset of next" },
		{ ALL_BUT_NEXT ",next= 64", "give the offset of next" },
		{ ALL_BUT_NEXT ",next=1024", "give the offset of next" },
		{ ALL_BUT_NEXT ",next=99999999999999999999", "give the offset of next" },
		{ ALL_BUT_NEXT ",next=64,next=64", "has next twice" },
		{ "buf_addr=57,data_off=16,port=22,ol_flags=24,pkt_len=36,data_len=40,vlan_tci=42,vlan_tci_outer=52,next=64",
		  "has buf_addr at 57: only next" },
	};
	struct mbuf_layout l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char why[256] = "";

		assert_int_equal(mbuflayout_parse(cases[i].text, &l, why, sizeof(why)), -EINVAL);
		if (!strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, why);
	}
}

static void json_goes_in_as_it_came_out(void **state)
{
	struct json_object *object = mbuflayout_to_json(&sample);
	struct mbuf_layout l;
	char why[256];

	assert_non_null(object);
	assert_int_equal(mbuflayout_from_json(&l, object, why, sizeof(why)), 0);
	assert_memory_equal(&l, &sample, sizeof(l));
	json_object_put(object);
}

static void other_json_is_refused(void **state)
{
	static const char *const values[] = { "\"64\"", "64.0", "-1", "1024", "null", "{}" };
	struct mbuf_layout l;
	char why[256];

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct json_object *object = mbuflayout_to_json(&sample), *value;

		value = jsonstrict_parse(values[i], strlen(values[i]), 4, why, sizeof(why));
		json_object_object_add(object, "next", value);
		why[0] = '\0';
		assert_int_equal(mbuflayout_from_json(&l, object, why, sizeof(why)), -EINVAL);
		assert_non_null(strstr(why, "next"));
		json_object_put(object);
	}
	assert_int_equal(mbuflayout_from_json(&l, NULL, why, sizeof(why)), -EINVAL);
}

static void unknown_members_are_refused(void **state)
{
	struct json_object *object = mbuflayout_to_json(&sample);
	struct mbuf_layout l;
	char why[256] = "";

	json_object_object_add(object, "pool", json_object_new_int(56));
	assert_int_equal(mbuflayout_from_json(&l, object, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "pool"));
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_read_in_any_order),
		cmocka_unit_test(other_text_is_refused_in_a_sentence),
		cmocka_unit_test(json_goes_in_as_it_came_out),
		cmocka_unit_test(other_json_is_refused),
		cmocka_unit_test(unknown_members_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
