/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes packets to a file: pcapng as it comes, or classic pcap.
 *
 * With --write-file-rotate N there are two generations: FILE, which grows to N packets, and
 * FILE.older, which holds the N before. When FILE is full it becomes FILE.older. So the last N
 * packets are always on disk, in never more than 2 N, whatever happens to this process; at an
 * orderly end they are put together in FILE.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exitcode.h"
#include "limit.h"
#include "message.h"
#include "savefile.h"
#include "sink.h"

#define ETHERNET_HEADER 14

struct filesink {
	struct sink sink; /* first */
	struct savefile file;
	struct buf record;   /* scratch: one pcap record */
	struct buf preamble; /* what each generation begins with */
	uint64_t rotate;     /* packets of a generation, 0: one file */
	uint64_t in_file;    /* packets added to the current generation */
	uint64_t replaced;   /* packets of generations that are gone */
	bool rotated;        /* there is an older one */
	bool failed;
	char *older, *merging; /* owned paths, with rotate */
};

static int complain(struct filesink *s, const char *path, int err)
{
	s->failed = true;
	s->sink.packets -= s->replaced;
	s->replaced = 0;
	if (err == -EPIPE)
		return err;
	message("%s cannot be written: %s; the %llu packets that were saved are kept, and the "
		"capture is stopped.",
		path, strerror(-err), (unsigned long long)s->sink.packets);
	return err;
}

/* A failed write: what was waiting to be written is not in the file. */
static int file_failed(struct filesink *s, int err, uint64_t before)
{
	uint64_t lost = before > s->file.packets ? before - s->file.packets : 0;

	s->sink.packets -= lost < s->sink.packets ? lost : s->sink.packets;
	return complain(s, s->file.path, err);
}

static int add(struct filesink *s, const void *record, size_t len, bool packet)
{
	uint64_t before = s->file.packets + s->file.waiting;
	int err = savefile_add(&s->file, record, len, packet);

	if (err)
		return file_failed(s, err, before);
	s->in_file += packet;
	s->sink.packets += packet;
	return 0;
}

static int flush(struct filesink *s)
{
	uint64_t before = s->file.packets + s->file.waiting;
	int err = s->failed ? 0 : savefile_flush(&s->file);

	return err ? file_failed(s, err, before) : 0;
}

/* The current generation becomes the older one. */
static int next_generation(struct filesink *s)
{
	char *path = strdup(s->file.path);
	bool pcap = s->file.pcap;
	int err = path ? flush(s) : -ENOMEM;

	if (!err && rename(path, s->older))
		err = complain(s, s->older, -errno);
	if (!err) {
		s->replaced += s->rotated ? s->rotate : 0;
		s->rotated = true;
		s->in_file = 0;
		savefile_close(&s->file);
		err = savefile_create(&s->file, path, pcap);
		if (!err)
			err = savefile_add(&s->file, buf_head(&s->preamble), buf_len(&s->preamble),
					   false);
		if (err)
			err = complain(s, path, err);
	}
	free(path);
	return err;
}

/* Both generations into a new file, which then takes FILE's place. */
static int merge(struct filesink *s)
{
	struct savefile to;
	int err = savefile_create(&to, s->merging, s->file.pcap);

	if (!err)
		err = savefile_add(&to, buf_head(&s->preamble), buf_len(&s->preamble), false);
	if (!err)
		err = savefile_copy(&to, s->older, s->in_file, false);
	if (!err)
		err = savefile_copy(&to, s->file.path, 0, true);
	if (!err)
		err = savefile_flush(&to);
	savefile_close(&to);
	if (!err && rename(s->merging, s->file.path))
		err = -errno;
	if (err) {
		unlink(s->merging);
		message("%s and %s could not be put together in one file (%s): the last packets "
			"are in both of them; mergecap -a does it.",
			s->older, s->file.path, strerror(-err));
		s->failed = true;
		s->sink.packets = s->in_file;
		return err;
	}
	unlink(s->older);
	s->sink.packets = s->rotate;
	return 0;
}

/* Appends the packet's bytes to s->record as a pcap record, below an Ethernet header. */
static int pcap_record(struct filesink *s, const struct packet *p)
{
	const struct pcapng_packet *b = p->block;
	bool ethernet = p->link == PCAPNG_LINK_ETHERNET;
	uint32_t most = ethernet ? LIMIT_SNAPLEN : LIMIT_SNAPLEN - ETHERNET_HEADER;
	uint32_t cap_len = b->cap_len < most ? b->cap_len : most;
	uint16_t protocol = p->meta.protocol;
	uint8_t *frame;
	int err;

	buf_truncate(&s->record, 0);
	if (ethernet)
		return pcap_put_packet(&s->record, b->time_ns, b->wire_len, cap_len, b->data);
	if (!protocol && cap_len)
		protocol = b->data[0] >> 4 == 6 ? 0x86dd : 0x0800;
	frame = calloc(1, ETHERNET_HEADER + (size_t)cap_len);
	if (!frame)
		return -ENOMEM;
	frame[12] = (uint8_t)(protocol >> 8);
	frame[13] = (uint8_t)protocol;
	memcpy(frame + ETHERNET_HEADER, b->data, cap_len);
	err = pcap_put_packet(&s->record, b->time_ns, b->wire_len + ETHERNET_HEADER,
			      cap_len + ETHERNET_HEADER, frame);
	free(frame);
	return err;
}

