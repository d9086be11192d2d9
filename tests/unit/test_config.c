/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/config.h"
#include "daemon/configfile.h"
#include "daemon/roles.h"

/* A directory of this test's own is the working directory: paths are short. */
#define FILE_NAME "netcapd.json"
#define DROPINS   FILE_NAME ".d"

static char directory[] = "/tmp/netcap-test-XXXXXX";

static int enter_directory(void **state)
{
	return mkdtemp(directory) && !chdir(directory) ? 0 : -1;
}

static int leave_directory(void **state)
{
	return chdir("/") || rmdir(directory) ? -1 : 0;
}

static int remove_files(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s/*", directory);
	return system(command);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int load(struct config *c, struct config_error *e)
{
	const struct config_source source = {.path = FILE_NAME, .required = true};

	return config_load(c, &source, e);
}

static struct config load_good(void)
{
	struct config_error e;
	struct config c;

	if (load(&c, &e))
		fail_msg("%s", e.why);
	assert_string_equal(e.why, "");
	return c;
}

static struct config load_text(const char *text)
{
	write_file(FILE_NAME, text);
	return load_good();
}

/* part: of the sentence, which begins with the file. */
static void check_bad(int expected, const char *field, const char *part)
{
	struct config_error e;
	struct config c;

	assert_int_equal(load(&c, &e), expected);
	assert_string_equal(e.field, field);
	if (strncmp(e.why, FILE_NAME, strlen(FILE_NAME)) || !strstr(e.why, part))
		fail_msg("\"%s\" is not in: %s", part, e.why);
}

static void check_refused(const char *text, const char *field, const char *part)
{
	write_file(FILE_NAME, text);
	check_bad(-EINVAL, field, part);
}

static void test_defaults(void **state)
{
	const struct config_source nothing = {}, missing = {.path = "nosuch.json"};
	struct config_error e;
	struct config c;

	assert_int_equal(config_load(&c, &nothing, &e), 0);
	assert_true(c.ledger && c.journal.drops && !c.metrics.enabled);
	assert_int_equal(c.journal.interval, 60);
	assert_int_equal(c.journal.lines_per_minute, 60);
	assert_int_equal(c.journal.threshold, 1);
	assert_int_equal(c.journal.ignore.count, 0);
	assert_int_equal(c.limits.connections, QUOTA_CONNECTIONS);
	assert_int_equal(c.limits.connections_uid, QUOTA_CONNECTIONS_UID);
	assert_int_equal(c.limits.sessions, QUOTA_SESSIONS);
	assert_int_equal(c.limits.sessions_uid, QUOTA_SESSIONS_UID);
	assert_int_equal(c.limits.points, QUOTA_POINTS);
	assert_int_equal(c.limits.points_uid, QUOTA_POINTS_UID);
	assert_int_equal(c.limits.ring_bytes, QUOTA_RINGS);
	assert_int_equal(c.limits.ring_bytes_uid, QUOTA_RINGS_UID);
	assert_int_equal(c.rules.count, 0);
	config_clear(&c);
	assert_int_equal(config_load(&c, &missing, &e), 0);
	assert_true(c.ledger);
	config_clear(&c);
	config_clear(NULL);
}

static void test_all_members(void **state)
{
	struct config c = load_text(
	    "// all of it\n"
	    "{\"ledger\": false, /* no */\n"
	    " \"journal\": {\"drops\": false, \"interval\": 86400, \"linesPerMinute\": 1,\n"
	    "  \"threshold\": 1000, \"ignore\": [\"NO_SOCKET\", \"*@icmp_rcv\", \"A@b@eth*\"]},\n"
	    " \"limits\": {\"connections\": 9, \"connectionsPerUser\": 1, \"sessions\": 2,\n"
	    "  \"sessionsPerUser\": 3, \"tracePoints\": 4, \"tracePointsPerUser\": 5,\n"
	    "  \"ringBytes\": 65536, \"ringBytesPerUser\": 8589934592},\n"
	    " \"roles\": {\"admin\": [\"root\"], \"capturer\": [\"@root\"], \"observer\": []},\n"
	    " \"metrics\": {\"enabled\": true}}\n");

	assert_false(c.ledger);
	assert_false(c.journal.drops);
	assert_int_equal(c.journal.interval, 86400);
	assert_int_equal(c.journal.lines_per_minute, 1);
	assert_int_equal(c.journal.threshold, 1000);
	assert_int_equal(c.journal.ignore.count, 3);
	assert_string_equal(c.journal.ignore.items[2], "A@b@eth*");
	assert_int_equal(c.limits.connections, 9);
	assert_int_equal(c.limits.connections_uid, 1);
	assert_int_equal(c.limits.sessions, 2);
	assert_int_equal(c.limits.sessions_uid, 3);
	assert_int_equal(c.limits.points, 4);
	assert_int_equal(c.limits.points_uid, 5);
	assert_int_equal(c.limits.ring_bytes, 65536);
	assert_int_equal(c.limits.ring_bytes_uid, 8589934592);
	assert_int_equal(c.rules.count, 2);
	assert_true(c.metrics.enabled);
	config_clear(&c);
}

/* What is written out is read again as the same. */
static void test_to_json(void **state)
{
	struct config c = load_text("{\"journal\":{\"ignore\":[\"A\"],\"interval\":99},"
				    "\"roles\":{\"observer\":[\"@77\"]}}");
	struct json_object *first = config_to_json(&c), *second;

	config_clear(&c);
	c = load_text(json_object_to_json_string(first));
	second = config_to_json(&c);
	assert_true(json_object_equal(first, second));
	assert_non_null(strstr(json_object_to_json_string(first), "\"ringBytesPerUser\""));
	assert_int_equal(c.journal.interval, 99);
	json_object_put(first);
	json_object_put(second);
	config_clear(&c);
}

static void test_bad_text(void **state)
{
	check_refused("", "", ":1: the JSON text ends at byte 0");
	check_refused("// only this\n", "", ":2: the JSON text ends");
	check_refused("{\n\"ledger\": true\n\"x\": 1}", "",
		      ":3: the JSON text has \"\\x22\" at byte 17 where a comma or }");
	check_refused("{\n\n/* x\n", "", ":3: this comment has no end");
	check_refused("[]", "", ":1: the configuration is no object");
	check_refused("{\"ledger\":true,\n\"ledger\":true}", "",
		      ":2: the JSON text has the member \"ledger\" twice");
	check_refused("{\"ledger\":NaN}", "", "the word \"NaN\"");
	check_refused("{\"roles\":{\"admin\":[[[[[[[[[]]]]]]]]]}}", "", "levels deep");
}

static void test_bad_members(void **state)
{
	check_refused("{\n\"ledgers\": true}", "ledgers",
		      ":2: ledgers = true: the member \"ledgers\" is not known: leave it out; known "
		      "are ledger, journal, limits, roles, metrics");
	check_refused("{\"journal\":\n{\"interval\":60,\n\n\"x.y\\n\":{}}}", "journal.x.y\\x0a",
		      ":4: journal.x.y\\x0a: the member \"x.y\\x0a\" is not known");
	check_refused("{\"journal\":true}", "journal", ":1: journal = true: the member");
	check_refused("{\"ledger\":\n\"yes\"}", "ledger",
		      ":1: ledger = \"yes\": the member \"ledger\" is a string: give true or false");
	check_refused("{\"journal\":{\n\"drops\":1}}", "journal.drops", ":2: journal.drops = 1:");
	check_refused("{\"journal\":{\"interval\":60.0}}", "journal.interval", "= 60.0: ");
	check_refused("{\"journal\":{\"interval\":\"60\"}}", "journal.interval", "an integer (seconds)");
	check_refused("{\"journal\":{\"ignore\":\"A\"}}", "journal.ignore", "an array of strings");
	check_refused("{\"journal\":{\"ignore\":[1]}}", "journal.ignore", "entry 1");
	check_refused("{\"metrics\":{\"enabled\":0}}", "metrics.enabled", "true or false");
	check_refused("{\"metrics\":{\"ledger\":true}}", "metrics.ledger", "known are enabled");
}

static void test_ranges(void **state)
{
	static const struct {
		const char *section, *name;
		int64_t min, max;
	} cases[] = {
	    {"journal", "interval", 10, 86400},
	    {"journal", "linesPerMinute", 1, 6000},
	    {"journal", "threshold", 1, 1LL << 40},
	    {"limits", "connections", QUOTA_CONNECTIONS_ADMIN + 1, QUOTA_CONNECTIONS_MOST},
	    {"limits", "connectionsPerUser", 1, QUOTA_CONNECTIONS_MOST},
	    {"limits", "sessions", 1, QUOTA_SESSIONS_MOST},
	    {"limits", "sessionsPerUser", 1, QUOTA_SESSIONS_MOST},
	    {"limits", "tracePoints", 1, QUOTA_POINTS_MOST},
	    {"limits", "tracePointsPerUser", 1, QUOTA_POINTS_MOST},
	    {"limits", "ringBytes", 65536, QUOTA_RINGS_MOST},
	    {"limits", "ringBytesPerUser", 65536, QUOTA_RINGS_MOST},
	};
	char text[128], field[64], part[256];
	struct config c;

	for (size_t i = 0; i < 4 * sizeof(cases) / sizeof(*cases); i++) {
		int64_t min = cases[i / 4].min, max = cases[i / 4].max;
		int64_t value = (int64_t[]){min, max, min - 1, max + 1}[i % 4];

		snprintf(text, sizeof(text), "{\"%s\":\n{\"%s\":%lld}}", cases[i / 4].section,
			 cases[i / 4].name, (long long)value);
		snprintf(field, sizeof(field), "%s.%s", cases[i / 4].section, cases[i / 4].name);
		snprintf(part, sizeof(part), ":2: %s = %lld: the member \"%s\" is %lld: give a number "
			 "from %lld to %lld (", field, (long long)value, cases[i / 4].name,
			 (long long)value, (long long)min, (long long)max);
		if (i % 4 < 2) {
			c = load_text(text);
			config_clear(&c);
		} else {
			check_refused(text, field, part);
		}
	}
}

static void test_patterns(void **state)
{
	char text[512], long_one[200];
	struct config c;

	check_refused("{\"journal\":{\"ignore\":[\n\"A\",\n\"A@\"]}}", "journal.ignore",
		      ":3: journal.ignore = \"A@\": this is no pattern");
	check_refused("{\"journal\":{\"ignore\":[\"@a\"]}}", "journal.ignore", "no pattern");
	check_refused("{\"journal\":{\"ignore\":[\"A@@a\"]}}", "journal.ignore", "no pattern");
	check_refused("{\"journal\":{\"ignore\":[\"A@b@c@d\"]}}", "journal.ignore", "no pattern");
	check_refused("{\"journal\":{\"ignore\":[\"\"]}}", "journal.ignore", "0 bytes long");
	memset(long_one, 'A', sizeof(long_one));
	snprintf(text, sizeof(text), "{\"journal\":{\"ignore\":[\"%.129s\"]}}", long_one);
	check_refused(text, "journal.ignore", "longer than 128 bytes");
	snprintf(text, sizeof(text), "{\"journal\":{\"ignore\":[\"%.128s\"]}}", long_one);
	c = load_text(text);
	config_clear(&c);
}

static void write_list(unsigned entries)
{
	FILE *file = fopen(FILE_NAME, "we");

	assert_non_null(file);
	fputs("{\"journal\":{\"ignore\":[\"A\"", file);
	for (unsigned i = 1; i < entries; i++)
		fputs(",\"B\"", file);
	fputs("]}}", file);
	assert_int_equal(fclose(file), 0);
}

static void test_sizes(void **state)
{
	struct config c;

	write_list(64);
	c = load_good();
	assert_int_equal(c.journal.ignore.count, 64);
	config_clear(&c);
	write_list(65);
	check_bad(-EINVAL, "journal.ignore", "has 65 entries: give 0 to 64");
	write_file(FILE_NAME, "{}");
	assert_int_equal(truncate(FILE_NAME, 65537), 0);
	check_bad(-EFBIG, "", "longer than 64 KiB");
	assert_int_equal(truncate(FILE_NAME, 65536), 0);
	check_bad(-EINVAL, "", "\\x00\" at byte 2");
}

static void test_files(void **state)
{
	check_bad(-ENOENT, "", "No such file");
	assert_int_equal(mkfifo(FILE_NAME, 0600), 0);
	check_bad(-EINVAL, "", "no regular file");
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(mkdir(FILE_NAME, 0700), 0);
	check_bad(-EINVAL, "", "no regular file");
}

static void test_dropins(void **state)
{
	struct config c;

	assert_int_equal(mkdir(DROPINS, 0700), 0);
	write_file(DROPINS "/20-b.json", "{\"journal\":{\"interval\":20,\"ignore\":[\"B\"]}}");
	write_file(DROPINS "/10-a.json",
		   "{\"ledger\":false,\"journal\":{\"interval\":10,\"threshold\":10,"
		   "\"ignore\":[\"A\",\"AA\"]}}");
	write_file(DROPINS "/30.json.old", "none of ours");
	write_file(DROPINS "/.40.json", "none of ours");
	c = load_text("{\"journal\":{\"interval\":99,\"threshold\":99,\"linesPerMinute\":99}}");
	assert_false(c.ledger);
	assert_int_equal(c.journal.interval, 20);
	assert_int_equal(c.journal.threshold, 10);
	assert_int_equal(c.journal.lines_per_minute, 99);
	assert_int_equal(c.journal.ignore.count, 1);
	assert_string_equal(c.journal.ignore.items[0], "B");
	config_clear(&c);
	write_file(DROPINS "/20-b.json", "\n{\"ledger\":5}");
	check_bad(-EINVAL, "ledger", DROPINS "/20-b.json:2: ledger = 5: ");
}

/* The directory counts where the file itself may be missing. */
static void test_dropins_alone(void **state)
{
	const struct config_source source = {.path = FILE_NAME};
	struct config_error e;
	struct config c;

	assert_int_equal(mkdir(DROPINS, 0700), 0);
	write_file(DROPINS "/a.json", "{\"ledger\":false}");
	assert_int_equal(config_load(&c, &source, &e), 0);
	assert_false(c.ledger);
	assert_string_equal(e.why, "");
	config_clear(&c);
}

static void test_many_dropins(void **state)
{
	struct config c;
	char path[64];

	assert_int_equal(mkdir(DROPINS, 0700), 0);
	write_file(FILE_NAME, "{}");
	for (int i = 0; i < 65; i++) {
		if (i == 64) {
			c = load_good();
			config_clear(&c);
		}
		snprintf(path, sizeof(path), DROPINS "/%d.json", i);
		write_file(path, "{}");
	}
	check_bad(-E2BIG, "", DROPINS " holds 65 files");
}

static void check_rule(const struct peer_rule *rule, bool is_group, id_t id, enum peer_role role)
{
	assert_int_equal(rule->is_group, is_group);
	assert_int_equal(rule->id, id);
	assert_int_equal(rule->role, role);
}

static void test_roles(void **state)
{
	struct config c = load_text("{\"roles\":{\"admin\":[\"root\",\"4294967294\"],"
				    "\"observer\":[\"@root\",\"no-such-user\"],"
				    "\"capturer\":[\"@no-such-group\",\"@123\",\"4294967295\"]}}");

	assert_int_equal(c.rules.count, 4);
	check_rule(&c.rules.items[0], true, 0, PEER_OBSERVER);
	check_rule(&c.rules.items[1], true, 123, PEER_CAPTURER);
	check_rule(&c.rules.items[2], false, 0, PEER_ADMIN);
	check_rule(&c.rules.items[3], false, 4294967294, PEER_ADMIN);
	assert_int_equal(c.unknown.count, 3);
	assert_non_null(strstr(c.unknown.items[0], "no user \"no-such-user\" in /etc/passwd"));
	assert_non_null(strstr(c.unknown.items[1], "no group \"no-such-group\" in /etc/group"));
	assert_non_null(strstr(c.unknown.items[2], "no user \"4294967295\""));
	config_clear(&c);
	check_refused("{\"roles\":{\"admin\":[\"@\"]}}", "roles.admin", "no name behind the @");
	check_refused("{\"roles\":{\"admin\":[\n\"a\",\n\"b,c\"]}}", "roles.admin",
		      ":3: roles.admin = \"b,c\": no name");
	check_refused("{\"roles\":{\"root\":[]}}", "roles.root", "known are admin, capturer, observer");
}

static void test_move(void **state)
{
	struct config from = load_text("{\"ledger\":false,\"journal\":{\"ignore\":[\"A\"]}}");
	struct config to = load_text("{\"journal\":{\"ignore\":[\"B\",\"C\"]}}");

	config_move(&to, &from);
	assert_false(to.ledger);
	assert_int_equal(to.journal.ignore.count, 1);
	assert_int_equal(from.journal.ignore.count, 0);
	config_clear(&from);
	config_clear(&to);
	config_clear(&to);
}

#define TEST(f) cmocka_unit_test_teardown(f, remove_files)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_defaults),      TEST(test_all_members), TEST(test_to_json),
	    TEST(test_bad_text),      TEST(test_bad_members), TEST(test_ranges),
	    TEST(test_patterns),      TEST(test_sizes),       TEST(test_files),
	    TEST(test_dropins),       TEST(test_dropins_alone), TEST(test_many_dropins),
	    TEST(test_roles),         TEST(test_move),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
