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

#include "tcpdumpflags.h"

/* The words that tcpdump gets, joined by "|". */
static void assert_words(const char *text, const char *expected, struct stamp expected_stamp)
{
	struct tcpdumpflags f;
	char why[256], joined[256] = "";

	assert_int_equal(tcpdumpflags_parse(&f, text, why, sizeof(why)), 0);
	for (int i = 0; f.words[i]; i++) {
		strcat(joined, i ? "|" : "");
		strcat(joined, f.words[i]);
	}
	assert_string_equal(joined, expected);
	assert_int_equal(f.stamp.style, expected_stamp.style);
	assert_int_equal(f.stamp.number, expected_stamp.number);
	assert_int_equal(f.stamp.nano, expected_stamp.nano);
	tcpdumpflags_clear(&f);
}

static void printing_flags_go_to_tcpdump(void **state)
{
	const struct stamp plain = {.style = STAMP_CLOCK};

	assert_words("", "", plain);
	assert_words("  -nn  -v\t-XX ", "-nn|-v|-XX", plain);
	assert_words("-nnvve", "-nnvve", plain);
	assert_words("-T vxlan", "-T|vxlan", plain);
	assert_words("-nTvxlan", "-nTvxlan", plain);
	assert_words("-nM 'a \"secret'", "-nM|a \"secret", plain);
	assert_words("-M \"\"", "-M|", plain);
	assert_words("-n\"v\"'v'", "-nvv", plain);
	assert_words("--absolute-tcp-sequence-numbers", "--absolute-tcp-sequence-numbers", plain);
}

static void numbers_and_times_stay_here(void **state)
{
	assert_words("-#", "", (struct stamp){.number = true});
	assert_words("--number --nano", "", (struct stamp){.number = true, .nano = true});
	assert_words("-n#v", "-nv", (struct stamp){.number = true});
	assert_words("-tttt", "", (struct stamp){.style = STAMP_DATE});
	assert_words("-ntt -vt", "-n|-v", (struct stamp){.style = STAMP_DELTA});
	assert_words("-tTvxlan -n", "-Tvxlan|-n", (struct stamp){.style = STAMP_NONE});
	assert_words("-tT vxlan -n", "-T|vxlan|-n", (struct stamp){.style = STAMP_NONE});
	assert_words("--time-stamp-precision=nano", "", (struct stamp){.nano = true});
	assert_words("--time-stamp-precision nano -n", "-n", (struct stamp){.nano = true});
	assert_words("--nano --micro", "", (struct stamp){.nano = false});
}

static void assert_refused(const char *text, const char *word)
{
	struct tcpdumpflags f;
	char why[256] = "";

	assert_int_equal(tcpdumpflags_parse(&f, text, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, word));
	tcpdumpflags_clear(&f);
}

static void all_other_flags_are_refused(void **state)
{
	static const char others[] = "BCDFGIJLPQRVWYZacdfghijkmorwyz01";

	for (size_t i = 0; others[i]; i++) {
		char alone[] = "-?", last[] = "-nn?", attached[] = "-?/tmp/file";
		const char letter[] = {'-', others[i], '\0'};

		alone[1] = last[3] = attached[1] = others[i];
		assert_refused(alone, letter);
		assert_refused(last, letter);
		assert_refused(attached, letter);
	}
	assert_refused("-w /tmp/file", "-w FILE");
	assert_refused("-c 3", "-c N");
	assert_refused("--version", "--version");
	assert_refused("--print", "--print");
	assert_refused("--num", "--num");
	assert_refused("--", "--");
}

static void words_that_are_no_flags_are_refused(void **state)
{
	assert_refused("-nn host 10.0.0.1", "host");
	assert_refused("-", "-");
	assert_refused("''", "\"\"");
	assert_refused("-T", "-T");
	assert_refused("-E 'file /etc/shadow'", "-E");
	assert_refused("-n 'x", "never closed");
	assert_refused("-tttttt", "five");
	assert_refused("--time-stamp-precision", "micro or nano");
	assert_refused("--time-stamp-precision=pico", "micro or nano");
	assert_refused("-n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n -n "
		       "-n -n -n -n -n -n -n -n -n",
		       "words");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printing_flags_go_to_tcpdump),
		cmocka_unit_test(numbers_and_times_stay_here),
		cmocka_unit_test(all_other_flags_are_refused),
		cmocka_unit_test(words_that_are_no_flags_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
