/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for the user, on standard error. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdarg.h>

/* Prints "netcapctl: ", the sentence and a newline. Control characters are shown escaped. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
