/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loses packets in each layer of a network namespace of its own, and finds exactly those in the
 * counters of the running kernel. Needs root, and ip and tc of iproute2.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/log.h"
#include "daemon/netlinkdump.h"
#include "daemon/netstats.h"

#define PORT          9000
#define CLOSED_PORT   9001
#define SHAPED        17 /* packets that a qdisc drops; these are primes, so that no two mix up */
#define TOO_LONG      23
#define TO_CLOSED     29
#define OVERFLOWING   211
#define SYNS          13
#define DATAGRAM      1200 /* bytes */
#define RECEIVE_BYTES 8192 /* room of the receiving socket */
#define MORE_PAIRS    "50" /* of devices, so that the answer comes in pieces */
#define HANGS_READS   1000 /* what is not counted after so many looks never is */

static const struct netstats_source own = NETSTATS_OWN_SOURCE;
static struct netstats baseline;

static void shell(const char *command)
{
	if (system(command))
		fail_msg("this failed: %s", command);
}

static int enter_namespace(void **state)
{
	log_init();
	/* the only thread; the namespace ends with the process */
	if (unshare(CLONE_NEWNET)) {
		print_error("no network namespace: %s\n", strerror(errno));
		return -1;
	}
	shell("ip link set lo up");
	shell("ip link add a0 type veth peer name b0");
	/* neither neighbour discovery nor duplicate address detection sends packets of its own */
	shell("sysctl -qw net.ipv6.conf.a0.disable_ipv6=1 net.ipv6.conf.b0.disable_ipv6=1");
	shell("ip link set b0 mtu 1000 up && ip link set a0 up");
	shell("ip address add 192.0.2.1/24 dev a0");
	shell("ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev a0");
	return 0;
}

static int take_baseline(void **state)
{
	return netstats_read(&baseline, &own);
}

static int clear_baseline(void **state)
{
	netstats_clear(&baseline);
	return 0;
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, text, &a.sin_addr), 1);
	return a;
}

static void send_datagrams(const char *to, uint16_t port, int count)
{
	const struct sockaddr_in a = address(to, port);
	char bytes[DATAGRAM] = {};
	/* one for each, as a refused one fails the next on its socket */
	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		assert_true(fd >= 0);
		/* what a qdisc drops fails with ENOBUFS, or does not */
		sendto(fd, bytes, sizeof(bytes), 0, (const struct sockaddr *)&a, sizeof(a));
		close(fd);
	}
}

static const char *text_of(struct json_object *o, const char *member)
{
	return json_object_get_string(json_object_object_get(o, member));
}

static int64_t number_of(struct json_object *o, const char *member)
{
	return json_object_get_int64(json_object_object_get(o, member));
}

/* What a counter rose by since the baseline. */
static int64_t lost(const char *layer, const char *device, const char *name)
{
	struct json_object *counters = netstats_json(&baseline);
	int64_t since = 0;

	assert_non_null(counters);
	for (size_t i = 0; i < json_object_array_length(counters); i++) {
		struct json_object *o = json_object_array_get_idx(counters, i);

		if (!strcmp(text_of(o, "layer"), layer) && !strcmp(text_of(o, "device"), device) &&
		    !strcmp(text_of(o, "name"), name))
			since = number_of(o, "since");
	}
	json_object_put(counters);
	return since;
}

/* The kernel's softirqs may be some time behind the sender. */
static void expect_lost(const char *layer, const char *device, const char *name, int64_t count)
{
	int64_t found = 0;

	for (int i = 0; i < HANGS_READS && found < count; i++)
		found = lost(layer, device, name);
	if (found != count)
		fail_msg("%s %s %s: %lld, and %lld were lost", layer, device, name,
			 (long long)found, (long long)count);
}

/* This kernel's texts and messages are all understood. */
static void test_understood(void **state)
{
	assert_int_equal(baseline.list.malformed, 0);
	assert_int_equal(baseline.list.left_out, 0);
	for (int i = 0; i < NETCOUNTER_LAYERS; i++)
		assert_false(baseline.list.partial[i]);
}

