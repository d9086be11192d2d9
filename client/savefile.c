/* SPDX-License-Identifier: BSD-2-Clause */
#include "savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "pcapng_format.h"

#define FLUSH_BYTES   (256 << 10)
#define RECORD_MAX    (1 << 20) /* bytes; a packet with its comment is at most half of it */
#define PCAP_HEADER   24 /* of the file */
#define RECORD_HEADER 16 /* of a pcap packet; of a pcapng block, enough to know its length */

static int adopt(struct savefile *f, const char *path, int fd)
{
	struct stat st;

	f->fd = fd;
	f->path = strdup(path);
	f->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	buf_init(&f->pending, 0);
	return f->path ? 0 : -ENOMEM;
}

int savefile_open(struct savefile *f, const char *path, bool pcap)
{
	const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
	int fd, err;

	*f = (struct savefile){.fd = -1, .pcap = pcap};
	if (!strcmp(path, "-"))
		return adopt(f, path, STDOUT_FILENO);
	fd = open(path, flags | O_CREAT | O_EXCL, 0600);
	f->created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, flags);
	if (fd < 0)
		return -errno;
	err = adopt(f, path, fd);
	if (err)
		savefile_close(f);
	return err;
}

int savefile_create(struct savefile *f, const char *path, bool pcap)
{
	int fd, err;

	*f = (struct savefile){.fd = -1, .pcap = pcap, .created = true};
	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -errno;
	err = adopt(f, path, fd);
	if (err)
		savefile_close(f);
	return err;
}

void savefile_close(struct savefile *f)
{
	if (f->created && !f->begun && f->path)
		unlink(f->path);
	if (f->fd >= 0 && f->fd != STDOUT_FILENO)
		close(f->fd);
	f->fd = -1;
	buf_clear(&f->pending);
	free(f->path);
	f->path = NULL;
}

static uint32_t word(const uint8_t *bytes, size_t offset)
{
	uint32_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

/* Length of the record whose first RECORD_HEADER bytes are given; at the start of a file or not. */
static size_t record_length(bool pcap, bool at_start, const uint8_t *head)
{
	if (!pcap)
		return word(head, 4);
	return at_start ? PCAP_HEADER : RECORD_HEADER + (size_t)word(head, 8);
}

static bool record_is_packet(bool pcap, bool at_start, const uint8_t *head)
{
	return pcap ? !at_start : word(head, 0) == BLOCK_PACKET;
}

/*
 * The write failed after some bytes. Finds the last whole record among them, cuts the file there,
 * and counts its packets.
 */
static void cut_back(struct savefile *f, size_t written)
{
	const uint8_t *head = buf_head(&f->pending);
	size_t whole = 0;

	while (whole + RECORD_HEADER <= written) {
		bool at_start = f->bytes + whole == 0;
		size_t len = record_length(f->pcap, at_start, head + whole);

		if (len > written - whole)
			break;
		f->packets += record_is_packet(f->pcap, at_start, head + whole);
		whole += len;
	}
	f->bytes += whole;
	f->waiting = 0;
	buf_truncate(&f->pending, 0);
	if (f->regular && ftruncate(f->fd, (off_t)f->bytes))
		return; /* nothing better can be done; readers tell of a cut-off last record */
}

int savefile_flush(struct savefile *f)
{
	size_t len = buf_len(&f->pending), done = 0;

	while (done < len) {
		ssize_t n = write(f->fd, buf_head(&f->pending) + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = -errno;

			cut_back(f, done);
			return err;
		}
		done += (size_t)n;
	}
	f->bytes += len;
	f->packets += f->waiting;
	f->waiting = 0;
	buf_truncate(&f->pending, 0);
	return 0;
}

int savefile_add(struct savefile *f, const void *record, size_t len, bool packet)
{
	int err = 0;

	if (!f->begun && f->regular && strcmp(f->path, "-") && ftruncate(f->fd, 0))
		return -errno;
	f->begun = true;
	err = buf_add(&f->pending, record, len);
	f->waiting += !err && packet;
	if (!err && buf_len(&f->pending) >= FLUSH_BYTES)
		err = savefile_flush(f);
	return err;
}

/* Reads the next record into b. 1, 0 at the end of the file, or negative errno. */
static int read_record(FILE *in, bool pcap, bool at_start, struct buf *b)
{
	uint8_t *bytes;
	size_t len, n;

	buf_truncate(b, 0);
	bytes = buf_reserve(b, RECORD_HEADER);
	if (!bytes)
		return -ENOMEM;
	n = fread(bytes, 1, RECORD_HEADER, in);
	/* A pcapng block has at least 12 bytes; the smallest one that is written here has 16. */
	if (n < RECORD_HEADER)
		return ferror(in) ? -EIO : n ? -EBADMSG : 0;
	len = record_length(pcap, at_start, bytes);
	buf_commit(b, RECORD_HEADER);
	if (len < RECORD_HEADER || len > RECORD_MAX)
		return -EBADMSG;
	bytes = buf_reserve(b, len - RECORD_HEADER);
	if (!bytes)
		return -ENOMEM;
	if (fread(bytes, 1, len - RECORD_HEADER, in) != len - RECORD_HEADER)
		return -EBADMSG;
	buf_commit(b, len - RECORD_HEADER);
	return 1;
}

int savefile_copy(struct savefile *to, const char *path, uint64_t skip, bool others)
{
	FILE *in = fopen(path, "re");
	bool at_start = true;
	struct buf record;
	int more;

	if (!in)
		return -errno;
	buf_init(&record, 0);
	while ((more = read_record(in, to->pcap, at_start, &record)) == 1) {
		const uint8_t *head = buf_head(&record);
		bool packet = record_is_packet(to->pcap, at_start, head);
		bool wanted = packet;

		if (packet && skip) {
			wanted = false;
			skip--;
		} else if (!packet && others && !to->pcap) {
			wanted = word(head, 0) != BLOCK_SECTION && word(head, 0) != BLOCK_INTERFACE;
		}
		at_start = false;
		more = wanted ? savefile_add(to, head, buf_len(&record), packet) : 0;
		if (more)
			break;
	}
	buf_clear(&record);
	fclose(in);
	return more;
}
