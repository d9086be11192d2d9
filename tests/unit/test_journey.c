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

#include "journey.h"

static struct journey given, read_back;
static char text[JOURNEY_TEXT_MAX], store[JOURNEY_TEXT_MAX];

static const char full_text[] =
	"journey=idle step=tracepoint:net:netif_receive_skb,0,1,dev:eth0,ifindex:2,netns:4026531840,skb:0xffff888012345600 "
	"stack=a+0x1,b%20c+0x2 step=fexit:ip_rcv,18446744073709551615,0,dev:,ifindex:0,netns:0,pid:7,skb:0x0,reason:NO_SOCKET,location:f+0x1,ret:-12,"
	"took_ns:900 more=3 missing=icmp_rcv,tcp_v4_rcv unsure=1";

static void make_full(struct journey *j)
{
	journey_clear(j);
	j->end = JOURNEY_IDLE;
	j->steps[0] = (struct journey_step){.point = "tracepoint:net:netif_receive_skb", .cpu = 1, .dev = "eth0",
					    .ifindex = 2, .netns = 4026531840u, .skb = 0xffff888012345600,
					    .frames = 2};
	j->frames[0] = "a+0x1";
	j->frames[1] = "b c+0x2";
	j->frame_count = 2;
	j->steps[1] = (struct journey_step){.point = "fexit:ip_rcv", .since_ns = UINT64_MAX, .pid = 7,
					    .reason = "NO_SOCKET", .location = "f+0x1", .ret = "-12", .took_ns = 900};
	j->count = 2;
	j->more = 3;
	j->missing[0] = "icmp_rcv";
	j->missing[1] = "tcp_v4_rcv";
	j->missing_count = 2;
	j->unsure = true;
}

static void test_format(void **state)
{
	make_full(&given);
	assert_int_equal(journey_format(&given, text), strlen(full_text));
	assert_string_equal(text, full_text);
}

static void test_both_ways(void **state)
{
	const struct journey_step *step = read_back.steps;

	assert_int_equal(journey_parse(&read_back, full_text, strlen(full_text), store), 0);
	assert_int_equal(read_back.end, JOURNEY_IDLE);
	assert_int_equal(read_back.count, 2);
	assert_string_equal(step[0].point, "tracepoint:net:netif_receive_skb");
	assert_int_equal(step[0].ifindex, 2);
	assert_string_equal(step[0].dev, "eth0");
	assert_int_equal(step[0].frames, 2);
	assert_string_equal(read_back.frames[step[0].first_frame + 1], "b c+0x2");
	assert_true(step[1].since_ns == UINT64_MAX && step[1].took_ns == 900 && step[1].pid == 7);
	assert_string_equal(step[1].ret, "-12");
	assert_null(step[1].dev);
	assert_int_equal(read_back.more, 3);
	assert_int_equal(read_back.missing_count, 2);
	assert_true(read_back.unsure);
	assert_int_equal(journey_format(&read_back, text), strlen(full_text));
	assert_string_equal(text, full_text);
}

/* What is as it was in the step before is not said again. */
static void test_what_stays(void **state)
{
	static const char expected[] = "journey=freed step=a,0,0,dev:eth0,ifindex:2,skb:0x10,reason:R step=b,1,0 "
				       "step=c,2,0,dev:eth1,reason:R";

	journey_clear(&given);
	given.end = JOURNEY_FREED;
	given.count = 3;
	for (unsigned i = 0; i < 3; i++)
		given.steps[i] = (struct journey_step){
			.point = (const char *[]){"a", "b", "c"}[i], .since_ns = i, .ifindex = 2, .skb = 16,
			.dev = i == 2 ? "eth1" : "eth0", .reason = i == 1 ? NULL : "R"};
	journey_format(&given, text);
	assert_string_equal(text, expected);
	assert_int_equal(journey_parse(&read_back, text, strlen(text), store), 0);
	assert_string_equal(read_back.steps[1].dev, "eth0");
	assert_string_equal(read_back.steps[2].dev, "eth1");
	assert_int_equal(read_back.steps[2].ifindex, 2);
	assert_true(read_back.steps[2].skb == 16);
	assert_null(read_back.steps[1].reason);
}

/* What does not fit is counted: stacks go first, then the last steps. */
static void test_too_long(void **state)
{
	static char name[256];
	int len;

	memset(name, ' ', sizeof(name) - 1); /* three bytes each */
	journey_clear(&given);
	for (given.count = 0; given.count < JOURNEY_STEPS_MOST; given.count++)
		given.steps[given.count] = (struct journey_step){.point = name, .frames = 1};
	given.frames[0] = name;
	given.frame_count = 1;
	for (; given.missing_count < 10; given.missing_count++)
		given.missing[given.missing_count] = name;
	len = journey_format(&given, text);
	assert_in_range(len, JOURNEY_TEXT_MAX / 2, JOURNEY_TEXT_MAX - 1);
	assert_int_equal(journey_parse(&read_back, text, (size_t)len, store), 0);
	assert_int_equal(read_back.count + read_back.more, JOURNEY_STEPS_MOST);
	assert_in_range(read_back.count, 10, JOURNEY_STEPS_MOST - 1);
	assert_int_equal(read_back.missing_count, 10);
}

static void test_unknown_words(void **state)
{
	static const char newer[] = "journey=freed step=p,1,0,colour:red new=1,2";

	assert_int_equal(journey_parse(&read_back, newer, strlen(newer), store), 0);
	assert_int_equal(read_back.count, 1);
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"journey=",
		"journey=lost",
		"point=x",
		"step=p,0,0",
		"journey=freed step=",
		"journey=freed step=p",
		"journey=freed step=p,1",
		"journey=freed step=p,x,0",
		"journey=freed step=p,0,4294967296",
		"journey=freed step=p,18446744073709551616,0",
		"journey=freed step=p,0,0,dev",
		"journey=freed step=p,0,0,pid:-1",
		"journey=freed step=p%0,0,0",
		"journey=freed stack=a",
		"journey=freed step=p,0,0 stack=a stack=b",
		"journey=freed more=",
		"journey=freed unsure=2",
		"journey=freed UPPER=1",
		"journey=freed  more=1",
		"journey=freed more=1 ",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (journey_parse(&read_back, bad[i], strlen(bad[i]), store) != -EBADMSG)
			fail_msg("\"%s\" is not refused", bad[i]);
}

static void test_too_many(void **state)
{
	size_t len = (size_t)snprintf(text, sizeof(text), "journey=freed");

	for (int i = 0; i < JOURNEY_STEPS_MOST; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, " step=p,0,0");
	assert_int_equal(journey_parse(&read_back, text, len, store), 0);
	len += (size_t)snprintf(text + len, sizeof(text) - len, " step=p,0,0");
	assert_int_equal(journey_parse(&read_back, text, len, store), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),	      cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_what_stays),
		cmocka_unit_test(test_too_long),      cmocka_unit_test(test_unknown_words),
		cmocka_unit_test(test_refuses),	      cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
