/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

#include <stdio.h>
#include "text.h"

void message(const char *format, ...)
{
	char sentence[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	/* Standard output may be the same terminal: keep the order of what is said. */
	fflush(stdout);
	fputs("netcapctl: ", stderr);
	text_print_safe(stderr, sentence);
	fputc('\n', stderr);
}
