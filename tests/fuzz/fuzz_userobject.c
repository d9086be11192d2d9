/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of an object with user code in the process that takes it in: any file is refused with a sentence, or becomes code
 * that the daemon takes. The kernel is fakebpf.c, and its types are USERTYPES.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/user_abi.h"
#include "daemon/usercode.h"
#include "daemon/usertake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* As userproc.c reads it. */
static void take_answer(char *answer, size_t size)
{
	const struct usercode_answer *a = (const void *)answer;
	uint8_t bytes[USERCODE_BYTES];
	char text[512];
	struct usercode code;

	check(answer && size >= sizeof(*a) && size < USERCODE_ANSWER);
	if (a->error) {
		const char *why = (const char *)(a + 1);

		check(size > sizeof(*a) && why[0] && memchr(why, 0, size - sizeof(*a)));
		free(answer);
		return;
	}
	check(!usercode_take(answer, size, &code));
	memset(bytes, 0xa5, sizeof(bytes));
	check(usercode_text(&code, bytes, text, sizeof(text)) < sizeof(text));
	for (uint32_t i = 0; i < code.filter.count; i++)
		usercode_line(&code, &code.filter, i);
	usercode_clear(&code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct userchild_request requests[] = { { .filter = 1, .log = 1 }, { .action = 1 } };

	if (size > NETCAP_USER_OBJECT)
		return 0;
	for (int i = 0; i < 2; i++) {
		size_t answer_size;
		char *answer = usertake_answer(&requests[i], data, size, USERTYPES, &answer_size);

		take_answer(answer, answer_size);
	}
	return 0;
}
