/* SPDX-License-Identifier: BSD-2-Clause */
/* Any file is refused with a sentence, or read; what was read is fit for the daemon and for a terminal. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/pointchoice.h"
#include "client/profile.h"
#include "limit.h"
#include "pointname.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_text(const char *s)
{
	size_t n;

	for (; s && *s; s += n) {
		n = utf8_length(s, strlen(s));
		check(n && (*s == '\t' || *s == '\n' || (unsigned char)*s >= ' ') && *s != 0x7f);
		check(n != 2 || (unsigned char)s[0] != 0xc2 || (unsigned char)s[1] >= 0xa0);
	}
}

static void check_point(const char *text)
{
	char *copy = strdup(text), *rest = copy, *name, why[512];
	struct pointname parsed;
	size_t count = 0;

	check(copy != NULL);
	while ((name = strsep(&rest, "|"))) {
		if (!*name && !rest)
			break;
		check(!pointname_parse(name, &parsed, why, sizeof(why)));
		count++;
	}
	check(count && count <= POINTCHOICE_MOST);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile p;
	char why[600] = "";
	unsigned line;
	int err = profile_parse(&p, (const char *)data, size, &line, why, sizeof(why));

	check(err == 0 || (err == -EINVAL && *why));
	check_text(why);
	check_text(p.description);
	check_text(p.notes);
	check(p.count <= LIMIT_POINTS && (err || p.count));
	for (size_t i = 0; !err && i < p.count; i++) {
		check_point(p.points[i].text);
		check_text(p.points[i].comment);
		check(p.points[i].line <= line);
	}
	profile_clear(&p);
	return 0;
}
