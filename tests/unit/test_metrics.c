/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/metrics.h"
#include "version.h"

#define LEDGER ((const struct ledger *)1) /* that there is one is all that matters */

static const struct selfusage own = {.cpu = 1500000000, .resident = 4096, .descriptors = 17};

static struct metrics *make(size_t drops)
{
	struct metrics *m = calloc(1, sizeof(*m) + drops * sizeof(m->drops[0]));

	assert_non_null(m);
	m->ledger = LEDGER;
	m->drop_count = drops;
	return m;
}

static struct metrics_drop drop(const char *reason, const char *device, uint32_t netns, uint64_t packets)
{
	struct metrics_drop d = {.netns = netns, .subsystem = "core", .counts = {packets, 10 * packets}};

	snprintf(d.reason, sizeof(d.reason), "%s", reason);
	snprintf(d.device, sizeof(d.device), "%s", device);
	return d;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_once(const char *text, const char *part)
{
	const char *first = strstr(text, part);

	assert_non_null(first);
	assert_null(strstr(first + 1, part));
}

/* Rows that differ in place, protocol or ports only are one series. */
static void test_drops(void **state)
{
	const struct netcounter_list none = {};
	struct metrics *m = make(5);
	char *text;

	m->drops[0] = drop("NO_SOCKET", "eth0", 4026531840, 5);
	m->drops[1] = drop("NETFILTER_DROP", "eth0", 4026531840, 3);
	m->drops[2] = drop("NO_SOCKET", "eth0", 1, 11);
	m->drops[3] = drop("NO_SOCKET", "eth0", 4026531840, 7);
	m->drops[4] = drop("NO_SOCKET", "", 4026531840, 1);
	m->overflow = (struct history_counts){100, 2000};
	text = metrics_text(m, &none, &own);
#define SERIES(family, reason, device, netns, value)                                                                   \
	"\n" family "_total{reason=\"" reason "\",subsystem=\"core\",device=\"" device "\",netns=\"" netns "\"} " value "\n"
	assert_has(text, SERIES("netcap_drops_packets", "NO_SOCKET", "eth0", "4026531840", "12"));
	assert_has(text, SERIES("netcap_drops_bytes", "NO_SOCKET", "eth0", "4026531840", "120"));
	assert_has(text, SERIES("netcap_drops_packets", "NO_SOCKET", "eth0", "1", "11"));
	assert_has(text, SERIES("netcap_drops_packets", "NO_SOCKET", "", "4026531840", "1"));
	assert_has(text, SERIES("netcap_drops_packets", "NETFILTER_DROP", "eth0", "4026531840", "3"));
	assert_has(text, "\nnetcap_drops_overflow_packets_total 100\n");
	assert_has(text, "\nnetcap_drops_overflow_bytes_total 2000\n");
	assert_has(text, "netcap_ledger_running 1\n");
	assert_once(text, "# TYPE netcap_drops_packets counter\n");
	assert_int_equal(m->drop_count, 4);
	free(text);
	free(m);
}

static void test_no_ledger(void **state)
{
	const struct netcounter_list none = {};
	struct metrics *m = make(0);
	char *text;

	m->ledger = NULL;
	text = metrics_text(m, &none, &own);
	assert_has(text, "\nnetcap_ledger_running 0\n");
	assert_null(strstr(text, "netcap_drops"));
	free(text);
	free(m);
}

static void test_others(void **state)
{
	struct netcounter counters[] = {
	    {.layer = NETCOUNTER_DEVICE, .device = "e\"0", .name = "rx_dropped", .value = 9},
	    {.layer = NETCOUNTER_PROTOCOL, .name = "UdpRcvbufErrors", .value = 4},
	};
	const struct netcounter_list layers = {.counters = counters, .count = 2};
	struct metrics *m = make(0);
	char *text;

	m->sessions = 2;
	m->uptime = 90250000000;
	m->captured = (struct counters){100, 50, 20, 10, 8, 7, 5, 0};
	text = metrics_text(m, &layers, &own);
	assert_has(text, "\nnetcap_sessions 2\n");
	assert_has(text, "\nnetcap_capture_hits_packets_total 100\n");
	assert_has(text, "\nnetcap_capture_filtered_packets_total 50\n");
	assert_has(text, "\nnetcap_capture_captured_packets_total 20\n");
	assert_has(text, "\nnetcap_capture_lost_packets_total{where=\"ring\"} 10\n");
	assert_has(text, "\nnetcap_capture_lost_packets_total{where=\"client\"} 8\n");
	assert_has(text, "\nnetcap_capture_limited_packets_total 7\n");
	assert_has(text, "\nnetcap_capture_in_flight_packets 5\n");
	assert_has(text, "\nnetcap_layer_lost_total{layer=\"device\",device=\"e\\\"0\",name=\"rx_dropped\"} 9\n");
	assert_has(text, "\nnetcap_layer_lost_total{layer=\"protocol\",device=\"\",name=\"UdpRcvbufErrors\"} 4\n");
	assert_has(text, "\nprocess_cpu_seconds_total 1.500000\n");
	assert_has(text, "\nprocess_resident_memory_bytes 4096\n");
	assert_has(text, "\nprocess_open_fds 17\n");
	assert_has(text, "\nnetcap_uptime_seconds 90.250000\n");
	assert_has(text, "\nnetcap_build_info{version=\"" NETCAPD_VERSION "\"} 1\n");
	assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
	free(text);
	free(m);
}

static void test_own(void **state)
{
	struct selfusage before, after;
	FILE *file;

	selfusage_read(&before);
	file = fopen("/proc/self/stat", "re");
	selfusage_read(&after);
	assert_int_equal(after.descriptors, before.descriptors + 1);
	assert_true(before.descriptors >= 3 && before.resident > 100000);
	assert_true(after.cpu >= before.cpu);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_drops),
	    cmocka_unit_test(test_no_ledger),
	    cmocka_unit_test(test_others),
	    cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
