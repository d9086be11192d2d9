/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>
#include <cmocka.h>

#include "daemon/journal.h"
#include "daemon/log.h"

/* The entry's bytes from behind its first three fields, which are the same for all. */
static void expect(const struct journal_entry *e, const char *want, size_t len)
{
	static const char last[] = "SYSLOG_IDENTIFIER=netcapd\n";
	const char *at = memmem(e->bytes, e->len, last, strlen(last));

	assert_non_null(at);
	at += strlen(last);
	assert_int_equal(e->bytes + e->len - at, len);
	assert_memory_equal(at, want, len);
}

static void test_begin(void **state)
{
	static const char head[] = "MESSAGE_ID=", tail[] = "\nPRIORITY=4\nSYSLOG_IDENTIFIER=netcapd\n";
	struct journal_entry e;

	journal_begin(&e, JOURNAL_STALLED, LOG_WARNING);
	assert_int_equal(e.len, strlen(head) + 32 + strlen(tail));
	assert_memory_equal(e.bytes, head, strlen(head));
	assert_int_equal(strspn(e.bytes + strlen(head), "0123456789abcdef"), 32);
	assert_memory_equal(e.bytes + strlen(head) + 32, tail, strlen(tail));
}

static void test_fields(void **state)
{
	static const char want[] = "NETCAP_A=x y=z\nNETCAP_B=0\nNETCAP_C=18446744073709551615\n";
	struct journal_entry e;

	journal_begin(&e, JOURNAL_REFUSED, LOG_INFO);
	journal_text(&e, "NETCAP_A", "x y=z");
	journal_text(&e, "NETCAP_NONE", NULL);
	journal_text(&e, "NETCAP_EMPTY", "");
	journal_number(&e, "NETCAP_B", 0);
	journal_number(&e, "NETCAP_C", UINT64_MAX);
	expect(&e, want, strlen(want));
}

/* A newline in what a stranger wrote begins no field. */
static void test_newline(void **state)
{
	static const char want[] = "NETCAP_A\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\nNETCAP_B=b\n";
	struct journal_entry e;

	journal_begin(&e, JOURNAL_REFUSED, LOG_INFO);
	journal_text(&e, "NETCAP_A", "a\nPRIORITY=0");
	journal_text(&e, "NETCAP_B", "b");
	expect(&e, want, sizeof(want) - 1);
}

/* What does not fit is left out, whole, and what fits still comes. */
static void test_full(void **state)
{
	char long_value[JOURNAL_ENTRY_BYTES];
	struct journal_entry e;
	size_t before;

	memset(long_value, 'x', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = 0;
	journal_begin(&e, JOURNAL_REFUSED, LOG_INFO);
	before = e.len;
	journal_text(&e, "NETCAP_LONG", long_value);
	assert_int_equal(e.len, before);
	for (int i = 0; i < 1000; i++) {
		journal_text(&e, "NETCAP_A", "0123456789");
		journal_text(&e, "NETCAP_B", "0123456789\n");
		assert_true(e.len <= sizeof(e.bytes) - LOG_LINE_BYTES);
		assert_int_equal(e.bytes[e.len - 1], '\n');
	}
	assert_true(e.len > sizeof(e.bytes) - 2 * LOG_LINE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_newline),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
