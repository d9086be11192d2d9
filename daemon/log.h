/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's log: one line an event on standard error, with the journal's priority prefix when
 * systemd reads it (sd-daemon(3)). What has a message id and fields of its own goes through journal.h.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

#define LOG_LINE_BYTES 1024 /* of a line; the rest is cut */

/* To be called once, before the other functions. */
void log_init(void);

/* From now on, only problems are wanted: somebody's terminal is no log. */
void log_only_problems(void);

/* Is what has this priority, of syslog(3), wanted? */
bool log_wants(int priority);

/* Does the journal read standard error? */
bool log_is_journal(void);

/* Logs a line, its control characters as \xNN, without a newline at its end. priority: of syslog(3). */
void log_line(int priority, const char *line);

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warning(const char *format, ...);

#endif
