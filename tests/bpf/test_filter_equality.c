/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdict of the translated filter, run in the kernel on real packets, is that of libpcap's
 * bpf_filter(): for every primitive of pcap-filter(7), at both starts, for all ways to read a
 * packet.
 *
 *     test_filter_equality [random expressions and as many random programs [seed]]
 *
 * Needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and Linux 6.2 (bpf_cast_to_kern_ctx()).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/filter.h>

#include "bpf/filter_abi.h"
#include "bpf/record.h"
#include "daemon/filterdump.h"
#include "daemon/filtertext.h"
#include "filter_equality.skel.h"
#include "tests/bpf/filtersplice.h"
#include "tests/filter/filterexprs.h"
#include "tests/filter/filterpackets.h"
#include "tests/filter/filterprogs.h"
#include "tests/filter/filterrun.h"

#define PACKETS        2400
#define RANDOM_DEFAULT 100
#define ETHERNET_BYTES 14
#define TAG_AT         12
#define TAG_BYTES      4
/*
 * The kernel runs nothing on packets that end in their IP header, so these are made longer and cut
 * by the program.
 */
#define TEST_RUN_MIN 64
#define EXIT_SKIP    77
#define LEN(array)   (sizeof(array) / sizeof((array)[0]))

enum { CB_TAG, CB_START, CB_LEN }; /* as in filter_equality.bpf.c */

struct packet {
	uint32_t len, tag; /* tag: TPID << 16 | TCI in metadata, 0: none */
	uint8_t bytes[FILTERPACKETS_MAX];
	uint8_t tagged[FILTERPACKETS_MAX + TAG_BYTES]; /* with the tag: what libpcap would see */
};

/* One way to read packets, and the programs for it. */
struct way {
	const char *name;
	struct filter_target target;
	bool optional; /* only newer kernels take it */
	bool by_cast;  /* target.cast is the kernel's */
	struct filter_equality *skeleton;
	struct filtersplice splice;
};

static struct way ways[] = {
    {.name = "window", .target = {.access = NETCAP_ACCESS_WINDOW}},
    {.name = "window at computed offsets",
     .target = {.access = NETCAP_ACCESS_WINDOW, .var_stack = true}},
    {.name = "direct", .target = {.access = NETCAP_ACCESS_DIRECT}, .optional = true},
    {.name = "by a cast", .target = {.access = NETCAP_ACCESS_DIRECT}, .by_cast = true},
};

static struct packet packets[PACKETS];
static unsigned long runs, differences, telling;

static void make_packets(struct filterrand *r)
{
	static const uint32_t tags[] = {0x81000064, 0x810000c8, 0x88a80064, 0x8100e064, 0x81000000};

	for (size_t i = 0; i < PACKETS; i++) {
		struct packet *p = &packets[i];

		do
			p->len = filterpackets_make(r, p->bytes);
		while (p->len < ETHERNET_BYTES);
		p->tag = filterrand_one_in(r, 4) ? FILTERRAND_PICK(r, tags) : 0;
		memcpy(p->tagged, p->bytes, TAG_AT);
		for (int b = 0; b < TAG_BYTES; b++)
			p->tagged[TAG_AT + b] = (uint8_t)(p->tag >> (24 - 8 * b));
		memcpy(p->tagged + TAG_AT + TAG_BYTES, p->bytes + TAG_AT, p->len - TAG_AT);
	}
}

/* ---- programs ---- */

static int open_way(struct way *w)
{
	int err;

	w->skeleton = filter_equality__open();
	if (!w->skeleton)
		return -errno;
	w->skeleton->rodata_config->netcap_config.access = (uint8_t)w->target.access;
	err = filter_equality__load(w->skeleton);
	if (!err)
		err = filtersplice_init(&w->splice, w->skeleton->progs.filter_equality);
	w->target.body = w->splice.stub;
	w->target.load = w->splice.load;
	return err;
}

