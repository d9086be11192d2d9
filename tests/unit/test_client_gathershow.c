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
#include <poll.h>
#include <pty.h>
#include <unistd.h>
#include "gathershow.h"

static const char session_text[] =
	"{\"gathering\":{\"packets\":2,\"points\":[{\"name\":\"a\",\"packets\":2,\"missing\":0}],\"edges\":[]}}";

/* Shows two replies and the end, with this descriptor as the stream. */
static void show(const struct options *o, int stream, int fd)
{
	struct json_object *session = json_tokener_parse(session_text), *none = json_tokener_parse("{}");
	int saved = dup(stream);
	struct gathershow g;

	fflush(stdout);
	dup2(fd, stream);
	gathershow_init(&g, o);
	assert_int_equal(gathershow_running(&g, none), 0); /* before the first packet, perhaps */
	assert_int_equal(gathershow_running(&g, session), 0);
	assert_int_equal(gathershow_running(&g, session), 0);
	assert_int_equal(gathershow_ended(&g, session), 0);
	fflush(stdout);
	dup2(saved, stream);
	close(saved);
	json_object_put(session);
	json_object_put(none);
}

/* For the caller to free. */
static char *shown(const struct options *o, int stream)
{
	char *text = calloc(1, 65536);
	FILE *file = tmpfile();

	show(o, stream, fileno(file));
	assert_true(pread(fileno(file), text, 65535, 0) >= 0);
	fclose(file);
	return text;
}

#define TABLE "2 packets gathered.\n\nTRACE POINT PACKETS NEVER CAME\na                 2          0\n"

static void tables_follow_one_another_in_a_file(void **state)
{
	const struct options o = {.spec = {.gather_summary = true}};
	char *text = shown(&o, STDERR_FILENO);

	assert_string_equal(text, TABLE "\n" TABLE "\n" TABLE "\n");
	free(text);
}

static void what_is_all_there_is_goes_to_standard_output(void **state)
{
	struct options o = {.spec = {.histogram = true, .gather_summary = true}};
	char *text = shown(&o, STDOUT_FILENO), *rest = text;

	assert_string_equal(text, TABLE "\n" TABLE "\n" TABLE);
	free(text);
	o.json = true;
	rest = text = shown(&o, STDOUT_FILENO);
	for (unsigned i = 0; i < 3; i++) {
		struct json_object *line = json_tokener_parse(strsep(&rest, "\n"));

		assert_true(json_object_object_get_ex(line, "packets", NULL));
		json_object_put(line);
	}
	assert_string_equal(rest, "");
	free(text);
}

/* What the stream, a terminal of so many rows, gets. */
static void show_on_terminal(const struct options *o, unsigned short rows, char *text, size_t size)
{
	struct winsize window = {.ws_row = rows, .ws_col = 100};
	struct pollfd p = {.events = POLLIN};
	size_t len = 0;
	ssize_t n;
	int end;

	assert_int_equal(openpty(&p.fd, &end, NULL, NULL, &window), 0);
	show(o, STDERR_FILENO, end);
	while (len < size - 1 && poll(&p, 1, 0) > 0 && (n = read(p.fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(end);
	close(p.fd);
	/* as a terminal's line discipline writes newlines */
	for (char *c = text; (c = strstr(c, "\r\n"));)
		memmove(c, c + 1, strlen(c));
}

#define UP "\r\033[4A\033[J"

static void a_table_is_drawn_in_place(void **state)
{
	static char text[65536];
	const struct options o = {.spec = {.gather_summary = true}, .write_path = "x"};

	show_on_terminal(&o, 24, text, sizeof(text));
	assert_string_equal(text, TABLE UP TABLE UP TABLE "\n");
	/* it never scrolls out of reach */
	show_on_terminal(&o, 4, text, sizeof(text));
	assert_non_null(strstr(text, "... and 2 more lines\n\r\033[3A\033[J2 packets"));
}

static void packets_on_the_terminal_are_not_drawn_over(void **state)
{
	static char text[65536];
	const struct options o = {.spec = {.gather_summary = true}};
	int saved = dup(STDOUT_FILENO), master, end;

	assert_int_equal(openpty(&master, &end, NULL, NULL, NULL), 0);
	fflush(stdout);
	dup2(end, STDOUT_FILENO);
	show_on_terminal(&o, 24, text, sizeof(text));
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	assert_string_equal(text, TABLE "\n" TABLE "\n" TABLE "\n");
	close(saved);
	close(master);
	close(end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_follow_one_another_in_a_file),
		cmocka_unit_test(what_is_all_there_is_goes_to_standard_output),
		cmocka_unit_test(a_table_is_drawn_in_place),
		cmocka_unit_test(packets_on_the_terminal_are_not_drawn_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
