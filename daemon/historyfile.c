/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "daemon/historyfile.h"

#define NS_PER_S 1000000000ULL

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static bool is_row(const struct historyfile_row *r, uint64_t now)
{
	return r->first <= r->last && r->last <= now && r->second <= now / NS_PER_S &&
	       is_text(r->location, sizeof(r->location)) && is_text(r->reason, sizeof(r->reason)) &&
	       is_text(r->device, sizeof(r->device));
}

static bool check(const void *data, uint64_t now)
{
	const struct historyfile_data *d = data;

	if (d->began > now || d->count > HISTORYFILE_ROWS || !is_row(&d->overflow, now))
		return false;
	for (size_t i = 0; i < d->count; i++)
		if (!is_row(&d->row[i], now))
			return false;
	return true;
}

static void begin(void *data, uint64_t now)
{
	struct historyfile_data *d = data;

	d->began = now;
}

int historyfile_open(struct historyfile *f, const char *path, uint64_t now, char *why, size_t size)
{
	static const struct bootfile_kind kind = {
		.magic = "netcapdl",
		.version = 1,
		.unit_bytes = sizeof(struct historyfile_row),
		.units = HISTORYFILE_ROWS,
		.bytes = sizeof(struct historyfile_data),
		.name = "drop history",
		.begin = begin,
		.check = check,
	};
	int r = bootfile_open(&f->file, &kind, path, now, why, size);

	f->data = r ? NULL : f->file.data;
	return r;
}

void historyfile_close(struct historyfile *f)
{
	bootfile_close(&f->file);
	f->data = NULL;
}
