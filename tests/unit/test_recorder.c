/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/recorder.h"

#define SECOND   1000000000ULL
#define START    (1000 * SECOND)
#define FOREVER  UINT64_MAX
#define LOCATION 0xffffffff81000000
#define MANY     6000 /* samples, more than the ring holds */

struct place {
	char directory[40], path[64], bad[80];
	struct recorder *recorder;
};

union sample {
	struct netcap_record record;
	uint8_t bytes[LEDGER_SAMPLE_RECORD];
};

/* A sample of a place; number makes its time, size and bytes. */
static void make(union sample *s, unsigned location, unsigned number)
{
	uint8_t *data = s->bytes + sizeof(s->record) + NETCAP_STACK_FRAMES * sizeof(uint64_t);

	memset(s, 0xee, sizeof(*s));
	s->record.time_ns = START + number;
	s->record.location = LOCATION + location;
	s->record.reason = 3;
	s->record.netns = 7;
	s->record.ifindex = 2;
	s->record.link = NETCAP_LINK_RAW;
	s->record.flags = NETCAP_F_STACK;
	s->record.stack_bytes = number % 20 * sizeof(uint64_t);
	s->record.cap_len = number % (LEDGER_SAMPLE_BYTES + 1);
	for (unsigned i = 0; i < s->record.stack_bytes / sizeof(uint64_t); i++)
		s->record.stack[i] = LOCATION + number + i;
	for (unsigned i = 0; i < s->record.cap_len; i++)
		data[i] = number + i;
}

static void add(struct recorder *r, unsigned location, unsigned number)
{
	union sample s;

	make(&s, location, number);
	recorder_add(r, &s.record);
}

/* What was seen: numbers, with what is between. */
struct seen {
	unsigned location; /* only of this one */
	unsigned count, first, last;
};

static bool see(void *arg, const struct netcap_record *r)
{
	struct seen *seen = arg;
	const uint8_t *data = (const uint8_t *)(r->stack + NETCAP_STACK_FRAMES);
	unsigned number = r->time_ns - START;
	union sample s;

	make(&s, r->location - LOCATION, number);
	assert_memory_equal(r, &s.record, sizeof(*r));
	assert_memory_equal(r->stack, s.record.stack, r->stack_bytes);
	assert_memory_equal(data, s.record.stack + NETCAP_STACK_FRAMES, r->cap_len);
	if (r->location - LOCATION != seen->location)
		return true;
	assert_true(!seen->count || number > seen->last);
	if (!seen->count++)
		seen->first = number;
	seen->last = number;
	return true;
}

static struct seen look(const struct recorder *r, unsigned location)
{
	struct seen seen = { .location = location };

	recorder_each(r, 0, FOREVER, see, &seen);
	return seen;
}

static size_t count_between(const struct recorder *r, uint64_t since, uint64_t until)
{
	struct seen seen = { .location = ~0U };

	return recorder_each(r, since, until, see, &seen);
}

static struct recorder *open_at(const char *path, uint64_t now)
{
	char why[256];
	struct recorder *r = recorder_new(path, now, why, sizeof(why));

	assert_non_null(r);
	assert_string_equal(why, "");
	return r;
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->directory, "/tmp/netcap-recorder-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	snprintf(p->path, sizeof(p->path), "%s/samples", p->directory);
	snprintf(p->bad, sizeof(p->bad), "%s.bad", p->path);
	p->recorder = open_at(p->path, START);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	recorder_free(p->recorder);
	unlink(p->path);
	unlink(p->bad);
	rmdir(p->directory);
	free(p);
	return 0;
}

static void reopen(struct place *p, uint64_t now)
{
	recorder_free(p->recorder);
	p->recorder = open_at(p->path, now);
}

static void test_order(void **state)
{
	struct place *p = *state;

	add(p->recorder, 0, 1);
	add(p->recorder, 0, 2);
	add(p->recorder, 1, 3);
	add(p->recorder, 0, 4);
	assert_int_equal(count_between(p->recorder, 0, FOREVER), 4);
	assert_int_equal(count_between(p->recorder, START + 2, START + 3), 2);
	assert_int_equal(count_between(p->recorder, START + 5, FOREVER), 0);
	assert_int_equal(look(p->recorder, 0).count, 3);
	assert_int_equal(look(p->recorder, 1).first, 3);
}

