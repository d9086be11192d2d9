/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/linefile.h"

#define LINES 3000

/* What came, its lines joined by '|'. */
struct taken {
	char text[6 * LINEFILE_LINE_BYTES];
	size_t lines;
	size_t most; /* ends after so many; 0: does not */
};

static int take(void *arg, char *line, size_t length)
{
	struct taken *t = arg;

	assert_int_equal(strlen(line), length);
	if (strlen(t->text) + length + 2 < sizeof(t->text)) {
		strcat(t->text, line);
		strcat(t->text, "|");
	}
	memset(line, 'x', length);
	return ++t->lines == t->most ? -EINTR : 0;
}

/* Reads a file of these bytes. */
static int read_back(const char *bytes, size_t size, struct taken *t)
{
	char path[] = "/tmp/linefile-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
	r = linefile_each(path, take, t);
	unlink(path);
	return r;
}

static void test_lines(void **state)
{
	struct taken t = {};

	assert_int_equal(read_back("a\n\nbc\nlast", 10, &t), 0);
	assert_string_equal(t.text, "a||bc|last|");
	t = (struct taken){};
	assert_int_equal(read_back("", 0, &t), 0);
	assert_int_equal(t.lines, 0);
	t = (struct taken){ .most = 2 };
	assert_int_equal(read_back("a\nb\nc\n", 6, &t), -EINTR);
	assert_string_equal(t.text, "a|b|");
	assert_int_equal(linefile_each("/nonexistent/file", take, &t), -ENOENT);
}

/* Lines stand across the ends of what one read() gives. */
static void test_large(void **state)
{
	static char bytes[LINES * 32];
	struct taken t = {};
	size_t size = 0;

	for (int i = 0; i < LINES; i++)
		size += snprintf(bytes + size, sizeof(bytes) - size, "line %d\n", i);
	assert_int_equal(read_back(bytes, size, &t), 0);
	assert_int_equal(t.lines, LINES);
}

static void test_long_line(void **state)
{
	static char bytes[5 * LINEFILE_LINE_BYTES];
	struct taken t = {};

	memset(bytes, 'a', sizeof(bytes));
	memcpy(bytes + sizeof(bytes) - 5, "\nend\n", 5);
	assert_int_equal(read_back(bytes, sizeof(bytes), &t), 0);
	assert_true(t.lines > 2);
	assert_non_null(strstr(t.text, "|end|"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
