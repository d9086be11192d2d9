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

#include "meta.h"

static const struct meta drop = {
	.point = "tracepoint:skb:kfree_skb",
	.reason = "NETFILTER_DROP",
	.location = "nf_hook_slow+0xa3",
	.ret = "-12",
	.took_ns = 18446744073709551615u,
	.dev = "eth0",
	.comm = "nc -l, 50%=",
	.link = "ethernet",
	.tunnel = "vxlan",
	.made = "ip-length+udp",
	.track = 17,
	.ifindex = 2,
	.netns = 4026531840u,
	.cpu = 1,
	.pid = 4711,
	.tid = 4712,
	.mark = 0xdeadbeef,
	.protocol = 0x86dd,
	.skb = 0xffff888012345600,
	.partial = 1,
	.frames = 2,
	.stack = {"kfree_skb_reason+0x1", "nf_hook_slow+0xa3"},
};

static const char drop_text[] =
	"point=tracepoint:skb:kfree_skb reason=NETFILTER_DROP location=nf_hook_slow+0xa3 ret=-12 "
	"took_ns=18446744073709551615 dev=eth0 ifindex=2 netns=4026531840 cpu=1 pid=4711 tid=4712 comm=nc%20-l%2C%2050%25%3D "
	"mark=0xdeadbeef protocol=0x86dd skb=0xffff888012345600 link=ethernet tunnel=vxlan made=ip-length+udp partial=1 "
	"stack=kfree_skb_reason+0x1,nf_hook_slow+0xa3 track=17";

static void assert_same_text(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void assert_same(const struct meta *a, const struct meta *b)
{
	assert_same_text(a->point, b->point);
	assert_same_text(a->reason, b->reason);
	assert_same_text(a->location, b->location);
	assert_same_text(a->ret, b->ret);
	assert_true(a->took_ns == b->took_ns);
	assert_same_text(a->dev, b->dev);
	assert_same_text(a->comm, b->comm);
	assert_same_text(a->link, b->link);
	assert_same_text(a->tunnel, b->tunnel);
	assert_same_text(a->made, b->made);
	assert_int_equal(a->track, b->track);
	assert_int_equal(a->ifindex, b->ifindex);
	assert_int_equal(a->netns, b->netns);
	assert_int_equal(a->cpu, b->cpu);
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->tid, b->tid);
	assert_int_equal(a->mark, b->mark);
	assert_int_equal(a->protocol, b->protocol);
	assert_true(a->skb == b->skb);
	assert_int_equal(a->partial, b->partial);
	assert_int_equal(a->frames, b->frames);
	for (unsigned i = 0; i < a->frames; i++)
		assert_string_equal(a->stack[i], b->stack[i]);
}

static int parse(struct meta *m, const char *text)
{
	static char store[META_TEXT_MAX];

	return meta_parse(m, text, strlen(text), store, sizeof(store));
}

static void test_format(void **state)
{
	const struct meta small = {.point = "p"};
	char text[META_TEXT_MAX];

	assert_int_equal(meta_format(&drop, text, sizeof(text)), sizeof(drop_text) - 1);
	assert_string_equal(text, drop_text);
	assert_true(meta_format(&small, text, sizeof(text)) > 0);
	assert_string_equal(text, "point=p cpu=0 pid=0 tid=0");
}

static void test_format_escapes_every_other_byte(void **state)
{
	char text[META_TEXT_MAX], all[256], want[16];
	const struct meta m = {.point = all};
	const char *at = text + strlen("point=");

	for (int c = 1; c < 256; c++)
		all[c - 1] = (char)c;
	all[255] = '\0';
	assert_true(meta_format(&m, text, sizeof(text)) > 0);
	for (int c = 1; c < 256; c++) {
		if (c > ' ' && c < 127 && !strchr("%,=", c))
			snprintf(want, sizeof(want), "%c", c);
		else
			snprintf(want, sizeof(want), "%%%02X", (unsigned)c);
		assert_memory_equal(at, want, strlen(want));
		at += strlen(want);
	}
}

static void test_format_refuses_what_does_not_fit(void **state)
{
	char text[sizeof(drop_text)];

	assert_int_equal(meta_format(&drop, text, sizeof(text)), sizeof(drop_text) - 1);
	for (size_t size = 0; size < sizeof(drop_text); size++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(meta_format(&drop, text, size), -ENOBUFS);
		assert_int_equal(text[size], 'x');
	}
}

static void test_format_refuses_bad_metadata(void **state)
{
	struct meta m = {.point = "p", .frames = META_MAX_FRAMES + 1};
	char text[META_TEXT_MAX];

	assert_int_equal(meta_format(&m, text, sizeof(text)), -EINVAL);
	m = (struct meta){.dev = "lo"};
	assert_int_equal(meta_format(&m, text, sizeof(text)), -EINVAL);
}

