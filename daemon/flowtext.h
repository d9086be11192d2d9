/* SPDX-License-Identifier: BSD-2-Clause */
/* Which flow the beginning of a packet belongs to, in a few words. */
#ifndef FLOWTEXT_H
#define FLOWTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"

#define FLOWTEXT_BYTES 160 /* enough for every text, NUL included */

/*
 * Writes "10.0.0.1:5000 > 10.0.0.2:80 tcp" and the like for bytes (length of them) that begin as link says; "" when they
 * say nothing. They may be any bytes. Returns text.
 */
const char *flowtext_make(enum netcap_link link, const uint8_t *bytes, size_t length, char *text, size_t size);

#endif