/* The oldest give way, but the first of each place stays. */
static void test_wrap(void **state)
{
	struct place *p = *state;
	struct seen seen;

	add(p->recorder, 1, 0);
	add(p->recorder, 1, 1);
	for (unsigned i = 2; i < MANY; i++)
		add(p->recorder, 0, i);
	seen = look(p->recorder, 1);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.first, 0);
	seen = look(p->recorder, 0);
	assert_int_equal(seen.first, 2);
	assert_int_equal(seen.last, MANY - 1);
	assert_in_range(seen.count, 2000, MANY / 2);
	reopen(p, START + MANY);
	assert_int_equal(look(p->recorder, 0).count, seen.count);
	assert_int_equal(look(p->recorder, 1).count, 1);
}

/* When the room for firsts is full, those of more places are as any others. */
static void test_more_places_than_room(void **state)
{
	struct place *p = *state;

	for (unsigned i = 0; i < MANY; i++)
		add(p->recorder, i, i);
	assert_int_equal(look(p->recorder, 0).count, 1);
	assert_int_equal(look(p->recorder, MANY - 1).count, 1);
	assert_int_equal(look(p->recorder, MANY / 2).count, 0);
}

static void test_no_sample(void **state)
{
	struct place *p = *state;
	union sample s;

	make(&s, 0, 1);
	s.record.stack_bytes = NETCAP_STACK_FRAMES * sizeof(uint64_t) + 8;
	recorder_add(p->recorder, &s.record);
	make(&s, 0, 1);
	s.record.cap_len = LEDGER_SAMPLE_BYTES + 1;
	recorder_add(p->recorder, &s.record);
	make(&s, 0, 1);
	s.record.flags = 0;
	recorder_add(p->recorder, &s.record);
	assert_int_equal(count_between(p->recorder, 0, FOREVER), 0);
}

static bool stop_at_once(void *arg, const struct netcap_record *r)
{
	return false;
}

static void test_stop(void **state)
{
	struct place *p = *state;

	add(p->recorder, 0, 1);
	assert_int_equal(recorder_each(p->recorder, 0, FOREVER, stop_at_once, NULL), 0);
}

static void test_copy(void **state)
{
	struct place *p = *state;
	struct recorder *copy;

	for (unsigned i = 0; i < MANY; i++)
		add(p->recorder, 0, i);
	copy = recorder_copy(p->recorder);
	add(p->recorder, 0, MANY);
	assert_int_equal(look(copy, 0).last, MANY - 1);
	assert_int_equal(look(p->recorder, 0).last, MANY);
	recorder_free(copy);
}

static void test_latest(void **state)
{
	static const char packet[] = "\x45\0\0\x28\0\x01\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02\x13\x88\0\x50";
	struct place *p = *state;
	struct ledger_key key = { .location = LOCATION, .reason = 3, .netns = 7, .ifindex = 2 };
	struct droplog_sample sample;
	struct sample_text text;
	union sample s;

	assert_false(recorder_latest(p->recorder, &key, NULL, &text, &sample));
	add(p->recorder, 0, 1);
	make(&s, 0, 2);
	s.record.cap_len = sizeof(packet) - 1;
	memcpy(s.record.stack + NETCAP_STACK_FRAMES, packet, sizeof(packet) - 1);
	recorder_add(p->recorder, &s.record);
	add(p->recorder, 1, 3);
	assert_true(recorder_latest(p->recorder, &key, NULL, &text, &sample));
	assert_string_equal(sample.flow, "10.0.0.1:5000 > 10.0.0.2:80 udp");
	assert_string_equal(sample.stack, "");
	key.ifindex = 3;
	assert_false(recorder_latest(p->recorder, &key, NULL, &text, &sample));
}

/* Killed at any moment, it leaves what can be read. */
static void test_killed(void **state)
{
	struct place *p = *state;

	recorder_free(p->recorder);
	p->recorder = NULL;
	for (int turn = 0; turn < 20; turn++) {
		pid_t child = fork();
		struct recorder *r;

		if (!child) {
			r = open_at(p->path, FOREVER);
			for (unsigned i = 0;; i++)
				add(r, i % 50, i);
		}
		usleep(2000 + 700 * turn);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		r = open_at(p->path, FOREVER);
		assert_int_equal(access(p->bad, F_OK), -1);
		recorder_free(r);
	}
}

