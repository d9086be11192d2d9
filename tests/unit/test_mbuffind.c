/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mbufdwarf.h"
#include "mbuffind.h"
#include "mbufmembers.h"
#include "target.h"
#include "usertarget.h"

/* As targets/mbuf.c has them, and nobody else. */
static const struct mbuf_layout made = { .buf_addr = 16, .next = 24, .data_off = 34, .port = 36, .ol_flags = 40,
					 .pkt_len = 64, .data_len = 68, .vlan_tci = 72, .vlan_tci_outer = 76 };

static void dwarf_tells_members_of_unnamed_unions(void **state)
{
	static const char *const paths[] = { TARGET("target_dwarf4"), TARGET("target_dwarf5") };
	struct mbuf_layout l;
	struct elffile f;

	for (size_t i = 0; i < 2; i++) {
		target_open(&f, paths[i]);
		assert_true(mbufdwarf_find(&f, -1, &l));
		assert_memory_equal(&l, &made, sizeof(l));
		elffile_close(&f);
	}
	target_open(&f, TARGET("target_plain"));
	assert_false(mbufdwarf_find(&f, -1, &l));
	elffile_close(&f);
}

static void dwarf_of_a_common_file(void **state)
{
	struct mbuf_layout l;
	struct elffile f;

	target_open(&f, TARGET("target_refers_to_none"));
	assert_false(mbufdwarf_find(&f, -1, &l));
	elffile_close(&f);
	target_open(&f, TARGET("target_refers"));
	assert_true(mbufdwarf_find(&f, -1, &l));
	assert_memory_equal(&l, &made, sizeof(l));
	elffile_close(&f);
}

static void btf_tells_them_too(void **state)
{
	struct mbuf_layout l;
	struct elffile f;

	target_open(&f, TARGET("target_btf"));
	assert_true(mbuffind_by_btf(&f, &l));
	assert_memory_equal(&l, &made, sizeof(l));
	elffile_close(&f);
	target_open(&f, TARGET("target_plain"));
	assert_false(mbuffind_by_btf(&f, &l));
	elffile_close(&f);
}

static void damaged_btf_is_none(void **state)
{
	struct elffile_bytes b;
	struct mbuf_layout l;
	struct elffile f;

	for (size_t at = 0; at < 24; at++) { /* its header */
		target_open(&f, TARGET("target_btf"));
		assert_true(elffile_section(&f, ".BTF", &b));
		memset((uint8_t *)(uintptr_t)b.bytes + at, 0xff, 1);
		mbuffind_by_btf(&f, &l);
		if (at < 2) /* the magic number */
			assert_false(mbuffind_by_btf(&f, &l));
		elffile_close(&f);
	}
}

static void members_that_are_missing_or_far_away_make_none(void **state)
{
	struct mbufmembers m = { .seen = 0 };

	for (size_t i = 0; i < MBUFLAYOUT_FIELDS; i++) {
		assert_false(mbufmembers_complete(&m));
		mbufmembers_note(&m, mbuflayout_names[i], MBUFLAYOUT_MOST + 1);
		assert_false(mbufmembers_complete(&m));
		mbufmembers_note(&m, mbuflayout_names[i], 8 * i);
		mbufmembers_note(&m, mbuflayout_names[i], 3); /* the first counts */
	}
	assert_true(mbufmembers_complete(&m));
	assert_int_equal(m.layout.data_off, 8);
}

static void names_of_libraries_have_the_number(void **state)
{
	assert_int_equal(mbuffind_abi_of_name("librte_mbuf.so.23"), 23);
	assert_int_equal(mbuffind_abi_of_name("/usr/lib/x86_64-linux-gnu/librte_eal.so.20.0.3"), 20);
	assert_int_equal(mbuffind_abi_of_name("/lib/librte_ethdev.so.26.0"), 26);
	assert_int_equal(mbuffind_abi_of_name("/librte_mbuf.so.23/libc.so.6"), 0);
	assert_int_equal(mbuffind_abi_of_name("librte_mbuf.so"), 0);
	assert_int_equal(mbuffind_abi_of_name("librte_mbuf.so."), 0);
	assert_int_equal(mbuffind_abi_of_name("librte_mbuf.so.x"), 0);
	assert_true(mbuffind_abi_of_name("librte_mbuf.so.99999999999999999999") > 26);
}

