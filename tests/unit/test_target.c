/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may trace which process, and which files are lent. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/lent.h"
#include "daemon/target.h"

#define NO_PROCESS 4194305 /* PID_MAX_LIMIT is 4,194,304 */

static void check(int64_t pid, enum peer_role role, uid_t uid, int expected, const char *part)
{
	const struct peer peer = { .role = role, .uid = uid };
	char why[256] = "";

	assert_int_equal(target_check(pid, &peer, why, sizeof(why)), expected);
	if (expected)
		assert_int_equal(errno, -expected);
	if (!strstr(why, part))
		fail_msg("\"%s\" is not in: %s", part, why);
}

static void test_processes(void **state)
{
	check(getpid(), PEER_ADMIN, getuid() + 1, 0, "");
	check(0, PEER_ADMIN, getuid(), 0, "");
	check(NO_PROCESS, PEER_ADMIN, getuid(), -ESRCH, "there is no process 4194305");
	check(getpid(), PEER_CAPTURER, getuid(), -EPERM, "administrators only");
	check(0, PEER_CAPTURER, getuid(), -EPERM, "administrators only");
	check(NO_PROCESS, PEER_OBSERVER, getuid(), -EPERM, "administrators only");
}

static void check_file(const char *path, int expected, const char *part)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char why[256] = "";

	assert_true(fd >= 0);
	assert_int_equal(target_check_file(fd, why, sizeof(why)), expected);
	if (!strstr(why, part))
		fail_msg("\"%s\" is not in: %s", part, why);
	close(fd);
}

static void test_files(void **state)
{
	check_file("/proc/self/exe", 0, "");
	check_file("/dev/null", -EINVAL, "no regular file");
	check_file("/", -EINVAL, "no regular file");
}

static void test_lent(void **state)
{
	struct lent lent = {}, taken = {};
	int fd;

	for (int i = 0; i < LIMIT_BINARIES; i++)
		assert_int_equal(lent_add(&lent, open("/dev/null", O_RDONLY | O_CLOEXEC)), i);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lent_add(&lent, fd), -ENFILE);
	lent_move(&taken, &lent);
	assert_int_equal(taken.count, LIMIT_BINARIES);
	assert_int_equal(lent.count, 0);
	lent_clear(&taken);
	assert_int_equal(taken.count, 0);
	lent_move(&taken, NULL);
	lent_clear(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_lent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
