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
#include <sys/stat.h>
#include <unistd.h>
#include "limit.h"
#include "profile.h"

static char why[600];
static unsigned line;

static int parse(struct profile *p, const char *text)
{
	why[0] = '\0';
	return profile_parse(p, text, strlen(text), &line, why, sizeof(why));
}

static void points_come_with_their_comments(void **state)
{
	struct profile p;

	assert_int_equal(parse(&p, "# what it is for\n"
				   "# more of it\n"
				   "#   and more\n"
				   "\n"
				   "# above\n"
				   "ip_rcv\t # behind\n"
				   "\n"
				   "  tracepoint:net:netif_receive_skb@1\n"
				   "# of a longer\n"
				   "\n"
				   "# comment\n"
				   "fexit:tcp_*"), 0);
	assert_string_equal(p.description, "what it is for");
	assert_string_equal(p.notes, "more of it\nand more");
	assert_int_equal(p.count, 3);
	assert_string_equal(p.points[0].text, "ip_rcv");
	assert_string_equal(p.points[0].comment, "above\nbehind");
	assert_int_equal(p.points[0].line, 6);
	assert_string_equal(p.points[1].text, "tracepoint:net:netif_receive_skb@1");
	assert_null(p.points[1].comment);
	assert_string_equal(p.points[2].text, "fexit:tcp_*");
	assert_string_equal(p.points[2].comment, "of a longer\ncomment");
	assert_int_equal(p.points[2].line, 12);
	profile_clear(&p);
}

static void comments_may_be_in_any_language(void **state)
{
	struct profile p;

	assert_int_equal(parse(&p, "# f\xc3\xbcr\t\xe2\x82\xac\xc2\xa0\nip_rcv\n"), 0);
	assert_string_equal(p.description, "f\xc3\xbcr\t\xe2\x82\xac\xc2\xa0");
	profile_clear(&p);
}

static void a_license_is_no_description(void **state)
{
	struct profile p;

	assert_int_equal(parse(&p, "# SPDX-License-Identifier: BSD-2-Clause\n#\n# real\nip_rcv # SPDX\n"), 0);
	assert_string_equal(p.description, "real");
	profile_clear(&p);
}

static void a_profile_needs_no_comment(void **state)
{
	struct profile p;

	assert_int_equal(parse(&p, "ip_rcv\n# late\nip_forward\n"), 0);
	assert_null(p.description);
	assert_null(p.notes);
	assert_string_equal(p.points[1].comment, "late");
	profile_clear(&p);
}

static void alternatives_and_options_are_one_text(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{"ip_rcv_core | ip_rcv", "ip_rcv_core|ip_rcv"},
		{"a|b \t|  c@2", "a|b|c@2"},
		{"?icmp_echo", "icmp_echo|"},
		{" ? a | b # c", "a|b|"},
		{"tcp_?cv", "tcp_?cv"}, /* a pattern */
		{"a|b|c|d|e|f|g|h", "a|b|c|d|e|f|g|h"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile p;

		assert_int_equal(parse(&p, cases[i].line), 0);
		assert_int_equal(p.count, 1);
		assert_string_equal(p.points[0].text, cases[i].text);
		profile_clear(&p);
	}
}

static void lines_may_end_as_on_other_systems(void **state)
{
	struct profile p;

	assert_int_equal(parse(&p, "# what\r\n\r\nip_rcv # why\r\nicmp_rcv\r"), 0);
	assert_string_equal(p.description, "what");
	assert_int_equal(p.count, 2);
	assert_string_equal(p.points[0].comment, "why");
	assert_string_equal(p.points[1].text, "icmp_rcv");
	profile_clear(&p);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *part;
	} cases[] = {
		{"", 0, "no trace point"},
		{"# only\n\n# comments\n", 0, "no trace point"},
		{"ip_rcv\nip rcv\n", 2, "\"ip rcv\" is more than one"},
		{"ip_rcv,icmp_rcv", 1, "line of its own"},
		{"# a\n@rx-ipv4\n", 2, "another profile"},
		{"ip_rcv |", 1, "missing"},
		{"| ip_rcv", 1, "missing"},
		{"a || b", 1, "missing"},
		{"?", 1, "missing"},
		{"??a|", 1, "missing"},
		{"a|b|c|d|e|f|g|h|i", 1, "more than 8"},
		{"\n\nuprobe:x:y", 3, "uprobe"},
		{"ip_rcv@0", 1, "\"0\""},
		{"ip_rcv\x01", 1, "\\x01"},
		{"# \x1b[31m", 1, "\\x1B"},
		{"# \xff\xfe", 1, "\\xFF"},
		{"# \xc2\x9b" "31m", 1, "\\xC2\\x9B"},
		{"\xef\xbb\xbfip_rcv", 1, "\\xEF"},
		{"ip_rcv\n# \x7f\n", 2, "\\x7F"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile p;

		if (parse(&p, cases[i].text) != -EINVAL || line != cases[i].line || !strcasestr(why, cases[i].part))
			fail_msg("case %zu: line %u: %s", i, line, why);
		profile_clear(&p);
	}
}