static unsigned abi_of(const char *path)
{
	struct elffile f;
	unsigned abi;

	target_open(&f, path);
	abi = mbuffind_abi_of_file(&f);
	elffile_close(&f);
	return abi;
}

static void files_have_the_number(void **state)
{
	assert_int_equal(abi_of(TARGET("target_needs")), 23);
	assert_int_equal(abi_of(TARGET("libtarget_mbuf.so")), 23);
	assert_int_equal(abi_of(TARGET("target_static")), 20);
	assert_int_equal(abi_of(TARGET("target_plain")), 0);
}

/* Offsets of the structure in the versions of DPDK that mbuffind.h names. */
static void numbers_have_layouts(void **state)
{
	static const struct mbuf_layout first = { 0, 16, 22, 24, 36, 40, 42, 52, 80 };
	static const struct mbuf_layout later = { 0, 16, 22, 24, 36, 40, 42, 52, 64 };
	const char *versions;
	struct mbuf_layout l;

	assert_true(mbuffind_by_abi(20, &l, &versions));
	assert_memory_equal(&l, &first, sizeof(l));
	assert_string_equal(versions, "19.11 to 20.08");
	for (unsigned abi = 21; abi <= 26; abi++) {
		assert_true(mbuffind_by_abi(abi, &l, &versions));
		assert_memory_equal(&l, &later, sizeof(l));
	}
	assert_string_equal(versions, "25.11 to 26.07");
	assert_false(mbuffind_by_abi(19, &l, &versions));
	assert_false(mbuffind_by_abi(27, &l, &versions));
	assert_false(mbuffind_by_abi(0, &l, &versions));
}

static int layout_of(const char *path, struct mbuf_layout *l, char *from, char *why, size_t size)
{
	struct usertarget t;
	int err;

	assert_int_equal(usertarget_open_file(&t, path, why, size), 0);
	err = usertarget_mbuf_layout(&t, NULL, l, from, size, why, size);
	usertarget_close(&t);
	return err;
}

static void the_best_source_is_taken_and_named(void **state)
{
	char from[512], why[512];
	struct mbuf_layout l;

	assert_int_equal(layout_of(TARGET("target_dwarf5"), &l, from, why, sizeof(why)), 0);
	assert_string_equal(from, "DWARF of " TARGET("target_dwarf5"));
	assert_memory_equal(&l, &made, sizeof(l));
	assert_int_equal(layout_of(TARGET("target_btf"), &l, from, why, sizeof(why)), 0);
	assert_string_equal(from, "BTF of " TARGET("target_btf"));
	assert_int_equal(layout_of(TARGET("target_needs"), &l, from, why, sizeof(why)), 0);
	assert_string_equal(from, "the version of DPDK, 22.11 to 23.07, by " TARGET("target_needs"));
	assert_int_equal(l.next, 64);
	assert_int_equal(layout_of(TARGET("target_static"), &l, from, why, sizeof(why)), 0);
	assert_int_equal(l.next, 80);
}

static void no_source_is_said_in_a_sentence(void **state)
{
	char from[512], why[512];
	struct mbuf_layout l;

	assert_int_equal(layout_of(TARGET("target_plain"), &l, from, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "target_plain says where the members of struct rte_mbuf are"));
	assert_non_null(strstr(why, "or give --mbuf-layout"));
	assert_int_equal(layout_of(TARGET("target_unknown"), &l, from, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "is not known here (ABI 99)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dwarf_tells_members_of_unnamed_unions),
		cmocka_unit_test(dwarf_of_a_common_file),
		cmocka_unit_test(btf_tells_them_too),
		cmocka_unit_test(damaged_btf_is_none),
		cmocka_unit_test(members_that_are_missing_or_far_away_make_none),
		cmocka_unit_test(names_of_libraries_have_the_number),
		cmocka_unit_test(files_have_the_number),
		cmocka_unit_test(numbers_have_layouts),
		cmocka_unit_test(the_best_source_is_taken_and_named),
		cmocka_unit_test(no_source_is_said_in_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