static void test_round_trip(void **state)
{
	struct meta m;

	assert_int_equal(parse(&m, drop_text), 0);
	assert_same(&m, &drop);
}

static void test_round_trip_of_extremes(void **state)
{
	char text[META_TEXT_MAX];
	struct meta m, in = {
		.point = "", .comm = "\x01\xff\xc3\xa9\x1b[31m", .ifindex = UINT32_MAX,
		.netns = UINT32_MAX, .cpu = UINT32_MAX, .pid = UINT32_MAX, .tid = UINT32_MAX,
		.mark = UINT32_MAX, .protocol = UINT16_MAX, .skb = UINT64_MAX, .partial = UINT8_MAX,
		.frames = META_MAX_FRAMES,
	};

	for (unsigned i = 0; i < META_MAX_FRAMES; i++)
		in.stack[i] = i % 3 ? "tcp_v4_rcv+0x1f" : "";
	assert_true(meta_format(&in, text, sizeof(text)) > 0);
	assert_int_equal(parse(&m, text), 0);
	assert_same(&m, &in);
}

static void test_parse_skips_unknown_fields(void **state)
{
	struct meta m;

	assert_int_equal(parse(&m, "x=1 point=p new_2=a,b,%2C,,c cpu=3 y="), 0);
	assert_string_equal(m.point, "p");
	assert_int_equal(m.cpu, 3);
	assert_null(m.dev);
	assert_int_equal(m.frames, 0);
}

static void test_parse_takes_either_base(void **state)
{
	struct meta m;

	assert_int_equal(parse(&m, "point=p ifindex=0x1f skb=18446744073709551615 mark=10"), 0);
	assert_int_equal(m.ifindex, 31);
	assert_true(m.skb == UINT64_MAX);
	assert_int_equal(m.mark, 10);
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = {
		"", " ", "point", "=", "=p", "dev=lo", "point=p ", " point=p", "point=p  cpu=1",
		"Point=p", "point=p 1a=b", "point=p _a=b", "point=p a-b=c", "point=p x",
		"point=a=b", "point=a,b", "point=p x=a=b", "point=a\tb", "point=\xc3\xa9",
		"point=%", "point=%4", "point=%4g", "point=%2c", "point=%00", "point=a\x7f",
		"point=p x=%zz", "point=p x=a\x01", "point=p point=p", "point=p stack=a stack=b",
		"point=p cpu=", "point=p cpu=-1", "point=p cpu=+1", "point=p cpu=1a",
		"point=p cpu=0x", "point=p cpu=0xG", "point=p cpu=0xAB", "point=p cpu=a",
		"point=p cpu=4294967296", "point=p cpu=0x100000000", "point=p protocol=65536",
		"point=p partial=256", "point=p skb=18446744073709551616",
		"point=p skb=0x10000000000000000", "point=p cpu=99999999999999999999999999",
	};
	struct meta m;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(&m, bad[i]) != -EBADMSG)
			fail_msg("\"%s\" was not refused", bad[i]);
	}
}

static void test_parse_refuses_nul(void **state)
{
	char store[META_TEXT_MAX];
	struct meta m;

	assert_int_equal(meta_parse(&m, "point=a\0b", 9, store, sizeof(store)), -EBADMSG);
	assert_int_equal(meta_parse(&m, "point=%0\0", 9, store, sizeof(store)), -EBADMSG);
}

static void test_parse_refuses_too_many_frames(void **state)
{
	char text[META_TEXT_MAX] = "point=p stack=f";
	struct meta m;

	for (int i = 1; i < META_MAX_FRAMES; i++)
		strcat(text, ",f");
	assert_int_equal(parse(&m, text), 0);
	assert_int_equal(m.frames, META_MAX_FRAMES);
	strcat(text, ",f");
	assert_int_equal(parse(&m, text), -EBADMSG);
}

/* The store is allocated to the byte, for the address sanitizer to watch. */
static void test_parse_needs_its_store(void **state)
{
	size_t need = 0;
	struct meta m;
	int ret;

	do {
		char *store = malloc(need ? need : 1);

		assert_non_null(store);
		ret = meta_parse(&m, drop_text, strlen(drop_text), store, need);
		if (ret == 0)
			assert_same(&m, &drop);
		else
			assert_int_equal(ret, -ENOBUFS);
		free(store);
		need++;
	} while (ret && need < META_TEXT_MAX);
	assert_true(need < sizeof(drop_text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_escapes_every_other_byte),
		cmocka_unit_test(test_format_refuses_what_does_not_fit),
		cmocka_unit_test(test_format_refuses_bad_metadata),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_of_extremes),
		cmocka_unit_test(test_parse_skips_unknown_fields),
		cmocka_unit_test(test_parse_takes_either_base),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_refuses_nul),
		cmocka_unit_test(test_parse_refuses_too_many_frames),
		cmocka_unit_test(test_parse_needs_its_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
