/* SPDX-License-Identifier: BSD-2-Clause */
/* Text in the OpenMetrics format, version 1.0, as it is written: one family after the other, each with its samples. */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPENMETRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum openmetrics_type { OPENMETRICS_COUNTER, OPENMETRICS_GAUGE, OPENMETRICS_INFO };

struct openmetrics_label {
	const char *name;  /* NULL: the end of the list */
	const char *value; /* any bytes */
};

struct openmetrics {
	FILE *file; /* owned */
	char *text;
	size_t size;
	const char *family; /* the one that is written */
	enum openmetrics_type type;
};

/* 0 or -ENOMEM; what runs out later is told by openmetrics_end(). */
int openmetrics_begin(struct openmetrics *o);
/*
 * Begins a family. name is without _total and _info, which its samples get, and a literal; unit: how name ends, or
 * NULL; help: a sentence, without \ and newlines.
 */
void openmetrics_family(struct openmetrics *o, enum openmetrics_type type, const char *name, const char *unit,
			const char *help);
/*
 * A sample of that family; labels may be NULL. Bytes of a label that are no printable UTF-8, and \, are \xNN for those
 * who read it, as in Drops: values that differ stay different.
 */
void openmetrics_sample(struct openmetrics *o, const struct openmetrics_label *labels, uint64_t value);
/* The same without labels, for a number of nanoseconds that is shown in seconds. */
void openmetrics_seconds(struct openmetrics *o, uint64_t nanoseconds);
/* The whole text, the caller's to free, or NULL: out of memory. Nothing is left in *o. */
char *openmetrics_end(struct openmetrics *o);

#endif
