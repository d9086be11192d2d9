/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/descriptor.h"
#include "daemon/peer.h"
#include "daemon/points.h"

static const struct peer_policy policy = {.own_uid = 990, .group = 500, .has_group = true};

static void test_roles(void **state)
{
	const gid_t member[] = {7, 500}, stranger[] = {7, 501};
	struct peer_policy groupless = policy;

	assert_int_equal(peer_role(&policy, 0, NULL, 0), PEER_ADMIN);
	assert_int_equal(peer_role(&policy, 990, stranger, 2), PEER_ADMIN);
	assert_int_equal(peer_role(&policy, 1000, member, 2), PEER_CAPTURER);
	assert_int_equal(peer_role(&policy, 1000, member, 1), PEER_OBSERVER);
	assert_int_equal(peer_role(&policy, 1000, stranger, 2), PEER_OBSERVER);
	assert_int_equal(peer_role(&policy, 500, NULL, 0), PEER_OBSERVER);
	groupless.has_group = false;
	assert_int_equal(peer_role(&groupless, 1000, member, 2), PEER_OBSERVER);
}

static void test_rules(void **state)
{
	struct peer_rule items[] = {
	    {false, 1000, PEER_CAPTURER}, {false, 1001, PEER_OBSERVER}, {true, 7, PEER_ADMIN},
	    {true, 8, PEER_OBSERVER},     {false, 0, PEER_OBSERVER},    {true, 9, PEER_CAPTURER},
	    {false, 1000, PEER_OBSERVER},
	};
	const struct peer_rules rules = {sizeof(items) / sizeof(*items), items};
	const gid_t member[] = {500}, wheel[] = {7, 8, 500}, restricted[] = {500, 8}, ops[] = {8, 9};
	struct peer_policy ruled = policy;

	ruled.rules = &rules;
	assert_int_equal(peer_role(&ruled, 1000, NULL, 0), PEER_CAPTURER);
	assert_int_equal(peer_role(&ruled, 1000, wheel, 3), PEER_CAPTURER);
	assert_int_equal(peer_role(&ruled, 1001, wheel, 3), PEER_OBSERVER);
	assert_int_equal(peer_role(&ruled, 1002, wheel, 3), PEER_ADMIN);
	assert_int_equal(peer_role(&ruled, 1002, restricted, 2), PEER_OBSERVER);
	assert_int_equal(peer_role(&ruled, 1002, ops, 2), PEER_CAPTURER);
	assert_int_equal(peer_role(&ruled, 1002, member, 1), PEER_CAPTURER);
	assert_int_equal(peer_role(&ruled, 1002, NULL, 0), PEER_OBSERVER);
	/* a user's number is no group's */
	assert_int_equal(peer_role(&ruled, 7, NULL, 0), PEER_OBSERVER);
	assert_int_equal(peer_role(&ruled, 0, restricted, 2), PEER_ADMIN);
	assert_int_equal(peer_role(&ruled, 990, restricted, 2), PEER_ADMIN);
}

/* Whoever runs the test is at both ends; their groups count. */
static void test_credentials(void **state)
{
	struct peer_policy own = {.own_uid = geteuid()}, other = {.own_uid = geteuid() + 1};
	struct peer peer;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(peer_from_socket(&own, fds[0], &peer), 0);
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.role, PEER_ADMIN);
	other.has_group = true;
	other.group = getegid();
	assert_int_equal(peer_from_socket(&other, fds[0], &peer), 0);
	assert_int_equal(peer.role, geteuid() ? PEER_CAPTURER : PEER_ADMIN);
	assert_int_equal(peer_from_socket(&own, STDIN_FILENO + 1000, &peer), -EBADF);
	close(fds[0]);
	close(fds[1]);
}

/* Checks and closes. fault: words of the sentence, NULL: it is fine. */
static void check(int fd, const char *fault)
{
	char why[256] = "";
	int r;

	assert_true(fd >= 0);
	r = descriptor_check(fd, why, sizeof(why));
	close(fd);
	assert_int_equal(r, fault ? -EINVAL : 0);
	if (fault && !strstr(why, fault))
		fail_msg("\"%s\" is not in \"%s\"", fault, why);
}

static void check_pair(int domain, int type, const char *fault)
{
	int fds[2];

	assert_int_equal(socketpair(domain, type, 0, fds), 0);
	check(fds[0], fault);
	close(fds[1]);
}

static void test_descriptors(void **state)
{
	int fds[2], listening = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_int_equal(pipe(fds), 0);
	check(fds[1], NULL);
	check(fds[0], "reading end");
	check_pair(AF_UNIX, SOCK_STREAM, NULL);
	check_pair(AF_UNIX, SOCK_DGRAM, "no stream");
	check_pair(AF_UNIX, SOCK_SEQPACKET, "no stream");
	check(open("/proc/self/exe", O_RDONLY), "regular file");
	check(open("/", O_RDONLY), "directory");
	check(open("/", O_PATH), "O_PATH");
	check(open("/dev/null", O_RDWR), "character device");
	check(eventfd(0, 0), "eventfd");
	check(socket(AF_UNIX, SOCK_STREAM, 0), "not connected");
	check(socket(AF_NETLINK, SOCK_RAW, 0), "another kind");
	check(socket(AF_INET, SOCK_STREAM, 0), "another kind");
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(listening, 1), 0);
	check(listening, "listening");
	assert_int_equal(descriptor_check(1000, (char[1]){0}, 1), -EINVAL);
}

static void test_patterns(void **state)
{
	assert_true(points_match("kfree_skb", "skb", "kfree_skb"));
	assert_true(points_match("skb:kfree_skb", "skb", "kfree_skb"));
	assert_true(points_match("tracepoint:skb:kfree_skb", "skb", "kfree_skb"));
	assert_true(points_match("skb:*", "skb", "kfree_skb"));
	assert_true(points_match("*free*", "skb", "kfree_skb"));
	assert_true(points_match("k[a-f]ree_skb", "skb", "kfree_skb"));
	assert_false(points_match("free", "skb", "kfree_skb"));
	assert_false(points_match("net:*", "skb", "kfree_skb"));
	assert_false(points_match("", "skb", "kfree_skb"));
	assert_false(points_match("[", "skb", "kfree_skb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_roles),
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_credentials),
	    cmocka_unit_test(test_descriptors),
	    cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
