/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one reference program: reference empty|per-load|record|record-polled|netcap-wakeups
 *
 * Attaches it to net:netif_receive_skb, prints "ready ID US" (the program's id, and the microseconds that
 * opening, loading and attaching the object took), reads the ring until
 * SIGTERM, and prints "RECORDS MATCHES CPU": records read, packets that the filter let through, and
 * nanoseconds of CPU that this process used since it was ready. Ends on its own after two minutes.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/record.h"
#include "netcap_wakeups.skel.h"
#include "reference.h"
#include "reference.skel.h"

#define POINT       "netif_receive_skb"
#define SNAPLEN     256
#define DEADLINE_S  120
#define POLL_MS     100
#define INTERVAL_NS 1000000 /* between two looks at the ring without wake-ups */

static volatile sig_atomic_t stopped;
static uint64_t records, began;

static void on_signal(int number)
{
	stopped = 1;
}

static int on_record(void *context, void *data, size_t len)
{
	records++;
	return 0;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void read_polling(struct ring_buffer *ring)
{
	const struct timespec interval = {.tv_nsec = INTERVAL_NS};

	while (!stopped) {
		ring_buffer__consume(ring);
		nanosleep(&interval, NULL);
	}
}

/* Reads what comes, or (without a ring) waits, until SIGTERM. */
static void read_until_stopped(struct ring_buffer *ring, bool polling)
{
	if (ring && polling)
		read_polling(ring);
	while (!stopped) {
		if (ring)
			ring_buffer__poll(ring, POLL_MS);
		else
			pause();
	}
	if (ring)
		ring_buffer__consume(ring);
}

static int program_id(const struct bpf_program *program, uint32_t *id)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int error = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len);

	*id = info.id;
	return error;
}

/* Attaches the program, says so and reads. map: its ring, NULL if it has none. */
static int measure(struct bpf_program *program, const struct bpf_map *map, bool polling,
		   const __u64 *matches)
{
	struct ring_buffer *ring = NULL;
	struct bpf_link *link;
	uint64_t start;
	uint32_t id;
	int error = -1;

	if (map) {
		ring = ring_buffer__new(bpf_map__fd(map), on_record, NULL, NULL);
		if (!ring)
			return -1;
	}
	link = bpf_program__attach(program);
	if (link && !program_id(program, &id)) {
		printf("ready %u %llu\n", id,
		       (unsigned long long)(now_ns(CLOCK_MONOTONIC) - began) / 1000);
		fflush(stdout);
		start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		read_until_stopped(ring, polling);
		printf("%llu %llu %llu\n", (unsigned long long)records, *matches,
		       (unsigned long long)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - start));
		error = 0;
	}
	bpf_link__destroy(link);
	ring_buffer__free(ring);
	return error;
}

static int run_reference(const char *mode)
{
	struct reference *o = reference__open();
	bool polling = !strcmp(mode, "record-polled"), record = !strncmp(mode, "record", 6);
	struct bpf_program *chosen;
	int error = -1;

	if (!o)
		return -1;
	chosen = record                      ? o->progs.bench_record
		 : !strcmp(mode, "per-load") ? o->progs.bench_per_load
					     : o->progs.bench_empty;
	bpf_program__set_autoload(o->progs.bench_empty, chosen == o->progs.bench_empty);
	bpf_program__set_autoload(o->progs.bench_per_load, chosen == o->progs.bench_per_load);
	bpf_program__set_autoload(o->progs.bench_record, record);
	o->rodata->bench_submit_flags = polling ? BPF_RB_NO_WAKEUP : 0;
	if (!reference__load(o))
		error = measure(chosen, record ? o->maps.bench_ring : NULL, polling,
				&o->bss->bench_matches);
	reference__destroy(o);
	return error;
}

/* As daemon/probe.c would set it up for a session without a filter. */
static int run_netcap(void)
{
	struct netcap_wakeups *o = netcap_wakeups__open();
	const __u64 no_matches = 0;
	struct bpf_program *program;
	int error = -1;

	if (!o)
		return -1;
	program = o->progs.netcap_typed;
	bpf_program__set_autoload(o->progs.netcap_untyped, false);
	/* as a session without options has them; the object's own switch everything on */
	o->rodata_config->netcap_config = (struct netcap_config){
		.snaplen = SNAPLEN,
		.location_arg = NETCAP_NO_ARG,
		.reason_arg = NETCAP_NO_ARG,
		.return_arg = NETCAP_NO_ARG,
		.sock_arg = NETCAP_NO_ARG,
		.flow_arg = NETCAP_NO_ARG,
		.sites_bits = 1,
	};
	o->data_control->netcap_control.active = 1;
	if (!bpf_map__set_max_entries(o->maps.netcap_ring, REFERENCE_RING_BYTES) &&
	    !bpf_program__set_attach_target(program, 0, POINT) && !netcap_wakeups__load(o))
		error = measure(program, o->maps.netcap_ring, false, &no_matches);
	netcap_wakeups__destroy(o);
	return error;
}

static bool is_mode(const char *text)
{
	static const char *const modes[] = {"empty", "per-load", "record", "record-polled",
					    "netcap-wakeups"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i], text))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	int error;

	if (argc != 2 || !is_mode(argv[1])) {
		fprintf(stderr, "usage: reference empty|per-load|record|record-polled|"
				"netcap-wakeups\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	alarm(DEADLINE_S);
	began = now_ns(CLOCK_MONOTONIC);
	error = strcmp(argv[1], "netcap-wakeups") ? run_reference(argv[1]) : run_netcap();
	if (error)
		fprintf(stderr, "reference: %s cannot run: %s; libbpf says why above\n", argv[1],
			strerror(errno));
	return error ? 1 : 0;
}
