/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/historyfile.h"
#include "daemon/log.h"

#define MAGIC    "netcapdl"
#define VERSION  1
#define BOOT_ID  "/proc/sys/kernel/random/boot_id"
#define NS_PER_S 1000000000ULL

#define BYTES sizeof(struct historyfile_data)

static void read_boot(char boot[40])
{
	FILE *f = fopen(BOOT_ID, "re");

	memset(boot, 0, 40);
	if (f && fscanf(f, "%39s", boot) != 1)
		boot[0] = '\0';
	if (f)
		fclose(f);
}

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

static bool is_header(const struct historyfile_data *d)
{
	return !memcmp(d->magic, MAGIC, sizeof(d->magic)) && d->version == VERSION &&
	       d->row_bytes == sizeof(d->row[0]) && d->rows == HISTORYFILE_ROWS &&
	       is_text(d->boot, sizeof(d->boot));
}

static bool are_rows(const struct historyfile_data *d, uint64_t now)
{
	if (d->began > now || d->count > HISTORYFILE_ROWS || !is_row(&d->overflow, now))
		return false;
	for (size_t i = 0; i < d->count; i++)
		if (!is_row(&d->row[i], now))
			return false;
	return true;
}

static void begin(struct historyfile_data *d, uint64_t now)
{
	d->version = VERSION;
	d->row_bytes = sizeof(d->row[0]);
	d->rows = HISTORYFILE_ROWS;
	d->began = now;
	read_boot(d->boot);
	/* last, so that a file that was not finished is none */
	memcpy(d->magic, MAGIC, sizeof(d->magic));
}

/* A file of our own, that nobody else works on. Its descriptor, or negative errno. */
static int open_locked(const char *path, struct stat *st)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600), r = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, st))
		r = -errno;
	else if (!S_ISREG(st->st_mode) || st->st_uid != geteuid() || st->st_nlink != 1)
		r = -EPERM;
	if (!r)
		return fd;
	close(fd);
	return r;
}

/* Maps the file, with room for all of it on the disk: a write must never fail later (SIGBUS). 0 or negative errno. */
static int map(struct historyfile *f, int fd)
{
	int r = -posix_fallocate(fd, 0, BYTES);
	void *data;

	if (r)
		return r;
	data = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	f->data = data;
	f->fd = fd;
	return 0;
}

static void unmap(struct historyfile *f)
{
	if (f->data)
		munmap(f->data, BYTES);
	f->data = NULL;
	f->fd = -1;
}

/* Takes what is there, if it is of this boot. 1: it is; 0: it is to be emptied; -EBADMSG: to be set aside. */
static int take(struct historyfile *f, int fd, uint64_t now)
{
	char boot[40];
	int r = map(f, fd);

	if (r)
		return r;
	read_boot(boot);
	if (!is_header(f->data))
		r = -EBADMSG;
	else if (strcmp(f->data->boot, boot))
		r = 0;
	else
		r = are_rows(f->data, now) ? 1 : -EBADMSG;
	if (r != 1)
		unmap(f);
	return r;
}

static void set_aside(const char *path)
{
	char bad[PATH_MAX];

	snprintf(bad, sizeof(bad), "%s.bad", path);
	if (rename(path, bad))
		log_warning("%s is no drop history of this netcapd, and cannot be renamed: %s", path,
			    strerror(errno));
	else
		log_warning("%s is no drop history of this netcapd, or is damaged: it is now %s, and "
			    "the history begins anew",
			    path, bad);
}

/* An empty file, mapped. 0 or negative errno. */
static int empty(struct historyfile *f, int fd, uint64_t now)
{
	int r = ftruncate(fd, 0) ? -errno : map(f, fd);

	if (!r)
		begin(f->data, now);
	return r;
}

static int open_file(struct historyfile *f, const char *path, uint64_t now)
{
	struct stat st;
	int fd = open_locked(path, &st), r;

	if (fd < 0)
		return fd;
	r = !st.st_size ? 0 : st.st_size == BYTES ? take(f, fd, now) : -EBADMSG;
	if (r == -EBADMSG) {
		set_aside(path);
		close(fd);
		fd = open_locked(path, &st);
		if (fd < 0)
			return fd;
		r = st.st_size ? -EEXIST : 0;
	}
	if (!r)
		r = empty(f, fd, now);
	if (r < 0)
		close(fd);
	return r < 0 ? r : 0;
}

int historyfile_open(struct historyfile *f, const char *path, uint64_t now, char *why, size_t size)
{
	int r;
	void *data;

	*f = (struct historyfile){ .fd = -1 };
	snprintf(why, size, "%s", "");
	if (path) {
		r = open_file(f, path, now);
		if (!r)
			return 0;
		snprintf(why, size, "the drop history ends with the daemon, as it can have no file %s: %s",
			 path, r == -EWOULDBLOCK ? "another netcapd uses it" : strerror(-r));
	}
	data = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return -ENOMEM;
	f->data = data;
	begin(f->data, now);
	return 0;
}

void historyfile_close(struct historyfile *f)
{
	int fd = f->fd;

	unmap(f);
	if (fd >= 0)
		close(fd);
}
