/* SPDX-License-Identifier: BSD-2-Clause */
/* Constants of copies: what is taken for a read of one, and the value that comes in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/constants.h"

static void make_read(struct bpf_insn insns[CONSTANTS_INSNS], int size, int16_t off)
{
	insns[0] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
				      .dst_reg = 3,
				      .src_reg = BPF_PSEUDO_MAP_VALUE };
	insns[1] = (struct bpf_insn){};
	insns[2] = (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | size, .dst_reg = 3, .src_reg = 3, .off = off };
}

static uint64_t put(const struct netcap_config *config, int size, size_t off)
{
	struct bpf_insn insns[CONSTANTS_INSNS];

	make_read(insns, size, off);
	assert_true(constants_is_read(insns, CONSTANTS_INSNS));
	constants_put(insns, config);
	assert_int_equal(insns[0].code, BPF_ALU64 | BPF_MOV | BPF_K);
	assert_int_equal(insns[0].dst_reg, 3);
	assert_int_equal(insns[1].code, BPF_LD | BPF_IMM | BPF_DW);
	assert_int_equal(insns[1].dst_reg, 3);
	assert_int_equal(insns[1].src_reg, 0);
	assert_int_equal(insns[2].code, 0);
	return (uint32_t)insns[1].imm | (uint64_t)(uint32_t)insns[2].imm << 32;
}

static void test_values(void **state)
{
	const struct netcap_config config = { .point = 0xfffffffe,
					      .access = 0xab,
					      .indirect_at = 0xbeef,
					      .page_linear = 0x8123456789abcdef,
					      .comm = "abcdefgh" };

	assert_true(put(&config, BPF_W, offsetof(struct netcap_config, point)) == 0xfffffffe);
	assert_true(put(&config, BPF_B, offsetof(struct netcap_config, access)) == 0xab);
	assert_true(put(&config, BPF_H, offsetof(struct netcap_config, indirect_at)) == 0xbeef);
	assert_true(put(&config, BPF_DW, offsetof(struct netcap_config, page_linear)) == 0x8123456789abcdef);
	assert_true(put(&config, BPF_DW, offsetof(struct netcap_config, comm)) == 0x6867666564636261);
}

static void test_what_is_no_read(void **state)
{
	struct bpf_insn insns[CONSTANTS_INSNS];

	make_read(insns, BPF_W, 0);
	assert_false(constants_is_read(insns, CONSTANTS_INSNS - 1));
	insns[2].dst_reg = 4; /* the address lives on */
	assert_false(constants_is_read(insns, CONSTANTS_INSNS));
	make_read(insns, BPF_W, 0);
	insns[2].src_reg = 4;
	assert_false(constants_is_read(insns, CONSTANTS_INSNS));
	make_read(insns, BPF_W, 0);
	insns[1].imm = 8; /* in the middle of the map */
	assert_false(constants_is_read(insns, CONSTANTS_INSNS));
	make_read(insns, BPF_DW, sizeof(struct netcap_config) - 4);
	assert_false(constants_is_read(insns, CONSTANTS_INSNS));
	make_read(insns, BPF_W, -4);
	assert_false(constants_is_read(insns, CONSTANTS_INSNS));
	make_read(insns, BPF_W, 0);
	insns[2].code = BPF_STX | BPF_MEM | BPF_W;
	assert_false(constants_is_read(insns, CONSTANTS_INSNS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_what_is_no_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
