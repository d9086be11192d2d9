/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One tcpdump child for one link type. It reads classic pcap from a pipe and prints into another;
 * netcapctl gives it a packet, and gets back exactly that packet's text. See tcpdump.c for why
 * "exactly" holds with any flags.
 */
#ifndef TCPDUMP_H
#define TCPDUMP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct tcpdump;

/* The path of tcpdump (PATH, then the usual places) in path: 0, or -ENOENT. */
int tcpdump_find(char *path, size_t size);
/*
 * Starts it, its privileges dropped, and waits until it has taken its flags and is ready. path:
 * from tcpdump_find(); flags: words of tcpdumpflags.h; link: PCAPNG_LINK_*. NULL: it did not start,
 * and why says so in a sentence, with tcpdump's own words.
 */
struct tcpdump *tcpdump_start(const char *path, const char *const *flags, uint32_t link, char *why,
			      size_t size);
/*
 * Prints one packet (wire_len at least 1) and copies its text to out. 0 once all of it is there;
 * -EPIPE: tcpdump ended; other negative errno.
 */
int tcpdump_packet(struct tcpdump *t, uint64_t time_ns, uint32_t wire_len, uint32_t cap_len,
		   const uint8_t *data, FILE *out);
/* The last line that tcpdump wrote to its standard error, for when it ended; "" if none. */
void tcpdump_complaint(struct tcpdump *t, char *text, size_t size);
/* Ends the child and waits for it. Takes NULL. */
void tcpdump_free(struct tcpdump *t);

#endif
