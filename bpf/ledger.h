/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the program that counts all drops (bpf/ledger.bpf.c) and the daemon share. */
#ifndef LEDGER_SHARED_H
#define LEDGER_SHARED_H

#include <linux/types.h>
#include "record.h"

/*
 * Rows of the kernel's map: of two generations. When the daemon sees more than LEDGER_TURN_ROWS of the
 * present one, it lets the programs count into rows of the other, and deletes those of the old a second
 * later: no program works on them any more, so nothing that was counted is lost.
 */
#define LEDGER_ROWS      1024
#define LEDGER_TURN_ROWS 768

#define LEDGER_NAME_LEN 16 /* of a device, IFNAMSIZ */

/*
 * Samples: struct netcap_record, always with the slot for a stack, then LEDGER_SAMPLE_BYTES. time_ns is CLOCK_BOOTTIME.
 * Of a row, on a CPU: so many at once, then one a second.
 */
#define LEDGER_SAMPLES_FIRST 4
#define LEDGER_SAMPLES	     64	    /* in a second, of all rows and CPUs; later ones of a row: half of it */
#define LEDGER_SAMPLE_BYTES  128    /* of the packet */
#define LEDGER_SAMPLE_RING   524288 /* bytes */
#define LEDGER_SAMPLE_RECORD (sizeof(struct netcap_record) + NETCAP_STACK_FRAMES * sizeof(__u64) + LEDGER_SAMPLE_BYTES)

/* Of the destination port, by RFC 6335. */
enum ledger_ports {
	LEDGER_PORTS_NONE,
	LEDGER_PORTS_SYSTEM,  /* 0-1023 */
	LEDGER_PORTS_USER,    /* 1024-49151 */
	LEDGER_PORTS_DYNAMIC, /* 49152-65535 */
};

#define LEDGER_TRANSPORT_NONE 255 /* no IP packet; reserved by IANA */

/* Drops are of one kind when all of this is the same. No padding: it is a key of a hash. */
struct ledger_key {
	__u64 location; /* where the kernel dropped */
	__u32 netns;    /* inode number; 0: not known */
	__u32 ifindex;  /* 0: no device */
	__u32 reason;   /* enum skb_drop_reason; 0 where the kernel says none (before Linux 5.17) */
	__u16 protocol; /* skb->protocol, host order */
	__u8 transport; /* protocol of the IP header, or LEDGER_TRANSPORT_NONE */
	__u8 ports : 4; /* enum ledger_ports */
	__u8 generation : 4;
};

/* Of each CPU. */
struct ledger_value {
	__u64 packets;
	__u64 bytes;   /* sum of skb->len */
	__u64 last_ns; /* CLOCK_BOOTTIME of the last one */
	__u64 sample_after; /* CLOCK_BOOTTIME, nanoseconds: before it no sample is due */
	__u64 samples;      /* so far */
	char device[LEDGER_NAME_LEN]; /* on the CPU that made the row, if it has a device */
};

/* Drops of kinds that there was no room for. Of each CPU. */
struct ledger_overflow {
	__u64 packets;
	__u64 bytes;
	__u64 last_ns;
};

/* Constants of the program: set before it is loaded. */
struct ledger_config {
	__u32 has_reason;  /* the tracepoint's third argument is a reason */
	__u32 not_dropped; /* reasons of packets that are not dropped; ~0: there is no such reason */
	__u32 consumed;
	__u32 has_sock;    /* the fourth is the socket that was to have the packet (Linux 6.11) */
};

/* Shared with the program while it runs. */
struct ledger_control {
	__u32 armed;      /* the daemon sleeps: the next drop wakes it, and clears this */
	__u32 generation; /* that programs count into: 0 or 1 */
	__u64 sampling_since; /* CLOCK_BOOTTIME, nanoseconds: when the second began in which */
	__u64 sampled;        /* there were so many samples */
};

_Static_assert(sizeof(struct ledger_key) == 24, "ledger_key: layout");
_Static_assert(sizeof(struct ledger_value) == 56, "ledger_value: layout");
_Static_assert(sizeof(struct ledger_overflow) == 24, "ledger_overflow: layout");
_Static_assert(sizeof(struct ledger_config) == 16, "ledger_config: layout");
_Static_assert(sizeof(struct ledger_control) == 24, "ledger_control: layout");

#endif
