/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/nameindex.h"

static void test_names(void **state)
{
	static const char *const names[] = { "foo",      "foo.isra.0", "bar", "veth:bar",
					     "veth:foo", "only",       "br:only_br" };
	static const struct {
		const char *symbol, *module;
		size_t index; /* 7: none */
	} cases[] = {
		{ "foo", "", 0 },
		{ "foo", "other", 0 },         /* a plain name is any module's too */
		{ "foo", "veth", 4 },          /* but its own module's first */
		{ "foo.isra.0", "", 1 },       /* the full name before its stem */
		{ "foo.isra.1", "", 0 },
		{ "foo.constprop.0", "veth", 4 },
		{ "foo.isra.0.cold", "", 7 },
		{ "foo.part.0", "", 7 },
		{ "foo.constprop.0.part.3", "", 7 },
		{ "foo.llvm.77", "", 7 },
		{ "fo", "", 7 },
		{ "fooo", "", 7 },
		{ "bar", "vet", 2 },
		{ "bar", "vethx", 2 },
		{ "only_br", "", 7 },
		{ "only_br", "br", 6 },
		{ "only_br", "brx", 7 },
		{ "", "", 7 },
	};
	struct nameindex x;

	assert_int_equal(nameindex_init(&x, names, 7), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(nameindex_find(&x, cases[i].symbol, cases[i].module),
				 cases[i].index);
	nameindex_clear(&x);
}

static void test_none(void **state)
{
	struct nameindex x;

	assert_int_equal(nameindex_init(&x, NULL, 0), 0);
	assert_int_equal(nameindex_find(&x, "foo", ""), 0);
	nameindex_clear(&x);
	nameindex_clear(&x);
}

static void test_many(void **state)
{
	static char texts[5000][16];
	static const char *names[5000];
	struct nameindex x;

	for (size_t i = 0; i < 5000; i++) {
		snprintf(texts[i], sizeof(texts[i]), "f%zu", i);
		names[i] = texts[i];
	}
	assert_int_equal(nameindex_init(&x, names, 5000), 0);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(nameindex_find(&x, names[i], ""), i);
	assert_int_equal(nameindex_find(&x, "f5000", ""), 5000);
	nameindex_clear(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
