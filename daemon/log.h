/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's log: one line an event on standard error, with the journal's priority prefix when
 * systemd reads it (sd-daemon(3)).
 */
#ifndef LOG_H
#define LOG_H

/* To be called once, before the other functions. */
void log_init(void);

/* From now on, log_info() does nothing: somebody's terminal is no log. */
void log_only_problems(void);

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warning(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);

#endif
