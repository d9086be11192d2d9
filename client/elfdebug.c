/* SPDX-License-Identifier: BSD-2-Clause */
#include "elfdebug.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define DEBUG_DIR "/usr/lib/debug"
#define ID_BYTES_MOST 64

static bool has_id(const struct elffile *f, const uint8_t *id, size_t len)
{
	size_t own_len;
	const uint8_t *own = elffile_build_id(f, &own_len);

	return own && own_len == len && !memcmp(own, id, len);
}

static int open_by_id(struct elffile *debug, int root, const uint8_t *id, size_t len)
{
	char path[sizeof(DEBUG_DIR "/.build-id/xx/.debug") + 2 * ID_BYTES_MOST], why[256];
	int n;

	if (len < 2 || len > ID_BYTES_MOST)
		return -ENOENT;
	n = sprintf(path, DEBUG_DIR "/.build-id/%02x/", id[0]);
	for (size_t i = 1; i < len; i++)
		n += sprintf(path + n, "%02x", id[i]);
	strcpy(path + n, ".debug");
	if (elffile_open_data(debug, root, path, why, sizeof(why)))
		return -ENOENT;
	if (has_id(debug, id, len))
		return 0;
	elffile_close(debug);
	return -ENOENT;
}

/* ---- .gnu_debuglink ---- */

struct link {
	const char *name;
	uint32_t crc;
};

static bool read_link(const struct elffile *f, struct link *l)
{
	struct elffile_bytes b;
	size_t len;

	if (!elffile_section(f, ".gnu_debuglink", &b))
		return false;
	len = strnlen((const char *)b.bytes, b.size);
	if (!len || len > NAME_MAX || memchr(b.bytes, '/', len))
		return false;
	l->name = (const char *)b.bytes;
	len = (len + 1 + 3) & ~(size_t)3;
	if (len > b.size || b.size - len < sizeof(l->crc))
		return false;
	memcpy(&l->crc, b.bytes + len, sizeof(l->crc));
	return true;
}

static bool has_crc(int fd, uint32_t wanted)
{
	unsigned char buffer[65536];
	uLong crc = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		crc = crc32(crc, buffer, (uInt)n);
		at += n;
	}
	return n == 0 && crc == wanted;
}

/* One place; 1: go on with the next. */
static int try_link(struct elffile *debug, int root, const char *path, const struct link *l, char *why, size_t size)
{
	char reason[256];
	int fd = elffile_open_path(root, path);

	if (fd < 0)
		return 1;
	if (!has_crc(fd, l->crc)) {
		snprintf(why, size, "%s is of another build, and was not used", path);
		close(fd);
		return 1;
	}
	return elffile_take(debug, fd, path, reason, sizeof(reason)) ? 1 : 0;
}

/* In the file's own directory, in .debug below it, and below the directory of all debug files. */
static int open_by_link(struct elffile *debug, const struct elffile *f, int root, char *why, size_t size)
{
	static const struct {
		const char *before, *below;
	} places[] = { { "", "" }, { "", "/.debug" }, { DEBUG_DIR, "" } };
	const char *slash = strrchr(f->path, '/'), *dir = slash ? f->path : ".";
	int dir_len = slash ? (int)(slash - f->path) : 1;
	char path[PATH_MAX];
	struct link l;

	if (!read_link(f, &l))
		return -ENOENT;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s%.*s%s/%s", places[i].before, dir_len, dir, places[i].below, l.name);
		/* the file itself may have the name of its link */
		if (strcmp(path, f->path) && !try_link(debug, root, path, &l, why, size))
			return 0;
	}
	return -ENOENT;
}

int elfdebug_open(struct elffile *debug, const struct elffile *f, int root, char *why, size_t size)
{
	size_t len;
	const uint8_t *id = elffile_build_id(f, &len);

	*debug = (struct elffile){ .fd = -1 };
	if (size)
		why[0] = '\0';
	if (id && !open_by_id(debug, root, id, len))
		return 0;
	return open_by_link(debug, f, root, why, size);
}

int elfdebug_open_common(struct elffile *common, const struct elffile *debug, int root, const char *name,
			 const uint8_t *id, size_t id_len)
{
	const char *slash = strrchr(debug->path, '/');
	char path[PATH_MAX], why[256];
	int dir_len = slash ? (int)(slash - debug->path) + 1 : 0;

	*common = (struct elffile){ .fd = -1 };
	if (!open_by_id(common, root, id, id_len))
		return 0;
	snprintf(path, sizeof(path), "%.*s%s", name[0] == '/' ? 0 : dir_len, debug->path, name);
	if (elffile_open_data(common, root, path, why, sizeof(why)))
		return -ENOENT;
	if (has_id(common, id, id_len))
		return 0;
	elffile_close(common);
	return -ENOENT;
}
