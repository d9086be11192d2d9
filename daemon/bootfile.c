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

#include "daemon/bootfile.h"
#include "daemon/log.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static void read_boot(char boot[BOOTFILE_BOOT_BYTES])
{
	FILE *f = fopen(BOOT_ID, "re");

	memset(boot, 0, BOOTFILE_BOOT_BYTES);
	if (f && fscanf(f, "%39s", boot) != 1)
		boot[0] = '\0';
	if (f)
		fclose(f);
}

static bool is_header(const struct bootfile_header *h, const struct bootfile_kind *kind)
{
	return !memcmp(h->magic, kind->magic, sizeof(h->magic)) && h->version == kind->version &&
	       h->unit_bytes == kind->unit_bytes && h->units == kind->units && memchr(h->boot, '\0', sizeof(h->boot));
}

static void begin(void *data, const struct bootfile_kind *kind, uint64_t now)
{
	struct bootfile_header *h = data;

	h->version = kind->version;
	h->unit_bytes = kind->unit_bytes;
	h->units = kind->units;
	read_boot(h->boot);
	kind->begin(data, now);
	/* last, so that a file that was not finished is none */
	memcpy(h->magic, kind->magic, sizeof(h->magic));
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
static int map(struct bootfile *f, const struct bootfile_kind *kind, int fd)
{
	int r = -posix_fallocate(fd, 0, kind->bytes);
	void *data;

	if (r)
		return r;
	data = mmap(NULL, kind->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	f->data = data;
	f->bytes = kind->bytes;
	f->fd = fd;
	return 0;
}

static void unmap(struct bootfile *f)
{
	if (f->data)
		munmap(f->data, f->bytes);
	f->data = NULL;
	f->fd = -1;
}

/* Takes what is there, if it is of this boot. 1: it is; 0: it is to be emptied; -EBADMSG: to be set aside. */
static int take(struct bootfile *f, const struct bootfile_kind *kind, int fd, uint64_t now)
{
	const struct bootfile_header *header;
	char boot[BOOTFILE_BOOT_BYTES];
	int r = map(f, kind, fd);

	if (r)
		return r;
	read_boot(boot);
	header = f->data;
	if (!is_header(header, kind))
		r = -EBADMSG;
	else if (strcmp(header->boot, boot))
		r = 0;
	else
		r = kind->check(f->data, now) ? 1 : -EBADMSG;
	if (r != 1)
		unmap(f);
	return r;
}

static void set_aside(const struct bootfile_kind *kind, const char *path)
{
	char bad[PATH_MAX];

	snprintf(bad, sizeof(bad), "%s.bad", path);
	if (rename(path, bad))
		log_warning("%s is no %s of this netcapd, and cannot be renamed: %s", path, kind->name,
			    strerror(errno));
	else
		log_warning("%s is no %s of this netcapd, or is damaged: it is now %s, and the %s begins anew", path,
			    kind->name, bad, kind->name);
}

/* An empty file, mapped. 0 or negative errno. */
static int empty(struct bootfile *f, const struct bootfile_kind *kind, int fd, uint64_t now)
{
	int r = ftruncate(fd, 0) ? -errno : map(f, kind, fd);

	if (!r)
		begin(f->data, kind, now);
	return r;
}

static int open_file(struct bootfile *f, const struct bootfile_kind *kind, const char *path, uint64_t now)
{
	struct stat st;
	int fd = open_locked(path, &st), r;

	if (fd < 0)
		return fd;
	r = !st.st_size ? 0 : st.st_size == (off_t)kind->bytes ? take(f, kind, fd, now) : -EBADMSG;
	if (r == -EBADMSG) {
		set_aside(kind, path);
		close(fd);
		fd = open_locked(path, &st);
		if (fd < 0)
			return fd;
		r = st.st_size ? -EEXIST : 0;
	}
	if (!r)
		r = empty(f, kind, fd, now);
	if (r < 0)
		close(fd);
	return r < 0 ? r : 0;
}

int bootfile_open(struct bootfile *f, const struct bootfile_kind *kind, const char *path, uint64_t now, char *why,
		  size_t size)
{
	int r;
	void *data;

	*f = (struct bootfile){ .fd = -1 };
	snprintf(why, size, "%s", "");
	if (path) {
		r = open_file(f, kind, path, now);
		if (!r)
			return 0;
		snprintf(why, size, "the %s ends with the daemon, as it can have no file %s: %s", kind->name, path,
			 r == -EWOULDBLOCK ? "another netcapd uses it" : strerror(-r));
	}
	data = mmap(NULL, kind->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return -ENOMEM;
	f->data = data;
	f->bytes = kind->bytes;
	begin(f->data, kind, now);
	return 0;
}

void bootfile_close(struct bootfile *f)
{
	int fd = f->fd;

	unmap(f);
	if (fd >= 0)
		close(fd);
}
