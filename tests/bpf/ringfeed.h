/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What ringfeed.bpf.c puts into its ring: a struct netcap_record with a large packet. */
#ifndef RINGFEED_H
#define RINGFEED_H

#include "bpf/record.h"

#define RINGFEED_PACKET_BYTES 65536
#define RINGFEED_RECORD_BYTES (sizeof(struct netcap_record) + RINGFEED_PACKET_BYTES)

#endif
