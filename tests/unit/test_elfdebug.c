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

#include <fcntl.h>
#include <unistd.h>
#include "elfdebug.h"
#include "target.h"

static void has_symbols_of_target(struct elffile *debug)
{
	GElf_Shdr header;

	assert_non_null(elffile_section_of_type(debug, SHT_SYMTAB, &header));
	elffile_close(debug);
}

/* Copies from to its place below a root, and looks for the debug file of a program in it. */
static int look(const char *program, const char *from, const char *to, char *why, size_t size)
{
	struct elffile f, debug;
	struct target_dir d;
	int err;

	target_dir_make(&d);
	target_dir_copy(&d, program, "opt/bin/program");
	if (from)
		target_dir_copy(&d, from, to);
	assert_int_equal(elffile_open(&f, d.fd, "/opt/bin/program", why, size), 0);
	err = elfdebug_open(&debug, &f, d.fd, why, size);
	if (!err)
		has_symbols_of_target(&debug);
	elffile_close(&f);
	target_dir_remove(&d);
	return err;
}

static void by_link_in_three_places(void **state)
{
	static const char *const places[] = { "opt/bin/target_stripped.debug", "opt/bin/.debug/target_stripped.debug",
					      "usr/lib/debug/opt/bin/target_stripped.debug" };
	char why[512];

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(look(TARGET("target_stripped"), TARGET("target_stripped.debug"), places[i], why,
				      sizeof(why)), 0);
		assert_string_equal(why, "");
	}
	assert_int_equal(look(TARGET("target_stripped"), TARGET("target_stripped.debug"),
			      "usr/lib/debug/target_stripped.debug", why, sizeof(why)), -ENOENT);
	assert_int_equal(look(TARGET("target_stripped"), NULL, NULL, why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "");
}

static void of_another_build_is_not_taken(void **state)
{
	char why[512];

	assert_int_equal(look(TARGET("target_stripped"), TARGET("target_fixed"), "opt/bin/target_stripped.debug", why,
			      sizeof(why)), -ENOENT);
	assert_string_equal(why, "/opt/bin/target_stripped.debug is of another build, and was not used");
}

static void id_path(const char *program, char *path)
{
	struct elffile f;
	const uint8_t *id;
	size_t len;
	int n;

	target_open(&f, program);
	id = elffile_build_id(&f, &len);
	assert_non_null(id);
	n = sprintf(path, "usr/lib/debug/.build-id/%02x/", id[0]);
	for (size_t i = 1; i < len; i++)
		n += sprintf(path + n, "%02x", id[i]);
	strcpy(path + n, ".debug");
	elffile_close(&f);
}

static void by_build_id(void **state)
{
	char why[512], path[256];

	id_path(TARGET("target_anonymous"), path);
	assert_int_equal(look(TARGET("target_anonymous"), TARGET("target_stripped.debug"), path, why, sizeof(why)), 0);
	assert_int_equal(look(TARGET("target_anonymous"), NULL, NULL, why, sizeof(why)), -ENOENT);
	/* the file there has another id */
	assert_int_equal(look(TARGET("target_anonymous"), TARGET("target_fixed"), path, why, sizeof(why)), -ENOENT);
	assert_int_equal(look(TARGET("target_anonymous"), TARGET("target_probes"), path, why, sizeof(why)), -ENOENT);
}

static void a_common_file_is_found_by_name_and_id(void **state)
{
	struct elffile debug, common;
	struct target_dir d;
	uint8_t id[64];
	size_t len;

	target_dir_make(&d);
	target_dir_copy(&d, TARGET("target_pie"), "usr/lib/debug/.dwz/common.debug");
	target_dir_copy(&d, TARGET("target_pie"), "usr/lib/debug/bin/program.debug");
	assert_int_equal(elffile_open(&debug, d.fd, "/usr/lib/debug/bin/program.debug", (char *)id, sizeof(id)), 0);
	memcpy(id, elffile_build_id(&debug, &len), 20);
	assert_int_equal(elfdebug_open_common(&common, &debug, d.fd, "../.dwz/common.debug", id, len), 0);
	elffile_close(&common);
	assert_int_equal(elfdebug_open_common(&common, &debug, d.fd, "/usr/lib/debug/.dwz/common.debug", id, len), 0);
	elffile_close(&common);
	assert_int_equal(elfdebug_open_common(&common, &debug, d.fd, "../.dwz/none.debug", id, len), -ENOENT);
	id[0]++;
	assert_int_equal(elfdebug_open_common(&common, &debug, d.fd, "../.dwz/common.debug", id, len), -ENOENT);
	elffile_close(&debug);
	target_dir_remove(&d);
}

/* The section's bytes, changed in a copy. */
static void damaged_links_are_none(void **state)
{
	static const struct {
		size_t at, len;
		const char *bytes;
	} cases[] = {
		{ 0, 1, "\0" },    /* no name */
		{ 3, 1, "/" },	   /* a folder */
		{ 0, 6, "../../" },
		{ 21, 7, "xxxxxxx" }, /* no end; the CRC is behind it */
	};
	struct elffile f, debug;
	struct elffile_bytes b;
	char why[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		target_open(&f, TARGET("target_stripped"));
		assert_true(elffile_section(&f, ".gnu_debuglink", &b));
		assert_in_range(b.size, 28, 28);
		memcpy((uint8_t *)(uintptr_t)b.bytes + cases[i].at, cases[i].bytes, cases[i].len);
		assert_int_equal(elfdebug_open(&debug, &f, -1, why, sizeof(why)), -ENOENT);
		elffile_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_link_in_three_places),
		cmocka_unit_test(of_another_build_is_not_taken),
		cmocka_unit_test(by_build_id),
		cmocka_unit_test(a_common_file_is_found_by_name_and_id),
		cmocka_unit_test(damaged_links_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
