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

#include "cppname.h"
#include "elfdebug.h"
#include "elfsymbol.h"
#include "target.h"

#define PIE TARGET("target_pie")

static int find(const char *path, const char *text, struct elfsymbol *found, char *why, size_t size)
{
	struct elffile f;
	int err;

	target_open(&f, path);
	why[0] = '\0';
	err = elfsymbol_find(&f, NULL, text, found, why, size);
	elffile_close(&f);
	return err;
}

static void names_and_addresses_find_functions(void **state)
{
	static const struct {
		const char *text, *name; /* of the symbol */
		uint64_t into;
	} cases[] = {
		{ "target_function", "target_function", 0 },
		{ "target_alias", "target_function", 0 },
		{ "target_function+1", "target_function", 1 },
		{ "target_function+0x2", "target_function", 2 },
		{ "target_assembler", "target_assembler", 0 },
		{ "main", "main", 0 },
		{ "_ZN2ns5Class6methodEi", "_ZN2ns5Class6methodEi", 0 },
		{ "ns::Class::method(int)", "_ZN2ns5Class6methodEi", 0 },
		{ "ns::single", "_ZN2ns6singleEv", 0 }, /* neither the cold part nor the thunk */
		{ "ns::single+3", "_ZN2ns6singleEv", 3 },
		{ "ns::template", "_ZN2ns8templateIiEEvT_", 0 },
		{ "ns::template<int>", "_ZN2ns8templateIiEEvT_", 0 },
		{ "ns::Class::const", "_ZNK2ns5Class5constEv", 0 },
		{ "ns::operator+", "_ZN2nsplERKNS_5ClassES2_", 0 },
	};
	static const char *const paths[] = { PIE, TARGET("target_fixed") };
	struct elfsymbol found;
	char why[1024];

	for (size_t p = 0; p < 2; p++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			if (find(paths[p], cases[i].text, &found, why, sizeof(why)))
				fail_msg("%s: %s", cases[i].text, why);
			assert_int_equal(found.address, target_address(paths[p], cases[i].name) + cases[i].into);
		}
}

static void offsets_are_those_of_the_file(void **state)
{
	uint64_t address = target_address(PIE, "target_function"), offset;
	struct elfsymbol found, again;
	struct elffile f;
	char why[1024], text[32];

	assert_int_equal(find(PIE, "target_function", &found, why, sizeof(why)), 0);
	target_open(&f, PIE);
	assert_true(elffile_offset(&f, address, true, &offset));
	elffile_close(&f);
	assert_int_equal(found.offset, offset);
	snprintf(text, sizeof(text), "0x%lx", (unsigned long)address);
	assert_int_equal(find(PIE, text, &again, why, sizeof(why)), 0);
	assert_memory_equal(&again, &found, sizeof(found));
}

static void both_tables_are_looked_at(void **state)
{
	struct elfsymbol found;
	char why[1024];

	assert_int_equal(find(TARGET("libtarget_shared.so"), "only_shared", &found, why, sizeof(why)), 0);
	/* stripped: .dynsym has what others use, and not the rest */
	assert_int_equal(find("/lib/x86_64-linux-gnu/libc.so.6", "getpid", &found, why, sizeof(why)), 0);
	assert_int_equal(find(TARGET("target_stripped"), "target_function", &found, why, sizeof(why)), -ENOENT);
}

static void symbols_of_a_debug_file_are_places_in_the_program(void **state)
{
	struct elffile f, debug;
	struct elfsymbol found, wanted;
	char why[1024];

	assert_int_equal(find(PIE, "target_function", &wanted, why, sizeof(why)), 0);
	target_open(&f, TARGET("target_stripped"));
	assert_int_equal(elfdebug_open(&debug, &f, -1, why, sizeof(why)), 0);
	assert_int_equal(elfsymbol_find(&f, &debug, "target_function", &found, why, sizeof(why)), 0);
	assert_memory_equal(&found, &wanted, sizeof(found));
	assert_int_equal(elfsymbol_find(&f, &debug, "ns::single", &found, why, sizeof(why)), 0);
	elffile_close(&debug);
	elffile_close(&f);
}

