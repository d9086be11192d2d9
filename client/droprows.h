/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the daemon's drop ledger, as a reply holds them. */
#ifndef DROPROWS_H
#define DROPROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#define DROPROWS_MINUTES 30

struct droprow {
	/* of the reply, "" where they are not known or not asked for */
	const char *reason, *subsystem, *location, *device;
	char netns[24];                    /* inode number, or "" */
	char proto[64];                    /* "ipv4/tcp/user": protocol, transport, class of ports */
	uint64_t packets, bytes;
	uint64_t last_minute;              /* packets */
	int64_t last;                      /* microseconds since 1970 */
	uint64_t recent[DROPROWS_MINUTES]; /* packets a minute, the oldest first */
};

struct droprows {
	struct droprow *rows; /* owned; most packets first */
	size_t count;
	uint64_t packets;     /* of all rows */
};

/* One row; a member that is missing or of another type is "" or 0. The object must stay. */
void droprows_read_one(struct droprow *row, struct json_object *object);
/*
 * Reads an array of rows (NULL: none), and sums those that differ in what is not told apart: the
 * protocol, unless by_proto. The array must stay. 0 or -ENOMEM.
 */
int droprows_read(struct droprows *r, struct json_object *array, bool by_proto);
void droprows_clear(struct droprows *r);

#endif
