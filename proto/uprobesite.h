/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A place in user space where a session's trace point is attached: an object Site of io.netcap.Capture. The client, which
 * sees the files with the user's eyes, finds places by names; the daemon takes numbers.
 */
#ifndef UPROBESITE_H
#define UPROBESITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "sdtarg.h"

struct uprobesite {
	int64_t point;     /* which entry of the session's points it belongs to, from 0 */
	int64_t binary;    /* which of the files that were lent, from 0 */
	int64_t offset;    /* of the instruction, bytes in the file */
	int64_t semaphore; /* of a USDT probe's counter of who looks, bytes in the file; 0: there is none */
	bool is_return;    /* the return of the function that begins there */
	char *packet;      /* owned; where the packet's or the array's address is, as in sdtarg.h */
	char *length;      /* owned; the same for its bytes or entries; NULL: it is one mbuf */
};

struct uprobesite_list {
	struct uprobesite *items; /* owned */
	size_t count;
};

/*
 * Reads an array of Site objects into an empty list. points: how many trace points there are. 0, -EINVAL with a sentence in
 * why (size bytes), or -ENOMEM; what was read stays in the list.
 */
int uprobesite_list_from_json(struct uprobesite_list *list, struct json_object *array, size_t points, char *why, size_t size);
/* NULL: out of memory. */
struct json_object *uprobesite_list_to_json(const struct uprobesite_list *list);
/* Takes over packet and length, which may be NULL. 0 or -ENOMEM. */
int uprobesite_list_add(struct uprobesite_list *list, const struct uprobesite *site);
void uprobesite_list_free(struct uprobesite_list *list);

#endif
