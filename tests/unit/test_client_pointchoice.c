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

#include <sys/socket.h>
#include <unistd.h>
#include "exitcode.h"
#include "pointchoice.h"

#define FEATURES(functions, returns) \
	"{\"parameters\":{\"features\":[{\"name\":\"kprobe\",\"available\":" functions "}," \
	"{\"name\":\"fexit\",\"available\":" returns "}]}}"
#define PLAN(points) "{\"parameters\":{\"state\":\"planned\",\"points\":[" points "]}}"
#define YES(name, hook) "{\"name\":\"" name "\",\"hook\":\"" hook "\",\"argument\":1}"
#define NO(name)  "{\"name\":\"" name "\",\"argument\":0,\"reason\":\"no " name "\"}"
#define ERROR(error) \
	"{\"error\":\"io.netcap.Capture." error "\",\"parameters\":{\"message\":\"it is " error "\"}}"

/* A daemon whose replies are known before it is asked. */
struct played {
	struct connection c;
	int daemon;
	struct spec spec;
};

static void play(struct played *p, const char *const *replies, size_t count)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(write(fds[1], replies[i], strlen(replies[i]) + 1), strlen(replies[i]) + 1);
	connection_init(&p->c, fds[0], 0);
	p->daemon = fds[1];
	spec_init(&p->spec);
}

/* How many calls the daemon got. */
static size_t end(struct played *p)
{
	static char calls[65536];
	size_t count = 0;
	ssize_t n;

	connection_close(&p->c);
	n = read(p->daemon, calls, sizeof(calls));
	for (ssize_t i = 0; i < n; i++)
		count += !calls[i];
	close(p->daemon);
	spec_clear(&p->spec);
	return count;
}

static void add(struct spec *spec, const char *text)
{
	struct jsonstrict_strings *points = &spec->points;

	points->items = realloc(points->items, (points->count + 1) * sizeof(*points->items));
	assert_non_null(points->items);
	points->items[points->count++] = strdup(text);
}

static void add_site(struct spec *spec, int64_t point)
{
	const struct uprobesite site = {.point = point, .packet = strdup("8@%rdi")};

	assert_int_equal(uprobesite_list_add(&spec->sites, &site), 0);
}

