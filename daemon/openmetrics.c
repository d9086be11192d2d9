/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/openmetrics.h"
#include "utf8.h"

#define NS_PER_S UINT64_C(1000000000)

static const char *const type_names[] = {
    [OPENMETRICS_COUNTER] = "counter", [OPENMETRICS_GAUGE] = "gauge", [OPENMETRICS_INFO] = "info"};
static const char *const suffixes[] = {
    [OPENMETRICS_COUNTER] = "_total", [OPENMETRICS_GAUGE] = "", [OPENMETRICS_INFO] = "_info"};

int openmetrics_begin(struct openmetrics *o)
{
	*o = (struct openmetrics){};
	o->file = open_memstream(&o->text, &o->size);
	return o->file ? 0 : -ENOMEM;
}

void openmetrics_family(struct openmetrics *o, enum openmetrics_type type, const char *name, const char *unit,
			const char *help)
{
	o->family = name;
	o->type = type;
	fprintf(o->file, "# TYPE %s %s\n", name, type_names[type]);
	if (unit)
		fprintf(o->file, "# UNIT %s %s\n", name, unit);
	fprintf(o->file, "# HELP %s %s\n", name, help);
}

/* Control characters of Latin-1, U+0080 to U+009F, are two bytes that begin with 0xc2. */
static bool is_printable(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text;

	return len > 1 ? c[0] != 0xc2 || c[1] >= 0xa0 : *c >= ' ' && *c != 0x7f && *c != '\\';
}

static void write_value(FILE *file, const char *text)
{
	size_t left = strlen(text), len;

	for (; left; text += len, left -= len) {
		len = utf8_length(text, left);
		if (!len || !is_printable(text, len)) {
			len = 1;
			fprintf(file, "\\\\x%02x", (unsigned char)*text);
		} else if (*text == '"') {
			fputs("\\\"", file);
		} else {
			fwrite(text, len, 1, file);
		}
	}
}

void openmetrics_sample(struct openmetrics *o, const struct openmetrics_label *labels, uint64_t value)
{
	char before = '{';

	fprintf(o->file, "%s%s", o->family, suffixes[o->type]);
	for (; labels && labels->name; labels++, before = ',') {
		fprintf(o->file, "%c%s=\"", before, labels->name);
		write_value(o->file, labels->value);
		fputc('"', o->file);
	}
	fprintf(o->file, "%s %" PRIu64 "\n", before == ',' ? "}" : "", value);
}

void openmetrics_seconds(struct openmetrics *o, uint64_t nanoseconds)
{
	fprintf(o->file, "%s%s %" PRIu64 ".%06" PRIu64 "\n", o->family, suffixes[o->type],
		nanoseconds / NS_PER_S, nanoseconds % NS_PER_S / 1000);
}

char *openmetrics_end(struct openmetrics *o)
{
	bool failed;
	char *text;

	fputs("# EOF\n", o->file);
	failed = ferror(o->file);
	failed |= fclose(o->file) != 0;
	text = o->text;
	*o = (struct openmetrics){};
	if (!failed)
		return text;
	free(text);
	return NULL;
}
