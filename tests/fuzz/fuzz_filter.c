/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The translated filter's verdict, by the interpreter of the unit tests, is libpcap's: for classic
 * programs and expressions that the input makes, on packets that it makes. The translator must also
 * survive, and refuse or translate correctly, instructions of any kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/filter_abi.h"
#include "daemon/filtertext.h"
#include "tests/filter/filterexprs.h"
#include "tests/filter/filterpackets.h"
#include "tests/filter/filterprogs.h"
#include "tests/filter/filterrun.h"

#define PACKETS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct filter_target targets[] = {
    {.access = NETCAP_ACCESS_WINDOW, .var_stack = false, .body = 400, .load = 7},
    {.access = NETCAP_ACCESS_WINDOW, .var_stack = true, .body = 400, .load = 7},
    {.access = NETCAP_ACCESS_DIRECT, .var_stack = false, .body = 400, .load = 7},
    {.access = NETCAP_ACCESS_DIRECT, .cast = {.function = 4711, .type = 815}, .body = 400, .load = 7},
};

static void compare(const struct filter_programs *programs, const struct filter_target *target,
		    const struct filter_code *code, const struct filterrun_packet *packet)
{
	char why[300] = "";
	int got = filterrun(code, target, packet, why, sizeof(why));
	int expected = filterrun_libpcap(
	    packet->link == NETCAP_LINK_RAW ? &programs->raw : &programs->ethernet, packet);

	if (got == expected)
		return;
	fprintf(stderr, "verdict %d, libpcap's is %d: %s\n", got, expected, why);
	abort();
}

static void compare_packets(struct filterrand *r, const struct filter_programs *programs)
{
	const struct filter_target *target = &FILTERRAND_PICK(r, targets);
	struct filter_code code;
	char why[600];

	/* what these programs are made of is valid; only their size can be refused */
	if (filter_translate(programs, target, &code, why, sizeof(why)))
		return;
	for (int i = 0; i < PACKETS; i++) {
		uint8_t bytes[FILTERPACKETS_MAX];
		struct filterrun_packet packet = {.len = filterpackets_make(r, bytes)};
		/* exactly as long as the packet, so that a read behind it is seen */
		uint8_t *exact = malloc(packet.len ? packet.len : 1);

		if (!exact)
			abort();
		memcpy(exact, bytes, packet.len);
		packet.bytes = exact;
		packet.wire_len = packet.len + filterrand_below(r, 2);
		packet.limit = filterrand_below(r, packet.len + 1);
		packet.link = filterrand_below(r, 2);
		compare(programs, target, &code, &packet);
		free(exact);
	}
	filter_code_clear(&code);
}

static void fuzz_program(struct filterrand *r)
{
	struct filter_insn insns[FILTERPROGS_MAX], reject = {.code = 0x06};
	struct filter_programs programs = {.ethernet = {insns, filterprogs_make(r, insns)},
					   .raw = {&reject, 1}};

	if (filterrand_one_in(r, 2)) {
		programs.raw = programs.ethernet;
		programs.ethernet = (struct filter_classic){&reject, 1};
	}
	compare_packets(r, &programs);
}

static void fuzz_expression(struct filterrand *r)
{
	struct filter_programs programs;
	char text[1000], why[4096];

	filterexprs_make(r, text, sizeof(text));
	if (filtertext_compile(text, &programs, why, sizeof(why)))
		return;
	compare_packets(r, &programs);
	filter_programs_clear(&programs);
}

/* Any bytes as instructions. What is taken may loop in bpf_filter() no more than it may here. */
static void fuzz_instructions(const uint8_t *data, size_t size)
{
	size_t count = size / sizeof(struct filter_insn);
	struct filter_insn *insns = malloc(size + 1);
	struct filter_programs programs = {.ethernet = {insns, count}, .raw = {insns, count}};
	struct filterrun_packet packet = {.bytes = data, .len = (uint32_t)size};
	struct filter_code code;
	char why[600] = "";

	if (!insns)
		abort();
	memcpy(insns, data, size);
	if (!filter_translate(&programs, &targets[size % 3], &code, why, sizeof(why))) {
		if (filterrun(&code, &targets[size % 3], &packet, why, sizeof(why)) < 0) {
			fprintf(stderr, "%s\n", why);
			abort();
		}
		filter_code_clear(&code);
	} else if (!*why) {
		abort();
	}
	free(insns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct filterrand r;

	if (size < 2)
		return 0;
	r = (struct filterrand){.data = data + 1, .left = size - 1};
	if (data[0] % 3 == 0)
		fuzz_program(&r);
	else if (data[0] % 3 == 1)
		fuzz_expression(&r);
	else
		fuzz_instructions(data + 1, size - 1);
	return 0;
}