/* Does this kernel let a filter dereference skb->head? */
static bool takes_direct(const struct way *w)
{
	struct filter_programs programs;
	struct filter_code code = {0};
	char why[2048];
	int fd = -1;

	if (!filtertext_compile("ip[9] = 6", &programs, why, sizeof(why)) &&
	    !filter_translate(&programs, &w->target, &code, why, sizeof(why)))
		fd = filtersplice_load(&w->splice, &code);
	filter_code_clear(&code);
	filter_programs_clear(&programs);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* ---- one verdict ---- */

static int run_in_kernel(int fd, const struct packet *p, uint32_t start)
{
	struct __sk_buff ctx = {.cb = {[CB_TAG] = start == NETCAP_LINK_RAW ? 0 : p->tag,
				       [CB_START] = start,
				       [CB_LEN] = p->len}};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = p->bytes,
		    .data_size_in = p->len < TEST_RUN_MIN ? TEST_RUN_MIN : p->len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	int err = bpf_prog_test_run_opts(fd, &options);

	return err ? err : (int)options.retval;
}

static int run_libpcap(const struct filter_programs *programs, const struct packet *p,
		       uint32_t start)
{
	struct filterrun_packet whole = {.bytes = p->bytes, .len = p->len};

	if (start == NETCAP_LINK_RAW) {
		whole.bytes += ETHERNET_BYTES;
		whole.len -= ETHERNET_BYTES;
	} else if (p->tag) {
		whole.bytes = p->tagged;
		whole.len += TAG_BYTES;
	}
	whole.wire_len = whole.len;
	return filterrun_libpcap(start == NETCAP_LINK_RAW ? &programs->raw : &programs->ethernet,
				 &whole);
}

static void report(const char *text, const struct way *w, const struct filter_programs *programs,
		   size_t packet, uint32_t start, int got, int expected)
{
	const struct packet *p = &packets[packet];
	char *classic;

	if (differences++ >= 5)
		return;
	classic = filtertext_classic_text(start == NETCAP_LINK_RAW ? &programs->raw
								   : &programs->ethernet);
	printf("\"%s\" (%s, %s start): the kernel says %d, libpcap %d, for packet %zu, tag %#x:\n",
	       text, w->name, start == NETCAP_LINK_RAW ? "IP" : "Ethernet", got, expected, packet,
	       p->tag);
	for (uint32_t i = 0; i < p->len; i++)
		printf("%02x%s", p->bytes[i], i % 32 == 31 ? "\n" : "");
	printf("\n%s", classic ? classic : "");
	free(classic);
}

/* Verdicts of both kinds among the packets make the expression a telling one. */
static void compare_way(const char *text, const struct way *w, int fd,
			const struct filter_programs *programs, bool *seen)
{
	for (size_t i = 0; i < PACKETS; i++) {
		for (uint32_t start = NETCAP_LINK_ETHERNET; start <= NETCAP_LINK_RAW; start++) {
			int expected = run_libpcap(programs, &packets[i], start);
			int got = run_in_kernel(fd, &packets[i], start);

			runs++;
			seen[expected] = true;
			if (got != expected)
				report(text, w, programs, i, start, got, expected);
		}
	}
}

static void compare_expression(const char *text, const struct filter_programs *programs)
{
	bool seen[2] = {false};

	for (size_t i = 0; i < LEN(ways); i++) {
		struct filter_code code = {0};
		char why[512];
		int fd;

		if (!ways[i].skeleton)
			continue;
		fd = filter_translate(programs, &ways[i].target, &code, why, sizeof(why));
		if (fd)
			printf("\"%s\": %s\n", text, why);
		else
			fd = filtersplice_load(&ways[i].splice, &code);
		filter_code_clear(&code);
		if (fd < 0) {
			printf("\"%s\" (%s): does not load: %s\n", text, ways[i].name,
			       strerror(-fd));
			differences++;
			continue;
		}
		compare_way(text, &ways[i], fd, programs, seen);
		close(fd);
	}
	telling += seen[0] && seen[1];
}

/* ---- all of them ---- */

static size_t compare_known(void)
{
	struct filter_programs programs;
	char why[2048];
	size_t i;

	for (i = 0; filterexprs[i]; i++) {
		if (filtertext_compile(filterexprs[i], &programs, why, sizeof(why))) {
			printf("%s\n", why);
			differences++;
			continue;
		}
		compare_expression(filterexprs[i], &programs);
		filter_programs_clear(&programs);
	}
	return i;
}

/* What cannot be a filter must be refused with a sentence, not run as something else. */
static void check_refused(void)
{
	for (size_t i = 0; filterexprs_refused[i]; i++) {
		struct filter_programs programs;
		struct filter_code code = {0};
		char why[2048];
		int err = filtertext_compile(filterexprs_refused[i], &programs, why, sizeof(why));

		if (!err)
			err = filter_translate(&programs, &ways[0].target, &code, why, sizeof(why));
		if (!err) {
			printf("\"%s\" is not refused\n", filterexprs_refused[i]);
			differences++;
		}
		filter_code_clear(&code);
		filter_programs_clear(&programs);
	}
}

static void compare_random(struct filterrand *r, long count)
{
	for (long done = 0; done < count;) {
		struct filter_programs programs;
		char text[1000], why[4096];

		filterexprs_make(r, text, sizeof(text));
		/* libpcap refuses some combinations (vlan after mpls, nothing can match) */
		if (filtertext_compile(text, &programs, why, sizeof(why)))
			continue;
		compare_expression(text, &programs);
		filter_programs_clear(&programs);
		done++;
	}
}

/*
 * Where bits and range of what Linux 6.18's verifier knows of an offset are at odds: a multiple of 4 that is at least 50, plus
 * 10, is at least 60 by its range and 62 by its bits. Where it is at most 60, which it never is, 62 is left.
 */
static void compare_odd_offset(void)
{
	struct filter_insn insns[] = {
	    {BPF_LD | BPF_B | BPF_ABS, 0, 0, 14}, {BPF_ALU | BPF_AND | BPF_K, 0, 0, 15},
	    {BPF_ALU | BPF_LSH | BPF_K, 0, 0, 2}, {BPF_MISC | BPF_TAX, 0, 0, 0},
	    {BPF_JMP | BPF_JGE | BPF_K, 0, 2, 50}, {BPF_LD | BPF_W | BPF_IND, 0, 0, 10},
	    {BPF_RET | BPF_A, 0, 0, 0},		   {BPF_RET | BPF_K, 0, 0, 0}};
	const struct filter_programs programs = {.ethernet = {insns, LEN(insns)}, .raw = {insns, LEN(insns)}};

	compare_expression("multiple of 4 in [50, 60], plus 10", &programs);
}

/* Programs that libpcap would not make: the verifier must take them, too. */
static void compare_programs(struct filterrand *r, long count)
{
	for (long i = 0; i < count; i++) {
		struct filter_insn insns[FILTERPROGS_MAX];
		size_t n = filterprogs_make(r, insns);
		const struct filter_programs programs = {.ethernet = {insns, n}, .raw = {insns, n}};
		char name[32];

		snprintf(name, sizeof(name), "program %ld", i);
		compare_expression(name, &programs);
	}
}

static void set_casts(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	for (size_t i = 0; btf && i < LEN(ways); i++)
		if (ways[i].by_cast)
			ways[i].target.cast = (struct filter_cast){
			    .function = btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC),
			    .type = btf__find_by_name_kind(btf, "in_addr", BTF_KIND_STRUCT),
			};
	btf__free(btf);
}

