/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <ctype.h>
#include "explain.h"

#define LONGEST 200 /* bytes of a text */

static void assert_text(const char *reason, const char *text)
{
	size_t length = strlen(text);

	if (!length || length > LONGEST || text[length - 1] != '.')
		fail_msg("A text of %s is no sentence of 1 to %d bytes: %zu: %s", reason, LONGEST, length, text);
	for (size_t i = 0; i < length; i++)
		if (!isprint((unsigned char)text[i]) || (text[i] == ' ' && text[i + 1] == ' '))
			fail_msg("A text of %s has two blanks, or a byte that is no printable ASCII: %s", reason, text);
}

static void every_reason_has_its_texts(void **state)
{
	const struct explain_table *table;
	size_t count = 0;

	for (size_t t = 0; (table = explain_table(t)); t++) {
		for (size_t i = 0; i < table->count; i++, count++) {
			const struct explain_entry *entry = &table->entries[i];

			assert_text(entry->reason, entry->meaning);
			assert_text(entry->reason, entry->next);
			assert_string_equal(explain_meaning(table->subsystem, entry->reason), entry->meaning);
			assert_string_equal(explain_next(table->subsystem, entry->reason), entry->next);
		}
	}
	assert_int_equal(count, explain_count());
	assert_true(count > 200);
}

static void tables_are_sorted(void **state)
{
	const struct explain_table *table;

	for (size_t t = 0; (table = explain_table(t)); t++)
		for (size_t i = 1; i < table->count; i++)
			if (strcmp(table->entries[i - 1].reason, table->entries[i].reason) >= 0)
				fail_msg("%s does not belong before %s", table->entries[i - 1].reason,
					 table->entries[i].reason);
}

/* Two tables of one subsystem must not both have a reason: only one of the texts would be found. */
static void no_reason_is_there_twice(void **state)
{
	const struct explain_table *a, *b;

	for (size_t t = 0; (a = explain_table(t)); t++)
		for (size_t u = t + 1; (b = explain_table(u)); u++)
			for (size_t i = 0; i < a->count && !strcmp(a->subsystem, b->subsystem); i++)
				for (size_t j = 0; j < b->count; j++)
					assert_string_not_equal(a->entries[i].reason, b->entries[j].reason);
}

static void names_are_as_documented(void **state)
{
	static const char *const known[][2] = {
		{"core", "NO_SOCKET"}, {"core", "NOT_SPECIFIED"}, {"core", "XFRM_POLICY"},
		{"core", "VXLAN_NO_REMOTE"}, {"core", "TC_ERROR"}, /* renamed by later kernels */
		{"openvswitch", "OVS_DROP_METER"}, {"qdisc", "QDISC_DROP_OVERLIMIT"},
		{"mac80211_unusable", "RX_DROP_U_MIC_FAIL"}, {"mac80211_monitor", "RX_DROP_MONITOR"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!explain_meaning(known[i][0], known[i][1]) || !explain_next(known[i][0], known[i][1]))
			fail_msg("%s of %s is not known", known[i][1], known[i][0]);
}

static void what_is_not_known_has_no_texts(void **state)
{
	static const char *const unknown[][2] = {
		{"core", ""}, {"core", "NO_SOCKET "}, {"core", "no_socket"}, {"core", "SKB_DROP_REASON_NO_SOCKET"},
		{"core", "REASON_4711"}, {"core", "OVS_DROP_METER"}, {"openvswitch", "NO_SOCKET"},
		{"", "NO_SOCKET"}, {"nosuch", "NO_SOCKET"},
	};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		assert_null(explain_meaning(unknown[i][0], unknown[i][1]));
		assert_null(explain_next(unknown[i][0], unknown[i][1]));
	}
	assert_null(explain_table(1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_its_texts),
		cmocka_unit_test(tables_are_sorted),
		cmocka_unit_test(no_reason_is_there_twice),
		cmocka_unit_test(names_are_as_documented),
		cmocka_unit_test(what_is_not_known_has_no_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
