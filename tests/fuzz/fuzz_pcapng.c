/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes, in any portions, are refused or read; what was read can be written again, and reading
 * that gives the same once more. The first byte chooses the portions, and whether a section and an
 * interface are put in front, so that the fuzzer need not find those by itself.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void put_event(struct buf *out, const struct pcapng_event *e)
{
	switch (e->type) {
	case PCAPNG_SECTION:
		check(pcapng_put_section(out, "fuzz") == 0);
		break;
	case PCAPNG_INTERFACE:
		check(pcapng_put_interface(out, &e->interface) == 0);
		break;
	case PCAPNG_PACKET:
		check(pcapng_put_packet(out, &e->packet) == 0);
		break;
	case PCAPNG_STATISTICS:
		check(pcapng_put_statistics(out, &e->statistics) == 0);
		break;
	case PCAPNG_OTHER:
		check(buf_add(out, e->raw, e->raw_len) == 0);
		break;
	}
}

/*
 * Reads in, step bytes at a time, and writes what it found to out. Returns the bytes left over at
 * the end, or -EBADMSG.
 */
static long recode(const struct buf *in, size_t step, struct buf *out)
{
	struct pcapng_reader *r = pcapng_reader_new();
	size_t fed = 0, raw = 0;
	long left = 0;

	check(r != NULL);
	while (left == 0 && fed < buf_len(in)) {
		size_t len = step < buf_len(in) - fed ? step : buf_len(in) - fed;
		struct pcapng_event e;
		int ret;

		check(pcapng_reader_feed(r, buf_head(in) + fed, len) == 0);
		fed += len;
		while ((ret = pcapng_reader_next(r, &e)) == 1) {
			check(memcmp(e.raw, buf_head(in) + raw, e.raw_len) == 0);
			raw += e.raw_len;
			put_event(out, &e);
		}
		check(ret == 0 || ret == -EBADMSG);
		check(pcapng_reader_pending(r) <= LIMIT_SNAPLEN + 131072 + step);
		left = ret;
	}
	if (left == 0)
		left = (long)pcapng_reader_pending(r);
	check(left < 0 || (size_t)left == buf_len(in) - raw);
	pcapng_reader_free(r);
	return left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pcapng_interface i = {.link = PCAPNG_LINK_ETHERNET, .name = "eth0"};
	struct buf in, out, again;

	if (size < 1)
		return 0;
	buf_init(&in, 0);
	buf_init(&out, 0);
	buf_init(&again, 0);
	if (data[0] & 1) {
		check(pcapng_put_section(&in, "fuzz") == 0);
		check(pcapng_put_interface(&in, &i) == 0);
	}
	check(buf_add(&in, data + 1, size - 1) == 0);
	recode(&in, 1 + (data[0] >> 1), &out);
	check(recode(&out, 4096, &again) == 0);
	check(buf_len(&again) == buf_len(&out));
	if (buf_len(&out))
		check(memcmp(buf_head(&again), buf_head(&out), buf_len(&out)) == 0);
	buf_clear(&in);
	buf_clear(&out);
	buf_clear(&again);
	return 0;
}
