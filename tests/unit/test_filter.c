/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/filter.h>

#include "daemon/filter.h"
#include "daemon/filterdump.h"
#include "daemon/filtertext.h"
#include "tests/filter/filterprogs.h"
#include "tests/filter/filterrun.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct filter_target targets[] = {
    {.access = NETCAP_ACCESS_WINDOW, .var_stack = false, .body = 700, .load = 3},
    {.access = NETCAP_ACCESS_WINDOW, .var_stack = true, .body = 50, .load = 49},
    {.access = NETCAP_ACCESS_DIRECT, .var_stack = false, .body = 123, .load = 0},
    {.access = NETCAP_ACCESS_DIRECT, .cast = {.function = 4711, .type = 815}, .body = 123, .load = 0},
};

static struct filter_insn reject_insn = {.code = BPF_RET | BPF_K};
static const struct filter_classic reject = {.insns = &reject_insn, .count = 1};

/* Runs insns at both starts, for all targets and direct limits, and compares with bpf_filter(). */
static int verdict_of(struct filter_insn *insns, size_t count, const uint8_t *bytes, uint32_t len,
		      uint32_t wire_len)
{
	const struct filter_classic program = {.insns = insns, .count = count};
	struct filterrun_packet packet = {.bytes = bytes, .len = len, .wire_len = wire_len};
	int expected = filterrun_libpcap(&program, &packet);
	const uint32_t limits[] = {0, 12, len / 2, len};
	char why[300];

	for (size_t t = 0; t < 2 * LEN(targets); t++) {
		const struct filter_target *target = &targets[t / 2];
		struct filter_programs programs = {.ethernet = t % 2 ? program : reject,
						   .raw = t % 2 ? reject : program};
		struct filter_code code;

		if (filter_translate(&programs, target, &code, why, sizeof(why)))
			fail_msg("%s", why);
		packet.link = t % 2 ? NETCAP_LINK_ETHERNET : NETCAP_LINK_RAW;
		for (size_t i = 0; i < LEN(limits); i++) {
			int got;

			packet.limit = limits[i] < len ? limits[i] : len;
			got = filterrun(&code, target, &packet, why, sizeof(why));
			if (got < 0)
				fail_msg("%s", why);
			if (got != expected) {
				char *text = filtertext_classic_text(&program);
				char *ebpf = filterdump_code(&code, target->body);

				fail_msg("verdict %d, libpcap's is %d (target %zu, limit %u)\n%s%s",
					 got, expected, t, packet.limit, text, ebpf);
			}
		}
		filter_code_clear(&code);
	}
	return expected;
}

struct example {
	const char *name;
	int verdict;
	struct filter_insn insns[8];
};

/* For these bytes. Programs that are shorter are filled up with "ret #0". */
static const uint8_t example_bytes[] = {0x45, 0x01, 0x82, 0x03, 0x84, 0x05,
					0x86, 0x07, 0x88, 0x09, 0x8a, 0x0b};

#define LD(size, mode, offset)                                                                     \
	{                                                                                          \
		BPF_LD | BPF_##size | BPF_##mode, 0, 0, offset                                     \
	}
#define LDI(value)                                                                                 \
	{                                                                                          \
		BPF_LD | BPF_IMM, 0, 0, value                                                      \
	}
#define LDXI(value)                                                                                \
	{                                                                                          \
		BPF_LDX | BPF_IMM, 0, 0, value                                                     \
	}
#define ALU(op, src, value)                                                                        \
	{                                                                                          \
		BPF_ALU | BPF_##op | BPF_##src, 0, 0, value                                        \
	}
#define JUMP(op, src, value, t, f)                                                                 \
	{                                                                                          \
		BPF_JMP | BPF_##op | BPF_##src, t, f, value                                        \
	}
#define EXPECT(value)                                                                              \
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value},                                                  \
	{                                                                                          \
		BPF_RET | BPF_K, 0, 0, 1                                                           \
	}

