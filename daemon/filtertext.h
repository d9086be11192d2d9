/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpdump expressions: text to classic BPF by libpcap, and classic BPF to text. pcap_compile()
 * can take minutes on hostile text and asks name servers, so the daemon compiles through
 * filterproc.h; this is what runs in that process.
 */
#ifndef FILTERTEXT_H
#define FILTERTEXT_H

#include <stddef.h>

#include "daemon/filter.h"

/*
 * Compiles text (NUL-terminated, at most LIMIT_FILTER_BYTES) for both starts into *out, which the
 * caller clears. A start at which the expression cannot hold ("arp" where the packet begins with
 * an IP header) gets "ret #0". On error *out is empty and why (size bytes) has a sentence:
 * -EINVAL: libpcap refuses the expression, or no packet can match it; -E2BIG: too long; -ENOMEM.
 */
int filtertext_compile(const char *text, struct filter_programs *out, char *why, size_t size);

/*
 * The program as text, as "tcpdump -d" prints it, or NULL (out of memory); the caller frees it.
 * Not to be called by two threads at a time: libpcap keeps the line in a static buffer.
 */
char *filtertext_classic_text(const struct filter_classic *program);

#endif
