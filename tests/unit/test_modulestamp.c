/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/modulestamp.h"

#define VETH   "veth 45056 0 - Live 0xffffffffc0a00000\n"
#define OTHERS "dummy 16384 0 - Live 0xffffffffc0b00000\n"
#define ODD    "odd 16384 1 veth, Live 0xffffffffc0c00000 (OE)\n"

/* A place like /sys/module; the list is a file in it. */
static char directory[] = "/tmp/modulestamp-XXXXXX";

static const char *path_of(const char *name)
{
	static char paths[2][64];
	static int next;
	char *path = paths[next++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static uint64_t stamp(const char *list)
{
	FILE *file = fopen(path_of("list"), "w");

	assert_non_null(file);
	fputs(list, file);
	assert_int_equal(fclose(file), 0);
	return modulestamp(path_of("list"), directory);
}

static int make(void **state)
{
	return !mkdtemp(directory) || mkdir(path_of("odd"), 0700) || mkdir(path_of("next"), 0700);
}

static int remove_all(void **state)
{
	return unlink(path_of("list")) || rmdir(path_of("odd")) || rmdir(directory);
}

static void test_came_and_went(void **state)
{
	uint64_t before = stamp(VETH);

	assert_true(stamp(VETH OTHERS) != before);
	assert_true(stamp("") != before);
	assert_true(stamp(VETH) == before);
}

static void test_loaded_anew(void **state)
{
	assert_true(stamp("veth 45056 0 - Live 0xffffffffc0d00000\n" OTHERS) != stamp(VETH OTHERS));
}

/* The kernel says behind the address that the module is not its own. */
static void test_tainted_loaded_anew(void **state)
{
	assert_true(stamp("odd 16384 1 veth, Live 0xffffffffc0d00000 (OE)\n") != stamp(ODD));
}

static void test_use_does_not_count(void **state)
{
	uint64_t before = stamp(ODD VETH);

	assert_true(stamp("odd 16384 0 - Live 0xffffffffc0c00000 (OE)\n" VETH) == before);
	assert_true(stamp("odd 16384 3 veth,bridge, Live 0xffffffffc0c00000 (OE)\n" VETH) == before);
	assert_true(stamp("odd 16384 1 [permanent], Live 0xffffffffc0c00000 (OE)\n" VETH) == before);
}

static void test_load_ended(void **state)
{
	assert_true(stamp("odd 16384 1 veth, Loading 0xffffffffc0c00000 (OE+)\n") != stamp(ODD));
	assert_true(stamp("veth 45056 0 - Unloading 0xffffffffc0a00000\n") != stamp(VETH));
}

/* Also where addresses are hidden, and where the module is in the same place again. */
static void test_directory_is_new(void **state)
{
	static const char hidden[] = "odd 16384 0 - Live 0x0000000000000000 (OE)\n";
	uint64_t before = stamp(hidden);

	assert_int_equal(rename(path_of("next"), path_of("odd")), 0);
	assert_true(stamp(hidden) != before);
}

static void test_no_list(void **state)
{
	assert_true(modulestamp("/nonexistent", directory) == stamp(""));
}

/* Not what a kernel writes, but nothing may be read beyond the line. */
static void test_short_lines(void **state)
{
	assert_true(stamp("veth\n") != stamp("odd\n"));
	assert_true(stamp("veth 45056 \n") == stamp("veth 45056\n"));
	assert_true(stamp("\n") != stamp("odd\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_came_and_went),
		cmocka_unit_test(test_loaded_anew),
		cmocka_unit_test(test_tainted_loaded_anew),
		cmocka_unit_test(test_use_does_not_count),
		cmocka_unit_test(test_load_ended),
		cmocka_unit_test(test_directory_is_new),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_short_lines),
	};

	return cmocka_run_group_tests(tests, make, remove_all);
}