static const struct example examples[] = {
    {"return of a constant", 1, {{BPF_RET | BPF_K, 0, 0, 0x80000000}}},
    {"return of A", 1, {LDI(0x80000000), {BPF_RET | BPF_A, 0, 0, 0}}},
    {"A is 0 at the start", 0, {{BPF_RET | BPF_A, 0, 0, 0}}},
    {"X is 0 at the start", 1, {{BPF_MISC | BPF_TXA, 0, 0, 0}, EXPECT(0)}},
    {"byte", 1, {LD(B, ABS, 2), EXPECT(0x82)}},
    {"half-word", 1, {LD(H, ABS, 2), EXPECT(0x8203)}},
    {"odd half-word", 1, {LD(H, ABS, 3), EXPECT(0x0384)}},
    {"word", 1, {LD(W, ABS, 4), EXPECT(0x84058607)}},
    {"word at 2", 1, {LD(W, ABS, 2), EXPECT(0x82038405)}},
    {"odd word", 1, {LD(W, ABS, 1), EXPECT(0x01820384)}},
    {"last byte", 1, {LD(B, ABS, 11), EXPECT(0x0b)}},
    {"byte behind the end", 0, {LD(B, ABS, 12), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"half-word across the end", 0, {LD(H, ABS, 11), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"word across the end", 0, {LD(W, ABS, 9), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"negative offset", 0, {LD(W, ABS, 0xffffff00), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"computed byte", 1, {LDXI(3), LD(B, IND, 4), EXPECT(0x07)}},
    {"computed half-word", 1, {LDXI(3), LD(H, IND, 2), EXPECT(0x0586)}},
    {"computed word", 1, {LDXI(8), LD(W, IND, 0), EXPECT(0x88098a0b)}},
    {"computed, across the end", 0, {LDXI(9), LD(W, IND, 0), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"computed, sum is 2^32", 0, {LDXI(0xffffffff), LD(B, IND, 1), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"computed, k is -1", 0, {LDXI(3), LD(B, IND, 0xffffffff), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"computed, X is 2^31", 0, {LDXI(0x80000000), LD(B, IND, 0), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"computed, both large",
     0,
     {LDXI(0x7fffffff), LD(B, IND, 0x7fffffff), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"length", 1, {{BPF_LD | BPF_W | BPF_LEN, 0, 0, 0}, EXPECT(1500)}},
    {"length in X",
     1,
     {{BPF_LDX | BPF_W | BPF_LEN, 0, 0, 0}, {BPF_MISC | BPF_TXA, 0, 0, 0}, EXPECT(1500)}},
    {"IP header length",
     1,
     {{BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0}, {BPF_MISC | BPF_TXA, 0, 0, 0}, EXPECT(20)}},
    {"IP header length behind the end",
     0,
     {{BPF_LDX | BPF_B | BPF_MSH, 0, 0, 12}, {BPF_RET | BPF_K, 0, 0, 1}}},
    {"memory",
     1,
     {LDI(7),
      {BPF_ST, 0, 0, 15},
      LDI(0),
      {BPF_LDX | BPF_MEM, 0, 0, 15},
      {BPF_MISC | BPF_TXA, 0, 0, 0},
      EXPECT(7)}},
    {"memory from X", 1, {LDXI(9), {BPF_STX, 0, 0, 0}, {BPF_LD | BPF_MEM, 0, 0, 0}, EXPECT(9)}},
    {"add", 1, {LDI(0xffffffff), ALU(ADD, K, 2), EXPECT(1)}},
    {"add X", 1, {LDI(5), LDXI(0xfffffffe), ALU(ADD, X, 0), EXPECT(3)}},
    {"subtract", 1, {LDI(1), ALU(SUB, K, 2), EXPECT(0xffffffff)}},
    {"subtract X", 1, {LDI(1), LDXI(3), ALU(SUB, X, 0), EXPECT(0xfffffffe)}},
    {"multiply", 1, {LDI(0x10001), ALU(MUL, K, 0x10000), EXPECT(0x10000)}},
    {"multiply X", 1, {LDI(7), LDXI(6), ALU(MUL, X, 0), EXPECT(42)}},
    {"divide, unsigned", 1, {LDI(0xfffffffe), ALU(DIV, K, 2), EXPECT(0x7fffffff)}},
    {"divide by a large constant", 1, {LDI(0xffffffff), ALU(DIV, K, 0x80000000), EXPECT(1)}},
    {"divide X", 1, {LDI(43), LDXI(6), ALU(DIV, X, 0), EXPECT(7)}},
    {"divide by 0 in X", 0, {LDI(43), ALU(DIV, X, 0), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"modulo", 1, {LDI(0xffffffff), ALU(MOD, K, 16), EXPECT(15)}},
    {"modulo X", 1, {LDI(43), LDXI(6), ALU(MOD, X, 0), EXPECT(1)}},
    {"modulo 0 in X", 0, {LDI(43), ALU(MOD, X, 0), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"and", 1, {LDI(0xf0f0f0f0), ALU(AND, K, 0xff00ff00), EXPECT(0xf000f000)}},
    {"or", 1, {LDI(0xf0), ALU(OR, K, 0x80000000), EXPECT(0x800000f0)}},
    {"exclusive or", 1, {LDI(0xff), LDXI(0xf0), ALU(XOR, X, 0), EXPECT(0x0f)}},
    {"shift left", 1, {LDI(3), ALU(LSH, K, 31), EXPECT(0x80000000)}},
    {"shift right", 1, {LDI(0x80000000), ALU(RSH, K, 31), EXPECT(1)}},
    {"shift left by X", 1, {LDI(3), LDXI(4), ALU(LSH, X, 0), EXPECT(0x30)}},
    {"shift left by 32 in X", 1, {LDI(3), LDXI(32), ALU(LSH, X, 0), EXPECT(0)}},
    {"shift right by 33 in X", 1, {LDI(3), LDXI(33), ALU(RSH, X, 0), EXPECT(0)}},
    {"negate", 1, {LDI(1), ALU(NEG, K, 0), EXPECT(0xffffffff)}},
    {"greater, unsigned",
     1,
     {LDI(0x80000000), JUMP(JGT, K, 0x7fffffff, 0, 1), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"not greater", 0, {LDI(5), JUMP(JGT, K, 5, 0, 1), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"greater or equal X", 1, {LDI(5), LDXI(5), JUMP(JGE, X, 0, 0, 1), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"bits set", 1, {LDI(0x80000001), JUMP(JSET, K, 0x80000000, 0, 1), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"bits not set", 1, {LDI(1), JUMP(JSET, K, 2, 1, 0), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"equal X", 0, {LDI(1), JUMP(JEQ, X, 0, 0, 1), {BPF_RET | BPF_K, 0, 0, 1}}},
    {"jump over a rejection",
     1,
     {{BPF_JMP | BPF_JA, 0, 0, 1}, {BPF_RET | BPF_K, 0, 0, 0}, {BPF_RET | BPF_K, 0, 0, 1}}},
    {"both ways to the same place",
     1,
     {JUMP(JEQ, K, 0, 1, 1), {BPF_RET | BPF_K, 0, 0, 0}, {BPF_RET | BPF_K, 0, 0, 1}}},
    {"jump to the next instruction", 1, {{BPF_JMP | BPF_JA, 0, 0, 0}, {BPF_RET | BPF_K, 0, 0, 1}}},
};

static void test_examples(void **state)
{
	for (size_t i = 0; i < LEN(examples); i++) {
		struct filter_insn insns[LEN(examples[i].insns) + 1];
		size_t count = LEN(examples[i].insns);

		memcpy(insns, examples[i].insns, sizeof(examples[i].insns));
		while (!insns[count - 1].code)
			count--;
		insns[count++] = reject_insn;
		if (verdict_of(insns, count, example_bytes, sizeof(example_bytes), 1500) !=
		    examples[i].verdict)
			fail_msg("%s: libpcap does not say %d", examples[i].name,
				 examples[i].verdict);
	}
}

/* bpf_filter() leaves scratch memory as it finds it; the translated program begins with zeros. */
static void test_memory_starts_at_zero(void **state)
{
	struct filter_insn insns[] = {{BPF_LD | BPF_MEM, 0, 0, 3},
				      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0},
				      {BPF_RET | BPF_K, 0, 0, 1},
				      {BPF_RET | BPF_K, 0, 0, 0}};
	struct filter_programs programs = {.ethernet = {insns, LEN(insns)}, .raw = reject};
	struct filterrun_packet packet = {.bytes = example_bytes, .link = NETCAP_LINK_ETHERNET};
	struct filter_code code;
	char why[300];

	assert_int_equal(filter_translate(&programs, &targets[0], &code, why, sizeof(why)), 0);
	assert_int_equal(filterrun(&code, &targets[0], &packet, why, sizeof(why)), 1);
	filter_code_clear(&code);
}

static void test_no_link_never_matches(void **state)
{
	struct filter_insn accept = {BPF_RET | BPF_K, 0, 0, 1};
	struct filter_programs programs = {.ethernet = {&accept, 1}, .raw = {&accept, 1}};
	struct filterrun_packet packet = {.bytes = example_bytes};
	struct filter_code code;
	char why[300];

	assert_int_equal(filter_translate(&programs, &targets[0], &code, why, sizeof(why)), 0);
	for (packet.link = 0; packet.link <= NETCAP_LINK_NONE; packet.link++)
		assert_int_equal(filterrun(&code, &targets[0], &packet, why, sizeof(why)),
				 packet.link != NETCAP_LINK_NONE);
	filter_code_clear(&code);
}

static void test_random_programs(void **state)
{
	struct filterrand r = {.state = 20240607};
	struct filter_insn insns[FILTERPROGS_MAX];
	uint8_t bytes[256];
	unsigned matches = 0;

	for (int i = 0; i < 4000; i++) {
		size_t count = filterprogs_make(&r, insns);

		for (int p = 0; p < 4; p++) {
			uint32_t len = filterrand_below(&r, sizeof(bytes) + 1);

			for (uint32_t b = 0; b < len; b++)
				bytes[b] = (uint8_t)filterrand_below(&r, 256);
			matches += (unsigned)verdict_of(insns, count, bytes, len,
							len + filterrand_below(&r, 2));
		}
	}
	/* verdicts of one kind only would prove nothing */
	assert_in_range(matches, 1000, 15000);
}

struct refusal {
	int error;
	const char *word; /* in the sentence */
	struct filter_insn insns[3];
};

static const struct refusal refusals[] = {
    {-EINVAL, "return", {LDI(0), LDI(0), LDI(0)}},
    {-EINVAL, "0xffff", {{0xffff, 0, 0, 0}, LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EINVAL, "0x58", {{0x58, 0, 0, 0}, LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EINVAL, "divides", {ALU(DIV, K, 0), LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EINVAL, "divides", {ALU(MOD, K, 0), LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EINVAL, "32 bits", {ALU(LSH, K, 32), LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EINVAL, "word 16", {{BPF_ST, 0, 0, 16}, LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EOPNOTSUPP,
     "protochain",
     {{BPF_JMP | BPF_JA, 0, 0, 0xffffffff}, LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EINVAL, "jumps", {JUMP(JEQ, K, 0, 2, 0), LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EINVAL, "jumps", {JUMP(JEQ, K, 0, 0, 2), LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EOPNOTSUPP,
     "inbound",
     {LD(H, ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)), LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
    {-EOPNOTSUPP,
     "inbound",
     {LD(W, ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX)), LDI(0), {BPF_RET | BPF_K, 0, 0, 0}}},
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < LEN(refusals); i++) {
		struct filter_insn insns[3];
		struct filter_programs programs = {.ethernet = {insns, 3}, .raw = reject};
		struct filter_code code;
		char why[300] = "";

		memcpy(insns, refusals[i].insns, sizeof(insns));
		assert_int_equal(filter_translate(&programs, &targets[0], &code, why, sizeof(why)),
				 refusals[i].error);
		if (!strstr(why, refusals[i].word))
			fail_msg("\"%s\" is not in \"%s\"", refusals[i].word, why);
		assert_null(code.insns);
		programs = (struct filter_programs){.ethernet = reject, .raw = {insns, 3}};
		assert_int_equal(filter_translate(&programs, &targets[0], &code, why, sizeof(why)),
				 refusals[i].error);
	}
}

static void test_empty_program(void **state)
{
	struct filter_programs programs = {.raw = reject};
	struct filter_code code;
	char why[300];

	assert_int_equal(filter_translate(&programs, &targets[0], &code, why, sizeof(why)),
			 -EINVAL);
}

/* A chain of loads in which the first condition jumps to the end, over all that is between. */
static void test_too_large(void **state)
{
	size_t count = 12000;
	struct filter_insn *insns = calloc(count, sizeof(*insns));
	struct filter_programs programs = {.ethernet = {insns, count}, .raw = reject};
	struct filter_code code;
	char why[300];

	assert_non_null(insns);
	for (size_t i = 0; i < count - 1; i++)
		insns[i] = (struct filter_insn)LD(W, ABS, 1);
	insns[count - 1] = reject_insn;
	assert_int_equal(filter_translate(&programs, &targets[0], &code, why, sizeof(why)), -E2BIG);
	assert_non_null(strstr(why, "too large"));
	free(insns);
}

static void test_text(void **state)
{
	struct filter_programs programs;
	char why[2048];

	assert_int_equal(filtertext_compile("tcp port 80", &programs, why, sizeof(why)), 0);
	assert_true(programs.ethernet.count > 5 && programs.raw.count > 5);
	filter_programs_clear(&programs);
	/* only an Ethernet header says that it is ARP */
	assert_int_equal(filtertext_compile("arp", &programs, why, sizeof(why)), 0);
	assert_true(programs.ethernet.count > 2);
	assert_int_equal(programs.raw.count, 1);
	assert_int_equal(programs.raw.insns[0].k, 0);
	filter_programs_clear(&programs);
	assert_int_equal(filtertext_compile("vlan 5 and tcp", &programs, why, sizeof(why)), 0);
	assert_int_equal(programs.raw.count, 1);
	filter_programs_clear(&programs);
}

static void test_text_errors(void **state)
{
	struct filter_programs programs;
	char why[2048], text[2000];

	assert_int_equal(filtertext_compile("tcp prot 80", &programs, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "tcp prot 80"));
	assert_non_null(strstr(why, "syntax error"));
	assert_null(programs.ethernet.insns);
	assert_int_equal(filtertext_compile("tcp and udp", &programs, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "rejects all packets"));
	assert_non_null(strstr(why, "tcp and udp"));
	memset(text, ' ', sizeof(text));
	text[1025] = 0;
	assert_int_equal(filtertext_compile(text, &programs, why, sizeof(why)), -E2BIG);
	assert_non_null(strstr(why, "1025"));
}

static void test_dumps(void **state)
{
	struct filter_insn insns[] = {LD(H, ABS, 12), EXPECT(0x806), {BPF_RET | BPF_K, 0, 0, 0}};
	struct filter_programs programs = {.ethernet = {insns, LEN(insns)}, .raw = reject};
	struct filter_code code;
	char why[300];
	char *text;

	text = filtertext_classic_text(&programs.ethernet);
	assert_string_equal(text, "(000) ldh      [12]\n"
				  "(001) jeq      #0x806           jt 2\tjf 3\n"
				  "(002) ret      #1\n"
				  "(003) ret      #0\n");
	free(text);
	assert_int_equal(filter_translate(&programs, &targets[2], &code, why, sizeof(why)), 0);
	text = filterdump_code(&code, targets[2].body);
	assert_non_null(strstr(text, " 123: r6 = r1\n"));
	assert_non_null(strstr(text, "r7 = *(u16 *)(r9 +12)\n"));
	assert_non_null(strstr(text, "r7 = be16 r7\n"));
	assert_non_null(strstr(text, ": call 0\n"));
	assert_non_null(strstr(text, "if w7 != 0x806 goto "));
	free(text);
	filter_code_clear(&code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_examples),
	    cmocka_unit_test(test_memory_starts_at_zero),
	    cmocka_unit_test(test_no_link_never_matches),
	    cmocka_unit_test(test_random_programs),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_empty_program),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_text_errors),
	    cmocka_unit_test(test_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
