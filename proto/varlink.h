/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Varlink messages (varlink.org/Wire-Protocol): one JSON object, then a NUL. Framing over a stream
 * socket with passed descriptors; no event loop, no logging.
 */
#ifndef VARLINK_H
#define VARLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <json-c/json.h>
#include "buf.h"

#define VARLINK_INTERFACE "io.netcap.Capture"

struct varlink_channel {
	int fd;          /* not owned */
	struct buf in;   /* bytes received, not yet taken */
	struct buf out;  /* bytes to send */
	size_t scanned;  /* bytes of in already searched for a NUL */
	int passed_fd;   /* last descriptor received and not yet taken, or -1; owned */
	bool too_many_fds; /* more than one came with one message: all closed */
};

/* out_limit: most bytes waiting to be sent; the input is limited to LIMIT_MESSAGE_BYTES. */
void varlink_channel_init(struct varlink_channel *c, int fd, size_t out_limit);
/* Frees buffers and an untaken descriptor; leaves fd alone. Takes a half-built one. */
void varlink_channel_clear(struct varlink_channel *c);
/*
 * Reads once. >0: bytes read; 0: end of stream; -EAGAIN; -EMSGSIZE: the message is longer than
 * LIMIT_MESSAGE_BYTES; other negative errno. Received descriptors are close-on-exec.
 */
int varlink_receive(struct varlink_channel *c);
/*
 * The next whole message, parsed strictly (jsonstrict.h). 1: *message is the caller's to put;
 * 0: none yet; -EBADMSG: not a JSON object in strict form, with the reason in why.
 */
int varlink_next(struct varlink_channel *c, struct json_object **message, char *why, size_t size);
/* The descriptor that came with the message, now the caller's, or -1. */
int varlink_take_fd(struct varlink_channel *c);
/* Appends a message to the output. 0, -ENOBUFS or -ENOMEM: all or nothing. message stays the caller's. */
int varlink_queue(struct varlink_channel *c, struct json_object *message);
/* Sends what is queued, with pass_fd (or -1) on its first byte. Bytes left, or negative errno. */
int varlink_send(struct varlink_channel *c, int pass_fd);

/*
 * {"parameters":P[,"continues":true]}. Takes over P (NULL: empty object) whatever happens.
 * NULL: out of memory.
 */
struct json_object *varlink_reply(struct json_object *parameters, bool continues);
/* {"error":E,"parameters":P}; E without a dot gets VARLINK_INTERFACE in front. Takes over P. */
struct json_object *varlink_error(const char *error, struct json_object *parameters);
/* {"method":M,"parameters":P[,"more":true]}; M without a dot gets VARLINK_INTERFACE in front. */
struct json_object *varlink_call(const char *method, struct json_object *parameters, bool more);

#endif
