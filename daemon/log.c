/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/libbpf.h>
#include <systemd/sd-daemon.h>

#include "daemon/log.h"

#define LINE_BYTES 1024

static bool to_journal, only_problems;

static void write_line(const char *priority, const char *format, va_list arguments)
{
	char line[LINE_BYTES];

	vsnprintf(line, sizeof(line), format, arguments);
	fprintf(stderr, "%s%s\n", to_journal ? priority : "netcapd: ", line);
}

/* libbpf's own words go nowhere: what fails is told by the caller, in the user's terms. */
static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

void log_init(void)
{
	to_journal = getenv("JOURNAL_STREAM") != NULL;
	libbpf_set_print(quiet);
}

void log_only_problems(void)
{
	only_problems = true;
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(SD_ERR, format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(SD_WARNING, format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	if (only_problems)
		return;
	va_start(arguments, format);
	write_line(SD_INFO, format, arguments);
	va_end(arguments);
}