static void texts_are_split(void **state)
{
	static const struct {
		const char *text;
		int err;
		size_t count;
		bool optional;
	} cases[] = {
		{"a", 0, 1, false},         {"a|", 0, 1, true},  {"a|b", 0, 2, false},
		{"a|b|", 0, 2, true},       {"", -EINVAL, 0, 0}, {"|", -EINVAL, 0, 0},
		{"a||b", -EINVAL, 0, 0},    {"|a", -EINVAL, 0, 0},
		{"a|b|c|d|e|f|g|h|", 0, 8, true}, {"a|b|c|d|e|f|g|h|i", -E2BIG, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pointchoice c;

		assert_int_equal(pointchoice_split(&c, cases[i].text), cases[i].err);
		if (!cases[i].err) {
			assert_int_equal(c.count, cases[i].count);
			assert_int_equal(c.optional, cases[i].optional);
			assert_string_equal(c.names[0], "a");
		}
		pointchoice_clear(&c);
	}
}

static void the_first_that_works_is_picked(void **state)
{
	char why[] = "why";
	const struct pointchoice_answer works = {true, NULL}, refused = {true, why}, missing = {false, why};
	const struct pointchoice_answer third[] = {missing, refused, works, works}, second[] = {missing, refused, refused},
					none[] = {missing, missing};

	assert_int_equal(pointchoice_pick(third, 4, false), 2);
	assert_int_equal(pointchoice_pick(third, 4, true), 2);
	assert_int_equal(pointchoice_pick(second, 3, false), 1);
	assert_int_equal(pointchoice_pick(second, 3, true), -1);
	assert_int_equal(pointchoice_pick(none, 2, false), 0);
	assert_int_equal(pointchoice_pick(none, 2, true), -1);
}

static void without_a_choice_nobody_is_asked(void **state)
{
	struct played p;

	play(&p, NULL, 0);
	add(&p.spec, "?cp_rcv");
	assert_int_equal(pointchoice_settle(&p.c, &p.spec), EXITCODE_OK);
	assert_string_equal(p.spec.points.items[0], "?cp_rcv");
	assert_int_equal(end(&p), 0);
}

static void choices_are_settled_in_their_places(void **state)
{
	const char *const replies[] = {
		FEATURES("true", "false"),
		PLAN(NO("a") "," YES("b", "kprobe") "," YES("c", "tp_btf") "," NO("d") "," NO("e") "," YES("fexit:f", "fexit")),
	};
	struct played p;

	play(&p, replies, 2);
	add(&p.spec, "first@1");
	add(&p.spec, "a|b@2|c");
	add(&p.spec, "d|");
	add(&p.spec, "d|e");
	add(&p.spec, "fexit:f|c");
	add(&p.spec, "last");
	add_site(&p.spec, 0);
	add_site(&p.spec, 5);
	assert_int_equal(pointchoice_settle(&p.c, &p.spec), EXITCODE_OK);
	assert_int_equal(p.spec.points.count, 5);
	assert_int_equal(p.spec.sites.items[0].point, 0);
	assert_int_equal(p.spec.sites.items[1].point, 4);
	assert_string_equal(p.spec.points.items[0], "first@1");
	assert_string_equal(p.spec.points.items[1], "b@2");
	assert_string_equal(p.spec.points.items[2], "d"); /* of d|e: the daemon says why not */
	assert_string_equal(p.spec.points.items[3], "c"); /* no way to attach to returns */
	assert_string_equal(p.spec.points.items[4], "last");
	assert_int_equal(end(&p), 2);
}

static void a_kernel_without_functions_is_known(void **state)
{
	const char *const replies[] = {
		FEATURES("false", "false"),
		PLAN(NO("a") "," YES("b", "fentry") "," YES("c", "kprobe.multi") "," YES("tracepoint:x:y", "raw_tp")),
	};
	struct played p;

	play(&p, replies, 2);
	add(&p.spec, "a|b|c");
	add(&p.spec, "c|tracepoint:x:y");
	add(&p.spec, "c|");
	assert_int_equal(pointchoice_settle(&p.c, &p.spec), EXITCODE_OK);
	assert_int_equal(p.spec.points.count, 2);
	assert_string_equal(p.spec.points.items[0], "b"); /* it exists, at least */
	assert_string_equal(p.spec.points.items[1], "tracepoint:x:y");
	assert_int_equal(end(&p), 2);
}

static void one_of_a_pattern_is_enough(void **state)
{
	const char *const replies[] = {
		FEATURES("true", "false"),
		PLAN(NO("tcp_a") "," YES("tcp_b", "kprobe") "," YES("udp_a", "kprobe")),
	};
	struct played p;

	play(&p, replies, 2);
	add(&p.spec, "icmp_*|tcp_*@1|udp_*");
	assert_int_equal(pointchoice_settle(&p.c, &p.spec), EXITCODE_OK);
	assert_string_equal(p.spec.points.items[0], "tcp_*@1");
	end(&p);
}

/* With none that can be traced the daemon answers with an error, of the first only. */
static void where_none_works_each_is_asked_alone(void **state)
{
	const char *const replies[] = {FEATURES("true", "true"), ERROR("UnknownPoint"), ERROR("UnknownPoint"),
				       ERROR("PointRefused")};
	char *names[] = {(char *)"a", (char *)"b"};
	struct pointchoice_answer answers[2];
	struct played p;

	play(&p, replies, 4);
	assert_int_equal(pointchoice_ask(&p.c, &p.spec, names, 2, answers), EXITCODE_OK);
	assert_string_equal(answers[0].reason, "it is UnknownPoint");
	assert_false(answers[0].exists);
	assert_string_equal(answers[1].reason, "it is PointRefused");
	assert_true(answers[1].exists);
	pointchoice_forget(answers, 2);
	assert_int_equal(end(&p), 4);
}

static void nothing_left_is_an_error(void **state)
{
	const char *const replies[] = {FEATURES("true", "true"), ERROR("UnknownPoint")};
	struct played p;

	play(&p, replies, 2);
	add(&p.spec, "a|");
	assert_int_equal(pointchoice_settle(&p.c, &p.spec), EXITCODE_FAILED);
	end(&p);
}

static void other_errors_are_the_daemons(void **state)
{
	const char *const refused[] = {FEATURES("true", "true"), ERROR("NotPermitted")};
	const char *const gone[] = {FEATURES("true", "true")};
	struct played p;

	play(&p, refused, 2);
	add(&p.spec, "a|b");
	assert_int_equal(pointchoice_settle(&p.c, &p.spec), EXITCODE_NO_DAEMON);
	end(&p);
	play(&p, gone, 1);
	shutdown(p.daemon, SHUT_WR);
	add(&p.spec, "a|b");
	assert_int_equal(pointchoice_settle(&p.c, &p.spec), EXITCODE_GONE);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_split),
		cmocka_unit_test(the_first_that_works_is_picked),
		cmocka_unit_test(without_a_choice_nobody_is_asked),
		cmocka_unit_test(choices_are_settled_in_their_places),
		cmocka_unit_test(a_kernel_without_functions_is_known),
		cmocka_unit_test(one_of_a_pattern_is_enough),
		cmocka_unit_test(where_none_works_each_is_asked_alone),
		cmocka_unit_test(nothing_left_is_an_error),
		cmocka_unit_test(other_errors_are_the_daemons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
