/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of the protocol. Each is checked by the daemon, whatever the client did. */
#ifndef LIMIT_H
#define LIMIT_H

#define LIMIT_MESSAGE_BYTES  65536    /* one Varlink message, without its NUL */
#define LIMIT_START_BYTES    262144   /* the same from those who may start sessions: it may bring user code */
#define LIMIT_CODE_BYTES     174764   /* an object with user code, as base64: 131,072 bytes */
#define LIMIT_JSON_DEPTH     8        /* nested objects and arrays */
#define LIMIT_FILTER_BYTES   1024     /* tcpdump expression */
#define LIMIT_POINTS         64       /* trace points in one session */
#define LIMIT_POINT_BYTES    255      /* one trace point as text */
#define LIMIT_BINARIES       16       /* files that are lent for one session */
#define LIMIT_SITES          256      /* places in user space in one session */
#define LIMIT_BURST          512      /* packets of one array in user space that are looked at */
#define LIMIT_SNAPLEN        262144   /* bytes of one packet */
#define LIMIT_RING_MIN       65536    /* bytes */
#define LIMIT_RING_MAX       67108864 /* bytes */
#define LIMIT_TRACK_MIN      1024     /* packets, their copies counted too */
#define LIMIT_TRACK_MAX      1048576
#define LIMIT_GATHER_MIN     16       /* packets whose ways are open at a time */
#define LIMIT_GATHER_MAX     1048576
#define LIMIT_GATHER_TIMEOUT 600000   /* milliseconds; the least is 1 */
#define LIMIT_SLOWER_NS      600000000000
#define LIMIT_SKB_DATA_OFFSET 65535  /* bytes, in both directions */
#define LIMIT_COMM_BYTES     15
#define LIMIT_IFNAME_BYTES   15

#define DEFAULT_SNAPLEN      256      /* bytes */
#define DEFAULT_RING_BYTES   4194304  /* bytes */
#define DEFAULT_TRACK_SIZE   65536    /* packets, their copies counted too */
#define DEFAULT_GATHER_SIZE  32768    /* packets */
#define DEFAULT_GATHER_TIMEOUT 1000   /* milliseconds */
#define DEFAULT_SOCKET_PATH  "/run/netcapd/netcapd.sock"

#endif