/* The file header of classic pcap: one for all interfaces. */
static int begin_pcap(struct filesink *s)
{
	int err = pcap_put_header(&s->preamble, PCAPNG_LINK_ETHERNET, LIMIT_SNAPLEN);

	if (err)
		return complain(s, s->file.path, err);
	return add(s, buf_head(&s->preamble), buf_len(&s->preamble), false);
}

/* Other blocks than packets. Those that a file begins with are kept for the next generations. */
static int take_block(struct filesink *s, const struct pcapng_event *e)
{
	bool preamble = e->type == PCAPNG_SECTION || e->type == PCAPNG_INTERFACE;
	int err = 0;

	if (s->rotate && e->type == PCAPNG_SECTION)
		unlink(s->older); /* of a capture that was killed; what is in FILE goes now, too */
	if (s->file.pcap)
		return e->type == PCAPNG_SECTION ? begin_pcap(s) : 0;
	if (s->rotate && preamble)
		err = buf_add(&s->preamble, e->raw, e->raw_len);
	return err ? complain(s, s->file.path, err) : add(s, e->raw, e->raw_len, false);
}

static int filesink_take(struct sink *sink, const struct pcapng_event *e, const struct packet *p)
{
	struct filesink *s = (struct filesink *)sink;
	int err = 0;

	if (!p)
		return take_block(s, e);
	if (s->file.pcap && p->link == PCAPNG_LINK_USER0) {
		sink->skipped++;
		return 0;
	}
	if (s->rotate && s->in_file == s->rotate)
		err = next_generation(s);
	if (err)
		return err;
	if (!s->file.pcap)
		return add(s, e->raw, e->raw_len, true);
	err = pcap_record(s, p);
	return err ? complain(s, s->file.path, err) :
		     add(s, buf_head(&s->record), buf_len(&s->record), true);
}

static int filesink_flush(struct sink *sink)
{
	return flush((struct filesink *)sink);
}

static int filesink_finish(struct sink *sink)
{
	struct filesink *s = (struct filesink *)sink;
	int err = flush(s);

	return !err && s->rotated ? merge(s) : err;
}

static void filesink_free(struct sink *sink)
{
	struct filesink *s = (struct filesink *)sink;

	savefile_close(&s->file);
	buf_clear(&s->record);
	buf_clear(&s->preamble);
	free(s->older);
	free(s->merging);
	free(s);
}

static bool wants_pcap(const struct options *o)
{
	size_t len = strlen(o->write_path);

	if (o->format != FORMAT_BY_NAME)
		return o->format == FORMAT_PCAP;
	return len > 5 && !strcmp(o->write_path + len - 5, ".pcap");
}

static int prepare(struct filesink *s, const struct options *o)
{
	int err;

	if (!strcmp(o->write_path, "-") && isatty(STDOUT_FILENO)) {
		message("-w - writes binary data, and standard output is a terminal: redirect it, "
			"or give -w the name of a file.");
		return EXITCODE_USAGE;
	}
	err = savefile_open(&s->file, o->write_path, wants_pcap(o));
	if (err) {
		message("%s cannot be written: %s; nothing was attached.", o->write_path,
			strerror(-err));
		return EXITCODE_FAILED;
	}
	s->rotate = o->rotate;
	if (s->rotate && !s->file.regular) {
		message("--write-file-rotate needs a regular file, and %s is none.", o->write_path);
		return EXITCODE_USAGE;
	}
	if (s->rotate && (asprintf(&s->older, "%s.older", o->write_path) < 0 ||
			  asprintf(&s->merging, "%s.merging", o->write_path) < 0)) {
		message("out of memory.");
		return EXITCODE_FAILED;
	}
	return EXITCODE_OK;
}

struct sink *filesink_new(const struct options *o, int *code)
{
	struct filesink *s = calloc(1, sizeof(*s));

	if (!s) {
		message("out of memory.");
		*code = EXITCODE_FAILED;
		return NULL;
	}
	s->sink = (struct sink){
		.take = filesink_take,
		.flush = filesink_flush,
		.finish = filesink_finish,
		.free = filesink_free,
	};
	s->file.fd = -1;
	buf_init(&s->record, 0);
	buf_init(&s->preamble, 0);
	*code = prepare(s, o);
	/* the EtherType for packets without Ethernet header; pcapng is passed on as it is */
	s->sink.wants_meta = s->file.pcap;
	if (*code == EXITCODE_OK)
		return &s->sink;
	filesink_free(&s->sink);
	return NULL;
}