static void what_is_not_found_is_said_in_a_sentence(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *why[3];
	} cases[] = {
		{ "target_functio", -ENOENT, { "target_pie has no function \"target_functio\"; there are "
					       "\"target_function\"" } },
		{ "target_data", -ENOENT, { "has no function \"target_data\"" } },
		{ "only_shared", -ENOENT, { "calls \"only_shared\", which is in another object" } },
		{ "getpid", -ENOENT, { "calls \"getpid\", which is in another object" } },
		{ "target_ifunc", -EOPNOTSUPP, { "\"target_ifunc\" of ", "is chosen as the program starts (IFUNC)" } },
		{ "target_twin", -ENOTUNIQ, { "2 functions of ", "have the name \"target_twin\": 0x",
					      "give the address" } },
		{ "ns::Class::method", -ENOTUNIQ, { "\"ns::Class::method(int)\"", "\"ns::Class::method(long)\"",
						    ": 0x" } },
		{ "ns::Class::metho", -ENOENT, { "has no function \"ns::Class::metho\"" } },
		{ "target_function+0x10000", -EINVAL, { "\"target_function\" of ", " bytes: give an offset" } },
		{ "target_assembler+0x10000000", -EINVAL, { "is not in the code of " } },
		{ "target_function+", -EINVAL, { "has no number of bytes behind its \"+\"" } },
		{ "target_function+x", -EINVAL, { "has no number of bytes behind its \"+\"" } },
		{ "", -EINVAL, { "is no name of a function" } },
		{ "0x", -EINVAL, { "is no address" } },
		{ "0x12z", -EINVAL, { "is no address" } },
		{ "0x0", -EINVAL, { "the address \"0x0\" is not in the code of " } },
		{ "0xffffffffffffffff", -EINVAL, { "is not in the code of " } },
		{ "bad\033[31m", -ENOENT, { "\"bad\\x1b[31m\"" } },
	};
	struct elfsymbol found;
	char why[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(find(PIE, cases[i].text, &found, why, sizeof(why)), cases[i].err);
		for (int j = 0; j < 3 && cases[i].why[j]; j++)
			if (!strstr(why, cases[i].why[j]))
				fail_msg("%s: %s", cases[i].text, why);
	}
	assert_int_equal(find(TARGET("target_stripped"), "none", &found, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "has no symbols of its functions, so \"none\" is not found in it: install its "
				    "debug symbols"));
}

static void several_are_listed_with_addresses_that_work(void **state)
{
	struct elfsymbol found;
	char why[1024], first[32];

	assert_int_equal(find(PIE, "target_twin", &found, why, sizeof(why)), -ENOTUNIQ);
	assert_int_equal(sscanf(strstr(why, ": 0x") + 2, "%31[0-9a-fx]", first), 1);
	assert_int_equal(find(PIE, first, &found, why, sizeof(why)), 0);
}

static void sentences_fit_small_rooms(void **state)
{
	struct elfsymbol found;
	char why[64];

	for (size_t size = 1; size < sizeof(why); size++) {
		memset(why, 'x', sizeof(why));
		find(PIE, "ns::Class::method", &found, why, size);
		assert_true(strlen(why) < size && why[size] == 'x');
		find(PIE, "target_functio", &found, why, size);
		assert_true(strlen(why) < size && why[size] == 'x');
	}
}

static void names_of_cpp(void **state)
{
	assert_true(cppname_available());
	assert_true(cppname_matches("ns::f(int)", "ns::f"));
	assert_true(cppname_matches("ns::f[abi:cxx11](int)", "ns::f"));
	assert_true(cppname_matches("void ns::f<int>(int)", "ns::f"));
	assert_true(cppname_matches("std::map<int, ns::a> ns::f<int>(int)", "ns::f"));
	assert_true(cppname_matches("(anonymous namespace)::f()", "(anonymous namespace)::f"));
	assert_false(cppname_matches("ns::ff(int)", "ns::f"));
	assert_false(cppname_matches("a::ns::f(int)", "ns::f"));
	assert_false(cppname_matches("g(ns::f)", "ns::f"));
	assert_false(cppname_matches("std::map<int, ns::f> g<int>(int)", "ns::f"));
	assert_false(cppname_is_function("printf"));
	assert_true(cppname_may_match("_ZN2ns5Class6methodEi", "ns::Class::method(int)"));
	assert_true(cppname_may_match("_ZN2ns8templateIiEEvT_", "ns::template<int>"));
	assert_true(cppname_may_match("_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f"));
	assert_true(cppname_may_match("_ZN2nsnwEm", "ns::operator new"));
	assert_false(cppname_may_match("_ZN2ns5Class6methodEi", "ns::Class::other"));
	assert_false(cppname_may_match("method", "method"));
	assert_null(cppname_demangle("_Z"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_addresses_find_functions),
		cmocka_unit_test(offsets_are_those_of_the_file),
		cmocka_unit_test(both_tables_are_looked_at),
		cmocka_unit_test(symbols_of_a_debug_file_are_places_in_the_program),
		cmocka_unit_test(what_is_not_found_is_said_in_a_sentence),
		cmocka_unit_test(several_are_listed_with_addresses_that_work),
		cmocka_unit_test(sentences_fit_small_rooms),
		cmocka_unit_test(names_of_cpp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