static void a_nul_is_no_end(void **state)
{
	struct profile p;

	assert_int_equal(profile_parse(&p, "ip_rcv\n\0b\n", 10, &line, why, sizeof(why)), -EINVAL);
	assert_int_equal(line, 2);
	assert_non_null(strstr(why, "\\x00"));
	profile_clear(&p);
}

static void a_line_has_so_many_bytes(void **state)
{
	char text[PROFILE_LINE_BYTES + 2];
	struct profile p;

	memset(text, '#', sizeof(text));
	assert_int_equal(profile_parse(&p, text, PROFILE_LINE_BYTES, &line, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "no trace point"));
	profile_clear(&p);
	assert_int_equal(profile_parse(&p, text, PROFILE_LINE_BYTES + 1, &line, why, sizeof(why)), -EINVAL);
	assert_int_equal(line, 1);
	assert_non_null(strstr(why, "513 bytes"));
	profile_clear(&p);
}

static void a_profile_has_as_many_points_as_a_session(void **state)
{
	char text[(LIMIT_POINTS + 1) * 8] = "";
	struct profile p;

	for (int i = 0; i < LIMIT_POINTS; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "p%d\n", i);
	assert_int_equal(parse(&p, text), 0);
	assert_int_equal(p.count, LIMIT_POINTS);
	profile_clear(&p);
	strcat(text, "more\n");
	assert_int_equal(parse(&p, text), -EINVAL);
	assert_int_equal(line, LIMIT_POINTS + 1);
	profile_clear(&p);
}

/* ---- files ---- */

static char path[] = "/tmp/netcap-profile-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return -1;
	return close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

static void write_file(const char *text, size_t times)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t i = 0; i < times; i++)
		fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int read_file(const char *name)
{
	struct profile p;
	int err = profile_read(&p, name, &line, why, sizeof(why));

	profile_clear(&p);
	return err;
}

static void a_file_is_read(void **state)
{
	struct profile p;

	write_file("# x\nip_rcv\n", 1);
	assert_int_equal(profile_read(&p, path, &line, why, sizeof(why)), 0);
	assert_string_equal(p.points[0].text, "ip_rcv");
	profile_clear(&p);
}

static void a_file_has_so_many_bytes(void **state)
{
	write_file("#\n", PROFILE_FILE_BYTES / 2);
	assert_int_equal(read_file(path), -EINVAL);
	assert_non_null(strstr(why, "no trace point"));
	write_file("#\n", PROFILE_FILE_BYTES / 2 + 1);
	assert_int_equal(read_file(path), -EINVAL);
	assert_non_null(strstr(why, "65536 bytes"));
	assert_int_equal(line, 0);
}

static void what_is_no_file_is_not_read(void **state)
{
	assert_int_equal(read_file("/dev/zero"), -EINVAL);
	assert_non_null(strstr(why, "regular"));
	assert_int_equal(read_file("/tmp"), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_file(path), -EINVAL);
	assert_int_equal(read_file("/nonexistent/x"), -ENOENT);
	assert_string_equal(why, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_come_with_their_comments),
		cmocka_unit_test(comments_may_be_in_any_language),
		cmocka_unit_test(a_license_is_no_description),
		cmocka_unit_test(a_profile_needs_no_comment),
		cmocka_unit_test(alternatives_and_options_are_one_text),
		cmocka_unit_test(lines_may_end_as_on_other_systems),
		cmocka_unit_test(what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(a_nul_is_no_end),
		cmocka_unit_test(a_line_has_so_many_bytes),
		cmocka_unit_test(a_profile_has_as_many_points_as_a_session),
		cmocka_unit_test(a_file_is_read),
		cmocka_unit_test(a_file_has_so_many_bytes),
		cmocka_unit_test(what_is_no_file_is_not_read),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
