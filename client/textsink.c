/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints packets as tcpdump does, each with its metadata beneath. tcpdump's text comes back through
 * a pipe and only this process writes to standard output, so the order is what is written here.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exitcode.h"
#include "journeytext.h"
#include "message.h"
#include "output.h"
#include "print.h"
#include "sink.h"
#include "stamp.h"
#include "tcpdump.h"
#include "tcpdumpflags.h"
#include "usertext.h"

struct textsink {
	struct sink sink; /* first */
	char tcpdump_path[PATH_MAX];
	struct tcpdumpflags flags;
	struct tcpdump *ethernet;
	struct tcpdump *raw;     /* started with the first packet that needs it */
	struct journeytext_colors colors;
	struct journey journey;  /* of the packet that is being printed; its strings: */
	char journey_store[JOURNEY_TEXT_MAX];
	const char *user_color;  /* terminal sequence of what the user's action shows, NULL: none */
};

static int start(struct textsink *s, struct tcpdump **t, uint32_t link)
{
	char why[512];

	*t = tcpdump_start(s->tcpdump_path, s->flags.words, link, why, sizeof(why));
	if (*t)
		return 0;
	message("%s", why);
	return -ECHILD;
}

static int complain_ended(struct tcpdump *t)
{
	char words[512];

	tcpdump_complaint(t, words, sizeof(words));
	message("tcpdump ended in the middle%s%s; the capture is stopped.", words[0] ? ": " : "",
		words);
	return -ECHILD;
}

static int print_with_tcpdump(struct textsink *s, const struct packet *p)
{
	struct tcpdump **t = p->link == PCAPNG_LINK_RAW ? &s->raw : &s->ethernet;
	const struct pcapng_packet *b = p->block;
	int err = *t ? 0 : start(s, t, p->link);

	if (!err) {
		err = tcpdump_packet(*t, b->time_ns, b->wire_len, b->cap_len, b->data, stdout);
		if (err)
			err = complain_ended(*t);
	}
	return err;
}

/* What tcpdump has no words for: skbs that hold no network packet, or nothing. */
static void print_without_tcpdump(const struct packet *p)
{
	printf("no packet headers, ethertype 0x%04x, length %u\n", p->meta.protocol,
	       p->block->wire_len);
}

/* Above the first event of a packet; and before the others, how long after the last one it was. */
static void print_place(const struct packet_place *place)
{
	if (place && place->number == 1)
		printf("packet %" PRIu64 ", %u event%s:\n", place->track, place->events,
		       place->events == 1 ? "" : "s");
}

static void print_since(const struct packet_place *place)
{
	if (place && place->number > 1)
		printf("+%" PRIu64 ".%03" PRIu64 " us ", place->since_ns / 1000, place->since_ns % 1000);
}

/* What is known of the packet beside its bytes. */
static void print_known(struct textsink *s, const struct packet *p)
{
	const struct pcapng_packet *b = p->block;

	if (!b->journey) {
		print_meta(stdout, &p->meta, s->colors.stack);
	} else if (!journey_parse(&s->journey, b->journey, b->journey_len, s->journey_store)) {
		journeytext_print(stdout, &s->journey, &p->meta, &s->colors);
	} else {
		print_meta(stdout, &p->meta, s->colors.stack);
		puts("    its way cannot be read; is the daemon of the same version as this netcapctl?");
	}
}

static int textsink_take(struct sink *sink, const struct pcapng_event *e, const struct packet *p)
{
	struct textsink *s = (struct textsink *)sink;
	bool has_headers;
	char prefix[80];
	int err = 0;

	if (!p)
		return 0;
	has_headers = p->link != PCAPNG_LINK_USER0 && p->block->wire_len && p->block->cap_len;
	print_place(p->place);
	stamp_next(&s->flags.stamp, p->block->time_ns, prefix, sizeof(prefix));
	fputs(prefix, stdout);
	print_since(p->place);
	if (has_headers)
		err = print_with_tcpdump(s, p);
	else
		print_without_tcpdump(p);
	if (err) {
		putchar('\n'); /* the prefix stands alone */
		return err;
	}
	if (p->meta.user)
		usertext_print(stdout, p->meta.user, s->user_color);
	print_known(s, p);
	sink->packets++;
	return output_check();
}

static int textsink_flush(struct sink *sink)
{
	return output_flush();
}

static void textsink_free(struct sink *sink)
{
	struct textsink *s = (struct textsink *)sink;

	tcpdump_free(s->ethernet);
	tcpdump_free(s->raw);
	tcpdumpflags_clear(&s->flags);
	free(s);
}

static int prepare(struct textsink *s, const struct options *o)
{
	char why[512];

	if (tcpdumpflags_parse(&s->flags, o->tcpdump_flags, why, sizeof(why))) {
		message("%s", why);
		return EXITCODE_USAGE;
	}
	if (tcpdump_find(s->tcpdump_path, sizeof(s->tcpdump_path))) {
		message("packets are printed by tcpdump, which is not installed: apt install "
			"tcpdump, or use -w FILE or --json.");
		return EXITCODE_FAILED;
	}
	if (print_wants_color(stdout)) {
		s->colors.stack = o->stack_color ? print_color(o->stack_color) : NULL;
		s->colors.journey = o->gather_color ? print_color(o->gather_color) : NULL;
		s->user_color = o->user_color ? print_color(o->user_color) : NULL;
	}
	/* Now, not with the first packet: refused flags must show before anything is attached. */
	return start(s, &s->ethernet, PCAPNG_LINK_ETHERNET) ? EXITCODE_FAILED : EXITCODE_OK;
}

struct sink *textsink_new(const struct options *o, int *code)
{
	struct textsink *s = calloc(1, sizeof(*s));

	if (!s) {
		message("out of memory.");
		*code = EXITCODE_FAILED;
		return NULL;
	}
	s->sink = (struct sink){
		.take = textsink_take,
		.flush = textsink_flush,
		.finish = textsink_flush,
		.free = textsink_free,
		.wants_meta = true,
	};
	*code = prepare(s, o);
	if (*code == EXITCODE_OK)
		return &s->sink;
	textsink_free(&s->sink);
	return NULL;
}