static void overwrite(struct place *p, off_t at, const void *data, size_t size)
{
	int fd = open(p->path, O_RDWR);

	assert_int_equal(pwrite(fd, data, size, at), size);
	close(fd);
}

static void test_another_boot(void **state)
{
	struct place *p = *state;

	add(p->recorder, 0, 1);
	overwrite(p, offsetof(struct recorder_data, header.boot), "another", 7);
	reopen(p, START + SECOND);
	assert_int_equal(count_between(p->recorder, 0, FOREVER), 0);
	assert_int_equal(access(p->bad, F_OK), -1);
}

/* What lies of the first sample at this place in its record. */
#define OF_FIRST(member) \
	(offsetof(struct recorder_data, firsts) + offsetof(struct recorder_entry, record) + \
	 offsetof(struct netcap_record, member))

static void test_damaged(void **state)
{
	static const struct {
		off_t at;
		uint64_t value;
		size_t size;
	} damages[] = {
		{ offsetof(struct recorder_data, header.magic), 0, 1 },
		{ offsetof(struct recorder_data, header.version), 9, 4 },
		{ offsetof(struct recorder_data, header.units), 9, 4 },
		{ offsetof(struct recorder_data, firsts_bytes), 8, 8 },
		{ offsetof(struct recorder_data, firsts_bytes), UINT64_MAX, 8 },
		{ offsetof(struct recorder_data, firsts_bytes), RECORDER_FIRSTS_BYTES + 8, 8 },
		{ offsetof(struct recorder_data, head), UINT64_MAX - 7, 8 },
		{ offsetof(struct recorder_data, head), 4, 8 },
		{ offsetof(struct recorder_data, head), RECORDER_RING_BYTES + 8, 8 },
		{ offsetof(struct recorder_data, tail), 1ULL << 40, 8 },
		{ offsetof(struct recorder_data, tail), 16, 8 },
		{ offsetof(struct recorder_data, firsts), 0, 8 },
		{ offsetof(struct recorder_data, firsts), 8, 8 },
		{ offsetof(struct recorder_data, firsts), UINT64_MAX - 7, 8 },
		{ offsetof(struct recorder_data, ring), 0, 8 },
		{ OF_FIRST(stack_bytes), 0xfff8, 2 },
		{ OF_FIRST(stack_bytes), 3, 2 },
		{ OF_FIRST(cap_len), 1000, 4 },
		{ OF_FIRST(time_ns), START * 2, 8 },
		{ OF_FIRST(flags), 0, 1 },
		{ OF_FIRST(link), 77, 1 },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		add(p->recorder, 0, 1);
		add(p->recorder, 0, 2);
		overwrite(p, damages[i].at, &damages[i].value, damages[i].size);
		reopen(p, START + SECOND);
		assert_int_equal(count_between(p->recorder, 0, FOREVER), 0);
		assert_int_equal(unlink(p->bad), 0);
	}
}

/* Whatever is in the file: it is taken or set aside, and then holds samples. */
static void test_any_damage(void **state)
{
	struct place *p = *state;

	srandom(1);
	for (int turn = 0; turn < 100; turn++) {
		uint64_t value = (random() % 2 ? (uint64_t)random() << 33 : 0) | (uint64_t)random();
		off_t at = random() % 3 ? offsetof(struct recorder_data, firsts) + random() % 2000 :
					  offsetof(struct recorder_data, ring) + random() % 2000;
		union sample s;

		for (unsigned i = 0; i < 30; i++) {
			make(&s, i % 5, i);
			recorder_add(p->recorder, &s.record);
		}
		overwrite(p, at, &value, sizeof(value));
		reopen(p, FOREVER);
		make(&s, 4, 40);
		recorder_add(p->recorder, &s.record);
		assert_true(recorder_each(p->recorder, 0, FOREVER, stop_at_once, NULL) == 0);
		unlink(p->bad);
	}
}

static void test_no_file(void **state)
{
	char why[256];
	struct recorder *r = recorder_new("/nowhere/samples", START, why, sizeof(why));

	assert_non_null(r);
	assert_non_null(strstr(why, "/nowhere/samples"));
	add(r, 0, 1);
	assert_int_equal(count_between(r, 0, FOREVER), 1);
	recorder_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_more_places_than_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_sample, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_latest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_boot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_damage, set_up, tear_down),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
