/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <sys/stat.h>

#include "daemon/log.h"

static bool to_journal, only_problems;

/* Names and texts of others may hold any byte: none may begin a line or move a terminal's cursor. */
static void escape(const char *line, char *text)
{
	for (size_t i = 0; line[i] && i < LOG_LINE_BYTES; i++) {
		unsigned char c = line[i];

		if (c < ' ' || c == 0x7f)
			text += sprintf(text, "\\x%02x", c);
		else
			*text++ = c;
	}
	*text = 0;
}

void log_line(int priority, const char *line)
{
	char text[4 * LOG_LINE_BYTES + 1];

	escape(line, text);
	if (to_journal)
		fprintf(stderr, "<%d>%s\n", priority, text);
	else
		fprintf(stderr, "netcapd: %s\n", text);
}

static void write_line(int priority, const char *format, va_list arguments)
{
	char line[LOG_LINE_BYTES];

	vsnprintf(line, sizeof(line), format, arguments);
	log_line(priority, line);
}

/* libbpf's own words go nowhere: what fails is told by the caller, in the user's terms. */
static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

/*
 * Is standard error the stream to the journal that systemd opened, and not a file or terminal that came in its place
 * later? $JOURNAL_STREAM is "DEVICE:INODE" of that stream (systemd.exec(5)).
 */
static bool is_journal_stream(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat status;

	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &status) && status.st_dev == device && status.st_ino == inode;
}

void log_init(void)
{
	to_journal = is_journal_stream();
	libbpf_set_print(quiet);
}

bool log_is_journal(void)
{
	return to_journal;
}

void log_only_problems(void)
{
	only_problems = true;
}

bool log_wants(int priority)
{
	return !only_problems || priority <= LOG_WARNING;
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(LOG_ERR, format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(LOG_WARNING, format, arguments);
	va_end(arguments);
}
