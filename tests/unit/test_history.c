/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/history.h"

#define SECOND 1000000000ULL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define START  (1000 * HOUR) /* the boot is long ago, and this is a whole hour */

struct place {
	char directory[32], path[64], bad[80];
	struct history *history;
};

static struct ledger_key key_of(unsigned kind)
{
	return (struct ledger_key){ .location = 0xffffffff81000000 + kind, .netns = 4026531840, .ifindex = 2,
				    .reason = kind % 7, .protocol = 0x0800, .transport = 17, .ports = 1 };
}

static unsigned add(struct history *h, unsigned kind, uint64_t packets, uint64_t at)
{
	const struct history_counts counts = { packets, packets * 100 };
	const struct ledger_key key = key_of(kind);
	bool is_new;

	return history_add(h, &key, &counts, at, &is_new);
}

static uint64_t between(struct history *h, unsigned row, uint64_t since, uint64_t until, uint64_t now)
{
	const struct history_counts counts = history_between(history_row(h, row), since, until, now);

	assert_int_equal(counts.bytes, counts.packets * 100);
	return counts.packets;
}

static struct history *open_at(const char *path, uint64_t now)
{
	struct historyfile file;
	struct history *h;
	char why[256];

	assert_int_equal(historyfile_open(&file, path, now, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	h = history_new(&file);
	assert_non_null(h);
	return h;
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->directory, "/tmp/netcap-history-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	snprintf(p->path, sizeof(p->path), "%s/ledger", p->directory);
	snprintf(p->bad, sizeof(p->bad), "%s.bad", p->path);
	p->history = open_at(p->path, START);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	history_free(p->history);
	unlink(p->path);
	unlink(p->bad);
	rmdir(p->directory);
	free(p);
	return 0;
}

static void reopen(struct place *p, uint64_t now)
{
	history_free(p->history);
	p->history = open_at(p->path, now);
}

/* ---- time ---- */

static void test_spans_of_seconds(void **state)
{
	struct history *h = ((struct place *)*state)->history;
	unsigned row = add(h, 1, 5, START);
	uint64_t now = START + 100 * SECOND;

	assert_int_equal(add(h, 1, 7, START + 10 * SECOND), row);
	add(h, 1, 11, START + 99 * SECOND + 1);
	assert_int_equal(between(h, row, 0, now, now), 23);
	assert_int_equal(between(h, row, START + 1, now, now), 23); /* the second that it is in counts whole */
	assert_int_equal(between(h, row, START + SECOND, now, now), 18);
	assert_int_equal(between(h, row, START + 10 * SECOND, START + 11 * SECOND, now), 7);
	assert_int_equal(between(h, row, START + 11 * SECOND, START + 99 * SECOND, now), 0);
	assert_int_equal(between(h, row, 0, START + 5 * SECOND, now), 5);
	assert_int_equal(between(h, row, 0, START, now), 0);
	assert_int_equal(between(h, row, now, now, now), 0);
	assert_int_equal(history_resolution(START, now), 1);
	/* the time before the first drop has all, however long ago it is */
	assert_int_equal(between(h, row, START - 500 * HOUR, now, now), 23);
}

static void test_spans_of_minutes_and_hours(void **state)
{
	struct history *h = ((struct place *)*state)->history;
	unsigned row = 0;
	uint64_t now = START + 40 * HOUR;

	for (unsigned minute = 0; minute <= 40 * 60; minute++)
		row = add(h, 1, 1, START + minute * MINUTE);
	assert_int_equal(between(h, row, 0, now, now), 40 * 60 + 1);
	assert_int_equal(between(h, row, now - 60 * MINUTE, now, now), 61);
	assert_int_equal(between(h, row, now - 179 * MINUTE, now, now), 180);
	assert_int_equal(between(h, row, now - 100 * MINUTE, now - 90 * MINUTE, now), 10);
	assert_int_equal(between(h, row, now - 20 * HOUR, now, now), 20 * 60 + 1);
	assert_int_equal(between(h, row, now - 30 * HOUR, now - 20 * HOUR, now), 10 * 60);
	assert_int_equal(history_resolution(now - 119 * SECOND, now), 1);
	assert_int_equal(history_resolution(now - 120 * SECOND, now), 60);
	assert_int_equal(history_resolution(now - 179 * MINUTE, now), 60);
	assert_int_equal(history_resolution(now - 180 * MINUTE, now), 3600);
	assert_int_equal(history_resolution(now + HOUR, now), 1);
}

static void test_older_than_the_bins(void **state)
{
	struct history *h = ((struct place *)*state)->history;
	unsigned row = add(h, 1, 3, START);
	uint64_t now = START + 200 * HOUR;

	add(h, 1, 4, now - 47 * HOUR);
	add(h, 1, 5, now);
	assert_int_equal(between(h, row, 0, now + 1, now + 1), 12);
	assert_int_equal(between(h, row, now - 100 * HOUR, now + 1, now + 1), 9);
	assert_int_equal(between(h, row, now - 46 * HOUR, now + 1, now + 1), 5);
}

/* Bins that were used before are empty after a jump of any length. */
static void test_jumps(void **state)
{
	static const uint64_t jumps[] = { 1, 59, 60, 61, 119, 120, 121, 180 * 60, 48 * 3600, 48 * 3600 + 1,
					  1000000 };
	struct history *h = ((struct place *)*state)->history;
	uint64_t at = START;
	unsigned row = 0;

	for (size_t i = 0; i < sizeof(jumps) / sizeof(*jumps); i++) {
		for (unsigned second = 0; second < 300; second++)
			row = add(h, 1, 1000, at + second * SECOND);
		at += (300 + jumps[i]) * SECOND;
		add(h, 1, 1, at);
		assert_int_equal(between(h, row, at, at + 1, at + 1), 1);
		/* as many full seconds as are left of the last two minutes */
		assert_int_equal(between(h, row, at - 119 * SECOND, at + 1, at + 1),
				 1 + (jumps[i] < 119 ? (119 - jumps[i]) * 1000 : 0));
		at += 3000 * HOUR;
	}
}

static void test_time_does_not_go_back(void **state)
{
	struct history *h = ((struct place *)*state)->history;
	unsigned row = add(h, 1, 1, START + 100 * SECOND);
	uint64_t now = START + 101 * SECOND;

	add(h, 1, 2, START + 50 * SECOND);
	assert_int_equal(between(h, row, START + 100 * SECOND, now, now), 3);
	assert_int_equal(history_row(h, row)->last, START + 100 * SECOND);
}

static void test_full_bins_stay_full(void **state)
{
	struct history *h = ((struct place *)*state)->history;
	unsigned row = add(h, 1, UINT32_MAX - 1, START);
	uint64_t now = START + HOUR;

	add(h, 1, 10, START + MINUTE);
	add(h, 2, 1, START);
	assert_int_equal(between(h, row, 0, now, now), UINT32_MAX - 1 + 10ULL);
	assert_int_equal(history_row(h, row)->bin_packets[HISTORYFILE_SECONDS + HISTORYFILE_MINUTES +
							  START / HOUR % HISTORYFILE_HOURS],
			 UINT32_MAX);
	add(h, 1, UINT64_C(1) << 40, START + MINUTE);
	assert_int_equal(history_row(h, row)->packets, UINT32_MAX - 1 + 10ULL + (UINT64_C(1) << 40));
}

static void test_minutes(void **state)
{
	struct history *h = ((struct place *)*state)->history;
	unsigned row = add(h, 1, 1, START);
	uint32_t minutes[30];

	add(h, 1, 2, START + 5 * MINUTE);
	history_minutes(history_row(h, row), START + 29 * MINUTE + 59 * SECOND, minutes, 30);
	assert_int_equal(minutes[0], 1);
	assert_int_equal(minutes[5], 2);
	assert_int_equal(minutes[29], 0);
	history_minutes(history_row(h, row), START + 35 * MINUTE, minutes, 30);
	for (int i = 1; i < 30; i++)
		assert_int_equal(minutes[i], 0);
	assert_int_equal(minutes[0], 0);
	history_minutes(history_row(h, row), START + 300 * MINUTE, minutes, 30);
	for (int i = 0; i < 30; i++)
		assert_int_equal(minutes[i], 0);
}

/* ---- rows ---- */

static uint64_t sum_of_all(struct history *h, uint64_t since, uint64_t until, uint64_t now)
{
	uint64_t sum = between(h, HISTORY_OVERFLOW, since, until, now);

	for (unsigned i = 0; i < history_count(h); i++)
		sum += between(h, i, since, until, now);
	return sum;
}

static void test_idle_rows_give_way(void **state)
{
	struct history *h = ((struct place *)*state)->history;
	uint64_t now = START + 10 * MINUTE;
	unsigned first = add(h, 0, 1000, START), row;

	for (unsigned kind = 1; kind < HISTORYFILE_ROWS; kind++)
		add(h, kind, 1, START + SECOND);
	assert_int_equal(history_row(h, HISTORY_OVERFLOW)->packets, 0);
	add(h, 0, 1, START + MINUTE); /* no longer the one that is idle longest */
	row = add(h, HISTORYFILE_ROWS, 50, START + 2 * MINUTE);
	assert_int_equal(history_count(h), HISTORYFILE_ROWS);
	assert_int_not_equal(row, first);
	assert_int_equal(history_row(h, row)->packets, 50);
	assert_int_equal(history_row(h, HISTORY_OVERFLOW)->packets, 1);
	assert_int_equal(history_row(h, first)->packets, 1001);
	for (unsigned kind = 0; kind < 3 * HISTORYFILE_ROWS; kind++)
		add(h, 100000 + kind, 2, START + 3 * MINUTE);
	assert_int_equal(sum_of_all(h, 0, now, now), 1000 + 1023 + 1 + 50 + 6 * HISTORYFILE_ROWS);
	assert_int_equal(sum_of_all(h, START + MINUTE, now, now), 1 + 50 + 6 * HISTORYFILE_ROWS);
	assert_int_equal(sum_of_all(h, START, START + MINUTE, now), 1000 + 1023);
	assert_int_equal(history_row(h, HISTORY_OVERFLOW)->first, START);
}

static void test_changes(void **state)
{
	struct history *h = ((struct place *)*state)->history;
	const struct history_counts unknown = { 3, 300 };
	unsigned row = add(h, 1, 5, START);

	assert_true(history_has_changes(h));
	add(h, 1, 6, START);
	history_add_overflow(h, &unknown, START);
	assert_int_equal(history_change(h, row)->packets, 11);
	assert_int_equal(history_change(h, HISTORY_OVERFLOW)->packets, 3);
	history_forget_changes(h);
	assert_false(history_has_changes(h));
	assert_int_equal(history_change(h, row)->packets, 0);
	/* what a row had that is gone is the overflow's change, and each is there once */
	for (unsigned round = 0; round < 5; round++)
		for (unsigned kind = 0; kind < HISTORYFILE_ROWS; kind++)
			add(h, 100 + round * HISTORYFILE_ROWS + kind, 1, START + SECOND);
	assert_int_equal(history_change(h, HISTORY_OVERFLOW)->packets, 4 * HISTORYFILE_ROWS);
	assert_int_equal(history_change(h, row)->packets, 1);
	history_forget_changes(h);
	assert_int_equal(history_change(h, HISTORY_OVERFLOW)->packets, 0);
}

/* ---- the file ---- */

static void test_reopened(void **state)
{
	struct place *p = *state;
	unsigned row = add(p->history, 1, 5, START), other = add(p->history, 2, 7, START + SECOND);

	strcpy(history_row(p->history, row)->location, "udp_queue_rcv_skb+0x10");
	reopen(p, START + 2 * SECOND);
	assert_int_equal(history_count(p->history), 2);
	assert_int_equal(history_began(p->history), START);
	assert_string_equal(history_row(p->history, row)->location, "udp_queue_rcv_skb+0x10");
	assert_int_equal(add(p->history, 2, 1, START + 3 * SECOND), other);
	assert_int_equal(between(p->history, other, START, START + 4 * SECOND, START + 4 * SECOND), 8);
	assert_int_equal(access(p->bad, F_OK), -1);
}

/* Not closed, as after a kill: what was written is there. */
static void test_killed(void **state)
{
	struct place *p = *state;
	pid_t child = fork();
	int status;

	if (!child) {
		add(p->history, 1, 5, START);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	reopen(p, START + SECOND);
	assert_int_equal(between(p->history, 0, 0, START + SECOND, START + SECOND), 5);
}

static void overwrite(struct place *p, off_t at, const void *data, size_t size);

/* Killed while a row gave way, it leaves one that is empty: its counts are lost, and nothing else is. */
static void test_killed_as_a_row_gave_way(void **state)
{
	static const struct historyfile_row empty;
	const struct history_counts unknown = { 3, 300 };
	struct place *p = *state;
	uint64_t now = START + MINUTE;

	for (unsigned kind = 0; kind < HISTORYFILE_ROWS; kind++)
		add(p->history, kind, 1, START + SECOND);
	history_add_overflow(p->history, &unknown, START + SECOND);
	overwrite(p, offsetof(struct historyfile_data, row[5]), &empty, sizeof(empty));
	reopen(p, now);
	assert_int_equal(access(p->bad, F_OK), -1);
	assert_int_equal(add(p->history, HISTORYFILE_ROWS, 2, START + 2 * SECOND), 5);
	assert_int_equal(sum_of_all(p->history, 0, now, now), HISTORYFILE_ROWS - 1 + 3 + 2);
	assert_int_equal(history_row(p->history, HISTORY_OVERFLOW)->first, START + SECOND);
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

	add(p->history, 1, 5, START);
	overwrite(p, offsetof(struct historyfile_data, header.boot), "another", 7);
	reopen(p, 5 * SECOND);
	assert_int_equal(history_count(p->history), 0);
	assert_int_equal(history_began(p->history), 5 * SECOND);
	assert_int_equal(access(p->bad, F_OK), -1);
}

static void assert_set_aside(struct place *p)
{
	reopen(p, START + SECOND);
	assert_int_equal(history_count(p->history), 0);
	assert_int_equal(history_began(p->history), START + SECOND);
	assert_int_equal(unlink(p->bad), 0);
}

static void test_damaged(void **state)
{
	static const struct {
		off_t at;
		uint64_t value;
		size_t size;
	} cases[] = {
		{ offsetof(struct historyfile_data, header.magic), 0, 1 },
		{ offsetof(struct historyfile_data, header.version), 2, 4 },
		{ offsetof(struct historyfile_data, header.unit_bytes), 8, 4 },
		{ offsetof(struct historyfile_data, header.units), 1 << 20, 4 },
		{ offsetof(struct historyfile_data, count), HISTORYFILE_ROWS + 1, 8 },
		{ offsetof(struct historyfile_data, count), UINT64_MAX, 8 },
		{ offsetof(struct historyfile_data, began), START * 2, 8 },
		{ offsetof(struct historyfile_data, row[0].last), START * 2, 8 },
		{ offsetof(struct historyfile_data, row[0].first), START * 2, 8 },
		{ offsetof(struct historyfile_data, row[0].second), UINT64_MAX, 8 },
		{ offsetof(struct historyfile_data, overflow.second), UINT64_MAX, 8 },
	};
	struct place *p = *state;
	char text[HISTORYFILE_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		add(p->history, 1, 5, START + SECOND);
		overwrite(p, cases[i].at, &cases[i].value, cases[i].size);
		assert_set_aside(p);
	}
	memset(text, 'x', sizeof(text));
	add(p->history, 1, 5, START + SECOND);
	overwrite(p, offsetof(struct historyfile_data, row[0].location), text, sizeof(text));
	assert_set_aside(p);
}

static void test_torn(void **state)
{
	static const off_t sizes[] = { 1, 100, sizeof(struct historyfile_data) - 1,
				       sizeof(struct historyfile_data) + 1 };
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		history_free(p->history);
		p->history = NULL;
		assert_int_equal(truncate(p->path, sizes[i]), 0);
		assert_set_aside(p);
	}
}

/* Memory that ends with the daemon, and a sentence that says so. */
static void assert_no_file(const char *path, const char *part)
{
	struct historyfile file;
	char why[256];

	assert_int_equal(historyfile_open(&file, path, START, why, sizeof(why)), 0);
	assert_non_null(strstr(why, part));
	assert_int_equal(file.file.fd, -1);
	assert_int_equal(file.data->count, 0);
	historyfile_close(&file);
}

static void test_no_file(void **state)
{
	struct place *p = *state;

	assert_no_file(p->path, "another netcapd");
	assert_no_file("/nosuch/ledger", "No such file");
	history_free(p->history);
	p->history = NULL;
	unlink(p->path);
	assert_int_equal(symlink("/etc/hostname", p->path), 0);
	assert_no_file(p->path, "ledger");
	unlink(p->path);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	assert_no_file(p->path, "ledger");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_spans_of_seconds),
		TEST(test_spans_of_minutes_and_hours),
		TEST(test_older_than_the_bins),
		TEST(test_jumps),
		TEST(test_time_does_not_go_back),
		TEST(test_full_bins_stay_full),
		TEST(test_minutes),
		TEST(test_idle_rows_give_way),
		TEST(test_changes),
		TEST(test_reopened),
		TEST(test_killed),
		TEST(test_killed_as_a_row_gave_way),
		TEST(test_another_boot),
		TEST(test_damaged),
		TEST(test_torn),
		TEST(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
