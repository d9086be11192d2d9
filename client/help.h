/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of --help. */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

/* The overview: all verbs. */
void help_overview(FILE *out);
/* One verb's text, on standard output. */
void help_verb(const char *verb);

#endif
