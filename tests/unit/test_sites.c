/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/linefile.h"
#include "daemon/sites.h"

#define NAME "lab:lab_xmit"

/* What /proc/kallsyms says: the kernel's own hides addresses from tests. */
static const char *symbols[8];
static int symbols_read;

int __wrap_linefile_each(const char *path, int (*take)(void *, char *, size_t), void *arg);

int __wrap_linefile_each(const char *path, int (*take)(void *, char *, size_t), void *arg)
{
	int r = 0;

	assert_string_equal(path, "/proc/kallsyms");
	symbols_read++;
	for (const char **text = symbols; !r && *text; text++) {
		char line[128];

		r = take(arg, line, snprintf(line, sizeof(line), "%s", *text));
	}
	return r;
}

/* The module lab, with two functions of one name. */
static void load(void)
{
	symbols[0] = "ffffffffc0a00010 t lab_xmit\t[lab]";
	symbols[1] = "ffffffffc0a00200 t lab_xmit\t[lab]";
}

static int unload(void **state)
{
	memset(symbols, 0, sizeof(symbols));
	symbols_read = 0;
	return 0;
}

static struct function xmit = { .name = "lab_xmit" };
static struct module lab = { .name = "lab", .list = { &xmit, 1 } };
static const struct function_list none;

static void test_kept(void **state)
{
	const struct module_set set = { .items = &lab, .count = 1, .stamp = 1 };
	struct sites *s = sites_new(&none);

	assert_non_null(s);
	load();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sites_update(s, &set), 0);
		assert_true(sites_are_several(s, NAME));
	}
	assert_int_equal(symbols_read, 1);
	sites_free(s);
}

static void test_loaded_anew(void **state)
{
	struct module_set set = { .items = &lab, .count = 1, .stamp = 1 };
	const char *const name = NAME;
	struct sites *s = sites_new(&none);
	struct site_list list;

	assert_non_null(s);
	load();
	assert_int_equal(sites_update(s, &set), 0);
	symbols[0] = "ffffffffc0b00010 t lab_xmit\t[lab]";
	symbols[1] = NULL;
	set.stamp = 2;
	assert_int_equal(sites_update(s, &set), 0);
	assert_int_equal(sites_find(s, &name, 1, &list), 0);
	assert_int_equal(list.count, 1);
	assert_true(list.items[0].address == 0xffffffffc0b00010);
	site_list_clear(&list);
	sites_free(s);
}

/* The set was read before the module was there, the rest after: the next set must find it missing. */
static void test_loaded_meanwhile(void **state)
{
	const struct module_set before = { .stamp = 1 };
	const struct module_set after = { .items = &lab, .count = 1, .stamp = 2 };
	struct sites *s = sites_new(&none);

	assert_non_null(s);
	load();
	assert_int_equal(sites_update(s, &before), 0);
	assert_false(sites_are_several(s, NAME));
	assert_int_equal(sites_update(s, &after), 0);
	assert_true(sites_are_several(s, NAME));
	sites_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_kept, unload),
		cmocka_unit_test_setup(test_loaded_anew, unload),
		cmocka_unit_test_setup(test_loaded_meanwhile, unload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
