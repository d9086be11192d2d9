/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/openmetrics.h"

static void test_families(void **state)
{
	const struct openmetrics_label two[] = {{"a", "x"}, {"b", ""}, {}};
	struct openmetrics o;
	char *text;

	assert_int_equal(openmetrics_begin(&o), 0);
	openmetrics_family(&o, OPENMETRICS_COUNTER, "x_packets", "packets", "Help.");
	openmetrics_sample(&o, two, UINT64_MAX);
	openmetrics_sample(&o, NULL, 0);
	openmetrics_family(&o, OPENMETRICS_GAUGE, "y_seconds", "seconds", "More help.");
	openmetrics_seconds(&o, 61000000999);
	openmetrics_family(&o, OPENMETRICS_INFO, "z", NULL, "What it is.");
	openmetrics_sample(&o, &two[1], 1);
	text = openmetrics_end(&o);
	assert_string_equal(text, "# TYPE x_packets counter\n# UNIT x_packets packets\n# HELP x_packets Help.\n"
				  "x_packets_total{a=\"x\",b=\"\"} 18446744073709551615\n"
				  "x_packets_total 0\n"
				  "# TYPE y_seconds gauge\n# UNIT y_seconds seconds\n# HELP y_seconds More help.\n"
				  "y_seconds 61.000000\n"
				  "# TYPE z info\n# HELP z What it is.\nz_info{b=\"\"} 1\n# EOF\n");
	free(text);
}

static void test_nothing(void **state)
{
	struct openmetrics o;
	char *text;

	assert_int_equal(openmetrics_begin(&o), 0);
	text = openmetrics_end(&o);
	assert_string_equal(text, "# EOF\n");
	free(text);
}

/* What a label's value becomes between the quotes. */
static void check_value(const char *value, const char *expected)
{
	const struct openmetrics_label labels[] = {{"l", value}, {}};
	struct openmetrics o;
	char *text, whole[256];

	assert_int_equal(openmetrics_begin(&o), 0);
	openmetrics_family(&o, OPENMETRICS_GAUGE, "g", NULL, "");
	openmetrics_sample(&o, labels, 7);
	text = openmetrics_end(&o);
	snprintf(whole, sizeof(whole), "# TYPE g gauge\n# HELP g \ng{l=\"%s\"} 7\n# EOF\n", expected);
	assert_string_equal(text, whole);
	free(text);
}

static void test_labels(void **state)
{
	check_value("eth0", "eth0");
	check_value("a\"} 1 # {", "a\\\"} 1 # {");
	check_value("a\nb\r\t", "a\\\\x0ab\\\\x0d\\\\x09");
	check_value("\\", "\\\\x5c");
	check_value("\\xff", "\\\\x5cxff"); /* and not what the byte 0xff becomes: */
	check_value("\xff", "\\\\xff");
	check_value("\x7f", "\\\\x7f");
	check_value("gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac");
	check_value("\xc2\x9b\xc2\xa0", "\\\\xc2\\\\x9b\xc2\xa0"); /* a control character of Latin-1 */
	check_value("\xc3", "\\\\xc3");
	check_value("\xed\xa0\x80", "\\\\xed\\\\xa0\\\\x80"); /* a surrogate */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_families),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
