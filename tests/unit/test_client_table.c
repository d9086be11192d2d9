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

#include "print.h"
#include "table.h"

static const struct table_column columns[] = {
	{"NAME", false, 5}, {"EMPTY", false, 0}, {"N", true, 0}, {"LAST", false, 4},
};

static void add(struct table *t, const char *name, const char *n, const char *last)
{
	fputs(name, table_cell(t, NULL));
	table_cell(t, NULL);
	fputs(n, table_cell(t, NULL));
	fputs(last, table_cell(t, NULL));
}

static int set_up(void **state)
{
	static struct table t;

	*state = &t;
	return table_init(&t, columns, 4);
}

static int tear_down(void **state)
{
	table_clear(*state);
	return 0;
}

static void assert_table(struct table *t, unsigned width, const char *color, const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(table_print(t, out, width, color), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void columns_are_as_wide_as_their_texts(void **state)
{
	add(*state, "a", "1", "xyz");
	add(*state, "abcdef", "12345", "▁█");
	assert_table(*state, 0, NULL,
		     "NAME       N LAST\n"
		     "a          1 xyz\n"
		     "abcdef 12345 ▁█\n");
}

static void the_widest_columns_are_cut_first(void **state)
{
	add(*state, "abcdefghij", "1", "uvwxyz");
	assert_table(*state, 19, NULL, "NAME       N LAST\nabcdefghij 1 uvwxyz\n");
	assert_table(*state, 18, NULL, "NAME      N LAST\nabcdefgh~ 1 uvwxyz\n");
	assert_table(*state, 14, NULL, "NAME  N LAST\nabcd~ 1 uvwxyz\n");
	assert_table(*state, 12, NULL, "NAME  N LAST\nabcd~ 1 uvw~\n");
	assert_table(*state, 2, NULL, "NAME  N LAST\nabcd~ 1 uvw~\n");
}

static void cells_without_text_are_dashes(void **state)
{
	add(*state, "", "1", "a");
	add(*state, "b", "", "");
	assert_table(*state, 0, NULL, "NAME N LAST\n-    1 a\nb    - -\n");
}

static void colors_end_with_their_cell(void **state)
{
	struct table *t = *state;

	add(t, "a", "1", "b");
	t->cells[0].color = print_color("red");
	assert_table(t, 0, print_color("cyan"),
		     "\033[36mNAME\033[0m \033[36mN\033[0m \033[36mLAST\033[0m\n"
		     "\033[31ma   \033[0m 1 b\n");
}

static void many_rows(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < 1000; i++)
		add(*state, "a", "1", "b");
	assert_int_equal(table_print(*state, out, 0, NULL), 0);
	fclose(out);
	assert_int_equal(size, 1001 * strlen("NAME N LAST\n") - 1000 * strlen("AST"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(columns_are_as_wide_as_their_texts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_widest_columns_are_cut_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cells_without_text_are_dashes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(colors_end_with_their_cell, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_rows, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
