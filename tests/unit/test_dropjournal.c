/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "daemon/dropjournal.h"
#include "daemon/journal.h"

static char sent[JOURNAL_ENTRY_BYTES + 1];
static size_t sent_len;

bool __wrap_log_is_journal(void);
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len);

bool __wrap_log_is_journal(void)
{
	return true;
}

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	assert_true(len < sizeof(sent));
	assert_true(flags & MSG_DONTWAIT);
	memcpy(sent, data, len);
	sent[len] = 0;
	sent_len = len;
	return len;
}

/* The entry, but for its id. */
static void expect(const char *want)
{
	const char *got = strchr(sent, '\n') + 1;

	assert_memory_equal(sent, "MESSAGE_ID=", strlen("MESSAGE_ID="));
	assert_string_equal(got, want);
}

static const struct droplog_entry netfilter = {
	.reason = "NETFILTER_DROP", .subsystem = "core", .location = "nf_hook_slow+0xa3", .device = "eth0",
	.netns = 4026531840, .packets = 90, .total = 1234, .seconds = 60,
};

#define HEAD  "PRIORITY=6\nSYSLOG_IDENTIFIER=netcapd\n"
#define PLACE "NETCAP_REASON=NETFILTER_DROP\nNETCAP_SUBSYSTEM=core\nNETCAP_LOCATION=nf_hook_slow+0xa3\n" \
	      "NETCAP_DEVICE=eth0\nNETCAP_NETNS=4026531840\nNETCAP_PACKETS=90\n"

static void test_seen(void **state)
{
	const struct droplog_sample sample = { "10.0.0.1:5 > 10.0.0.2:80 tcp", "nf_hook_slow+0xa3" };
	struct droplog_entry e = netfilter;

	e.kind = DROPLOG_SEEN;
	e.sample = &sample;
	dropjournal_send(NULL, &e);
	expect(HEAD PLACE "NETCAP_FLOW=10.0.0.1:5 > 10.0.0.2:80 tcp\nNETCAP_STACK=nf_hook_slow+0xa3\n"
	       "MESSAGE=first drops for NETFILTER_DROP at nf_hook_slow+0xa3 on eth0: 90 packets, one of them "
	       "10.0.0.1:5 > 10.0.0.2:80 tcp\n");
	e.sample = NULL;
	dropjournal_send(NULL, &e);
	expect(HEAD PLACE "MESSAGE=first drops for NETFILTER_DROP at nf_hook_slow+0xa3 on eth0: 90 packets\n");
}

/* Frames of a stack are lines of one field. */
static void test_stack(void **state)
{
	static const char want[] = "NETCAP_STACK\n\x0b\0\0\0\0\0\0\0a+0x1\nb+0x2\nMESSAGE=";
	const struct droplog_sample sample = { NULL, "a+0x1\nb+0x2" };
	struct droplog_entry e = netfilter;

	e.sample = &sample;
	dropjournal_send(NULL, &e);
	assert_non_null(memmem(sent, sent_len, want, sizeof(want) - 1));
}

static void test_summary(void **state)
{
	struct droplog_entry e = netfilter;

	e.kind = DROPLOG_SUMMARY;
	dropjournal_send(NULL, &e);
	expect(HEAD PLACE "NETCAP_TOTAL=1234\nNETCAP_SECONDS=60.0\nNETCAP_RATE=1.5\n"
	       "MESSAGE=dropped for NETFILTER_DROP at nf_hook_slow+0xa3 on eth0: 90 packets in 60.0 s "
	       "(1.5 packets/s), 1234 since it was first seen\n");
}

static void test_suppressed(void **state)
{
	const struct droplog_entry e = { .kind = DROPLOG_SUPPRESSED, .reason = "", .subsystem = "", .location = "",
					 .device = "", .packets = 1, .entries = 12, .seconds = 61.25 };

	dropjournal_send(NULL, &e);
	expect(HEAD "NETCAP_PACKETS=1\nNETCAP_SUPPRESSED=12\nNETCAP_SECONDS=61.2\n"
	       "MESSAGE=dropped besides, in 61.2 s: 1 packet; 12 entries suppressed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seen),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_suppressed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