/* A bucket smaller than the packet never lets it pass. */
static void test_qdisc(void **state)
{
	shell("tc qdisc add dev a0 root handle 1: tbf rate 1mbit burst 1000 limit 100000");
	send_datagrams("192.0.2.2", PORT, SHAPED);
	expect_lost("qdisc", "a0", "tbf 1: drops", SHAPED);
	/* another one with the same handle begins at 0 */
	netstats_clear(&baseline);
	assert_int_equal(netstats_read(&baseline, &own), 0);
	shell("tc qdisc del dev a0 root");
	shell("tc qdisc add dev a0 root handle 1: tbf rate 1mbit burst 1000 limit 100000");
	send_datagrams("192.0.2.2", PORT, 1);
	expect_lost("qdisc", "a0", "tbf 1: drops", 1);
	shell("tc qdisc del dev a0 root");
}

/* The other end of the pair takes packets of at most 1,000 bytes. */
static void test_device(void **state)
{
	send_datagrams("192.0.2.2", PORT, TOO_LONG);
	expect_lost("device", "a0", "tx_dropped", TOO_LONG);
	expect_lost("device", "b0", "rx_dropped", TOO_LONG);
	shell("ip link set a0 down && ip link set a0 name c0 && ip link set c0 up");
	expect_lost("device", "c0", "tx_dropped", TOO_LONG);
	expect_lost("device", "a0", "tx_dropped", 0);
	shell("ip link set c0 down && ip link set c0 name a0 && ip link set a0 up");
	shell("ip neighbour replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev a0");
}

static void test_closed_port(void **state)
{
	send_datagrams("127.0.0.1", CLOSED_PORT, TO_CLOSED);
	expect_lost("protocol", "", "UdpNoPorts", TO_CLOSED);
}

static int bound_socket(int type)
{
	const struct sockaddr_in a = address("127.0.0.1", PORT);
	const int size = RECEIVE_BYTES;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Nobody reads while they come: those in the buffer were not lost then, and all others were. */
static void test_receive_buffer(void **state)
{
	int fd = bound_socket(SOCK_DGRAM), received = 0;
	int64_t dropped = 0;
	char bytes[DATAGRAM];

	send_datagrams("127.0.0.1", PORT, OVERFLOWING);
	for (int i = 0; i < HANGS_READS && received + dropped < OVERFLOWING; i++) {
		while (recv(fd, bytes, sizeof(bytes), 0) == sizeof(bytes))
			received++;
		dropped = lost("protocol", "", "UdpRcvbufErrors");
	}
	assert_true(received > 0 && dropped > 0);
	assert_int_equal(received + dropped, OVERFLOWING);
	expect_lost("protocol", "", "UdpInErrors", dropped);
	close(fd);
}

/* A queue for one connection, which is there. SYNs whose sockets are closed are not repeated. */
static void test_listen_queue(void **state)
{
	const struct sockaddr_in a = address("127.0.0.1", PORT);
	int server = bound_socket(SOCK_STREAM);
	int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(listen(server, 0), 0);
	assert_int_equal(connect(first, (const struct sockaddr *)&a, sizeof(a)), 0);
	for (int i = 0; i < SYNS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), -1);
		close(fd);
	}
	expect_lost("protocol", "", "TcpExtListenOverflows", SYNS);
	expect_lost("protocol", "", "TcpExtListenDrops", SYNS);
	close(first);
	close(server);
}

/* Sorted, without zeros, and fit for JSON: the kernel takes any byte in a device's name. */
static void test_json(void **state)
{
	struct json_object *counters;
	bool found = false;

	shell("ip link add \"$(printf 'a\\377\\033')\" type veth peer name odd1");
	shell("sysctl -qw net.ipv6.conf.odd1.disable_ipv6=1");
	shell("ip link set odd1 up && ip link set \"$(printf 'a\\377\\033')\" mtu 1000 up");
	shell("ip address add 198.51.100.1/24 dev odd1");
	shell("ip neighbour add 198.51.100.2 lladdr 02:00:00:00:00:02 dev odd1");
	send_datagrams("198.51.100.2", PORT, TOO_LONG);
	expect_lost("device", "odd1", "tx_dropped", TOO_LONG);
	counters = netstats_json(&baseline);
	for (size_t i = 0; i < json_object_array_length(counters); i++) {
		struct json_object *o = json_object_array_get_idx(counters, i);
		struct json_object *next = json_object_array_get_idx(counters, i + 1);

		assert_true(number_of(o, "value") > 0);
		assert_true(!next || number_of(next, "since") <= number_of(o, "since"));
		found |= !strcmp(text_of(o, "device"), "a\\xff\\x1b") &&
			 number_of(o, "since") == TOO_LONG;
	}
	json_object_put(counters);
	assert_true(found);
	shell("ip link del odd1");
}

