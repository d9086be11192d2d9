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

#include "daemon/comments.h"

#define SKB 0xffff888012345600

static char point[META_TEXT_MAX] = "tracepoint:skb:kfree_skb";

static struct netcap_record first_record(void)
{
	return (struct netcap_record){ .skb = SKB, .location = 0xffffffff81000000, .point = 3,
				       .ifindex = 2, .netns = 4026531840, .cpu = 1, .pid = 10, .tid = 11,
				       .protocol = 0x0800, .dev = "eth0", .comm = "a skb=0x1" };
}

/* As describe_record() does, near enough. */
static struct meta describe(const struct netcap_record *r)
{
	static char location[32];

	snprintf(location, sizeof(location), "0x%llx", (unsigned long long)r->location);
	return (struct meta){ .point = point, .location = location, .dev = r->dev, .comm = r->comm, .link = "ethernet",
			      .ifindex = r->ifindex, .netns = r->netns, .cpu = r->cpu, .pid = r->pid,
			      .tid = r->tid, .mark = r->mark, .protocol = r->protocol, .skb = r->skb,
			      .track = r->track };
}

static void assert_is(const struct comment *comment, const struct netcap_record *r)
{
	const struct meta m = describe(r);
	char text[META_TEXT_MAX];

	assert_non_null(comment);
	assert_int_equal(comment->len, meta_format(&m, text, sizeof(text)));
	assert_memory_equal(comment->text, text, comment->len);
}

static void make(struct comments *c, const struct netcap_record *r)
{
	const struct meta m = describe(r);

	assert_is(comments_make(c, r, &m), r);
}

static int set_up(void **state)
{
	strcpy(point, "tracepoint:skb:kfree_skb");
	*state = comments_new();
	assert_non_null(*state);
	return 0;
}

static int tear_down(void **state)
{
	comments_free(*state);
	return 0;
}

static void test_same_but_skb(void **state)
{
	struct netcap_record r = first_record();

	assert_null(comments_find(*state, &r));
	make(*state, &r);
	assert_is(comments_find(*state, &r), &r);
	r.skb = 0xfedcba9876543210;
	r.time_ns = 7;
	r.cap_len = r.wire_len = 60;
	assert_is(comments_find(*state, &r), &r);
}

/* The number at the end is as long as it is. */
static void test_same_but_track(void **state)
{
	static const uint64_t numbers[] = { 7, 4711, UINT64_MAX, 0, 12 };
	struct netcap_record r = first_record();

	make(*state, &r);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		r.track = numbers[i];
		assert_is(comments_find(*state, &r), &r);
	}
	r.mark = 3;
	r.track = 100;
	make(*state, &r);
	r.track = 0;
	assert_is(comments_find(*state, &r), &r);
}

/* Each byte of the head that a comment may come from counts. */
static void test_any_difference(void **state)
{
	const struct netcap_record r = first_record();

	make(*state, &r);
	for (size_t i = offsetof(struct netcap_record, location); i < offsetof(struct netcap_record, track); i++) {
		struct netcap_record other = r;

		if (i == offsetof(struct netcap_record, wire_len))
			i = offsetof(struct netcap_record, point);
		((uint8_t *)&other)[i] ^= 1;
		assert_null(comments_find(*state, &other));
	}
	assert_is(comments_find(*state, &r), &r);
}

/* Of so many, some have the place of the first one, where only a comparison tells them apart. */
static void test_other_locations(void **state)
{
	struct netcap_record r = first_record(), other = r;

	make(*state, &r);
	for (int i = 1; i <= 8192; i++) {
		other.location = r.location + 16 * i;
		assert_null(comments_find(*state, &other));
	}
	assert_is(comments_find(*state, &r), &r);
}

/* What is not in the head of a record, or is not as long as the other's, is written each time. */
static void test_never_kept(void **state)
{
	static const uint8_t flags[] = { NETCAP_F_STACK, NETCAP_F_CALL };
	struct netcap_record r = first_record();

	for (size_t i = 0; i < sizeof(flags); i++) {
		r.flags = flags[i];
		make(*state, &r);
		assert_null(comments_find(*state, &r));
	}
	r = first_record();
	r.skb = 0x0fff888012345600;
	make(*state, &r);
	assert_null(comments_find(*state, &r));
	r.skb = SKB;
	make(*state, &r);
	r.skb = 0;
	assert_null(comments_find(*state, &r));
}

static void test_long(void **state)
{
	const struct netcap_record r = first_record();

	for (size_t len = 1; len < 1000; len++) {
		struct comments *c = comments_new();
		const struct comment *found;

		assert_non_null(c);
		memset(point, 'p', len);
		point[len] = '\0';
		make(c, &r);
		found = comments_find(c, &r);
		if (len < 100 || found)
			assert_is(found, &r);
		comments_free(c);
	}
}

/* Metadata that has no text is an empty comment, and nothing that is kept. */
static void test_no_text(void **state)
{
	const struct netcap_record r = first_record();
	const struct meta m = { .dev = "lo" };

	assert_int_equal(comments_make(*state, &r, &m)->len, 0);
	assert_null(comments_find(*state, &r));
}

/* More kinds of packets than are kept: what is found is right all the same, and some is found. */
static void test_many(void **state)
{
	unsigned found = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		struct netcap_record r = first_record();
		const struct comment *comment;

		r.skb += i * 256;
		r.tid = i % 7;
		r.cpu = i % 3;
		r.mark = i / 1000;
		r.ifindex = i % 11;
		comment = comments_find(*state, &r);
		found += comment != NULL;
		if (comment)
			assert_is(comment, &r);
		else
			make(*state, &r);
	}
	assert_true(found > 0);
}

static void test_shorter_stack(void **state)
{
	char name[200], text[META_TEXT_MAX];
	struct meta m = { .point = "p", .frames = META_MAX_FRAMES };

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (unsigned i = 0; i < META_MAX_FRAMES; i++)
		m.stack[i] = name;
	assert_int_equal(meta_format(&m, text, sizeof(text)), -ENOBUFS);
	assert_true(comments_format(&m, text, sizeof(text)) > META_MAX_FRAMES / 2 * 199);
	assert_int_equal(m.frames, META_MAX_FRAMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_but_skb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_same_but_track, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_locations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_never_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shorter_stack, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