static int open_ways(void)
{
	set_casts();
	for (size_t i = 0; i < LEN(ways); i++) {
		int err = open_way(&ways[i]);

		if (err) {
			printf(
			    "SKIP: the kernel does not take the test program (%s); it needs Linux "
			    "6.2, BTF and root\n",
			    strerror(-err));
			return err;
		}
		if (ways[i].optional && !takes_direct(&ways[i])) {
			printf("left out: %s; this kernel's verifier does not take it (Linux 6.17 "
			       "does)\n",
			       ways[i].name);
			filtersplice_clear(&ways[i].splice);
			filter_equality__destroy(ways[i].skeleton);
			ways[i].skeleton = NULL;
		}
	}
	return 0;
}

static void close_ways(void)
{
	for (size_t i = 0; i < LEN(ways); i++) {
		filtersplice_clear(&ways[i].splice);
		filter_equality__destroy(ways[i].skeleton);
	}
}

int main(int argc, char **argv)
{
	long random_count = argc > 1 ? atol(argv[1]) : RANDOM_DEFAULT;
	struct filterrand r = {.state = argc > 2 ? (uint64_t)atoll(argv[2]) : (uint64_t)time(NULL)};
	size_t known;

	printf("seed %llu\n", (unsigned long long)r.state);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (open_ways()) {
		close_ways();
		return EXIT_SKIP;
	}
	make_packets(&r);
	known = compare_known();
	check_refused();
	printf("%zu expressions, %lu of them with verdicts of both kinds\n", known, telling);
	if (telling < 200)
		differences++;
	compare_odd_offset();
	compare_random(&r, random_count);
	compare_programs(&r, random_count);
	close_ways();
	printf(
	    "%zu expressions, %ld random ones and %ld random programs, %d packets, %lu verdicts, "
	    "%lu differences\n",
	    known, random_count, random_count, PACKETS, runs, differences);
	return differences ? EXIT_FAILURE : EXIT_SUCCESS;
}