static void test_many_devices(void **state)
{
	shell("seq " MORE_PAIRS " | sed 's/.*/link add many& type veth peer name more&/' | "
	      "ip -batch -");
	send_datagrams("192.0.2.2", PORT, TOO_LONG);
	expect_lost("device", "a0", "tx_dropped", TOO_LONG);
}

static int count_message(const struct nlmsghdr *message, void *arg)
{
	++*(int *)arg;
	return MNL_CB_OK;
}

static int stop_at_once(const struct nlmsghdr *message, void *arg)
{
	++*(int *)arg;
	return MNL_CB_STOP;
}

static void test_dump(void **state)
{
	const struct ifinfomsg links = {.ifi_family = AF_UNSPEC};
	const char large[4096] = {};
	int count = 0;

	assert_int_equal(netlinkdump_run(-1, RTM_GETLINK, &links, sizeof(links), count_message, &count),
			 0);
	assert_true(count >= 3 + 2 * atoi(MORE_PAIRS));
	count = 0;
	assert_int_equal(netlinkdump_run(-1, RTM_GETLINK, &links, sizeof(links), stop_at_once, &count),
			 0);
	assert_int_equal(count, 1);
	count = 0;
	assert_int_equal(netlinkdump_run(-1, 0xffff, &links, sizeof(links), count_message, &count),
			 -EOPNOTSUPP);
	assert_int_equal(netlinkdump_run(-1, RTM_GETLINK, large, sizeof(large), count_message, &count),
			 -EMSGSIZE);
	assert_int_equal(count, 0);
}

/* Has what source is of a counter of this layer and device? */
static bool has(const struct netstats_source *source, const char *layer, const char *device)
{
	struct netstats none = {.source = *source};
	struct json_object *counters = netstats_json(&none);
	bool found = false;

	assert_non_null(counters);
	for (size_t i = 0; i < json_object_array_length(counters); i++) {
		struct json_object *o = json_object_array_get_idx(counters, i);

		found = found || (!strcmp(text_of(o, "layer"), layer) && !strcmp(text_of(o, "device"), device));
	}
	json_object_put(counters);
	return found;
}

/* As systemd hands them to a service without a network: the last test, as it leaves the namespace. */
static void test_other_namespace(void **state)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	const struct ifinfomsg links = {.ifi_family = AF_UNSPEC};
	char proc_net[64];
	pid_t child = fork();
	struct netstats_source source = {.proc_net = proc_net};
	int count = 0;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	snprintf(proc_net, sizeof(proc_net), "/proc/%d/net", (int)child);
	source.route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	assert_int_equal(bind(source.route, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_false(has(&own, "device", "b0"));
	assert_false(has(&own, "protocol", ""));
	for (int i = 0; i < 2; i++) {
		assert_true(has(&source, "device", "b0"));
		assert_true(has(&source, "protocol", ""));
		/* what is left of an answer is not taken for the next one */
		assert_int_equal(netlinkdump_run(source.route, RTM_GETLINK, &links, sizeof(links), stop_at_once,
						 &count), 0);
	}
	close(source.route);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_understood, take_baseline, clear_baseline),
	    cmocka_unit_test_setup_teardown(test_qdisc, take_baseline, clear_baseline),
	    cmocka_unit_test_setup_teardown(test_device, take_baseline, clear_baseline),
	    cmocka_unit_test_setup_teardown(test_closed_port, take_baseline, clear_baseline),
	    cmocka_unit_test_setup_teardown(test_receive_buffer, take_baseline, clear_baseline),
	    cmocka_unit_test_setup_teardown(test_listen_queue, take_baseline, clear_baseline),
	    cmocka_unit_test_setup_teardown(test_json, take_baseline, clear_baseline),
	    cmocka_unit_test_setup_teardown(test_many_devices, take_baseline, clear_baseline),
	    cmocka_unit_test(test_dump),
	    cmocka_unit_test(test_other_namespace),
	};

	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
