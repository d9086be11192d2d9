/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one peer, and all of them together, may cost the daemon. Those that the configuration may
 * change are in struct quota; the names here are what they are without one (QUOTA_X), and the most
 * that it may say (QUOTA_X_MOST).
 */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdint.h>

/* Connections. One costs two descriptors and some KiB; a person needs a handful. */
#define QUOTA_CONNECTIONS      128
#define QUOTA_CONNECTIONS_UID  32
#define QUOTA_CONNECTIONS_MOST 512
/* Of them, kept for administrators, so that the others cannot lock them out. */
#define QUOTA_CONNECTIONS_ADMIN 8

/* Sessions. Every one slows down each packet at its trace points. */
#define QUOTA_SESSIONS      64
#define QUOTA_SESSIONS_UID  16
#define QUOTA_SESSIONS_MOST 512

/* Their trace points: each is a program that runs for each packet, and a line in every List. */
#define QUOTA_POINTS      512
#define QUOTA_POINTS_UID  256
#define QUOTA_POINTS_MOST 4096
/* The same after patterns were expanded; "all" is some 2,400. */
#define QUOTA_POINTS_EXPANDED 8192

/* Bytes of kernel memory in the rings of all sessions: netcapd.service allows so much, and more. */
#define QUOTA_RINGS      (512LL << 20)
#define QUOTA_RINGS_UID  (256LL << 20)
#define QUOTA_RINGS_MOST (8LL << 30)
/* What counts with them for each sk_buff that a session can follow: two entries of hashes. */
#define QUOTA_TRACK_BYTES 192

/* The numbers above that are in force; _uid: for one user. */
struct quota {
	int64_t connections, connections_uid;
	int64_t sessions, sessions_uid;
	int64_t points, points_uid;         /* trace points, patterns counted as one */
	int64_t ring_bytes, ring_bytes_uid; /* sums */
};

/* Bytes waiting for a caller that does not read: some 100 packets as JSON at the longest. */
#define QUOTA_OUT_BYTES (4 << 20)
/* Of them, kept for the last reply to a call, which is the summary of a session. */
#define QUOTA_OUT_RESERVE (128 << 10)

/* Seconds from the first byte of a message to its end, and for taking an error before a close. */
#define QUOTA_MESSAGE_SECONDS 5

/* Seconds that a caller may leave a whole reply unread, when it has nothing else to wait for. */
#define QUOTA_READ_SECONDS 60

/*
 * Seconds that sessions have to end when the daemon stops: each waits for a grace period of the kernel, which takes its
 * time on a busy machine, and gives its caller two to take the packets that are left. With those that callers have to read
 * what they are told at the end, less than systemd waits (TimeoutStopSec= of netcapd.service).
 */
#define QUOTA_END_SECONDS    10
#define QUOTA_LAST_SECONDS   3

/* Bytes of one packet in a reply: as base64 it must fit a message (LIMIT_MESSAGE_BYTES). */
#define QUOTA_EVENT_SNAPLEN 32768

/* Trace points in one reply of Points, when the caller takes more than one. */
#define QUOTA_POINTS_REPLY 200

#endif
