/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Varlink messages (varlink.org/Wire-Protocol): one JSON object, then a NUL. Framing over a stream
 * socket with passed descriptors; no event loop, no logging.
 *
 * A stream has no message boundaries, so a read may hand out a descriptor together with the end of
 * one message and the start of the next. Here no read goes beyond the end of a message: what
 * arrives while a message is read was sent with bytes of that message. What a sender attaches to
 * several messages written at once belongs to the first of them.
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
	struct buf in;   /* at most one message, not yet taken */
	struct buf out;  /* bytes to send */
	size_t in_limit; /* longest message taken, in bytes; a client may raise it for replies */
	bool whole;      /* in holds a whole message, with its NUL */
	int passed_fd;   /* descriptor received with the message and not yet taken, or -1; owned */
	bool too_many_fds; /* several came with the message, or could not be opened: none kept */
	void (*discard)(int fd); /* closes a received descriptor that nobody takes; close() blocks */
};

/* out_limit: most bytes waiting to be sent; the input is limited to LIMIT_MESSAGE_BYTES. */
void varlink_channel_init(struct varlink_channel *c, int fd, size_t out_limit);
/* Frees buffers and an untaken descriptor; leaves fd alone. Takes NULL. */
void varlink_channel_clear(struct varlink_channel *c);
/*
 * Reads once, up to the end of one message. >0: bytes read; 0: end of stream; -EAGAIN; -EMSGSIZE:
 * the message is longer than in_limit; -EBUSY: varlink_next() has to take a message first; other
 * negative errno. Received descriptors are close-on-exec. The first read of the next message closes
 * a descriptor that was not taken.
 */
int varlink_receive(struct varlink_channel *c);
/*
 * The next whole message, parsed strictly (jsonstrict.h). 1: *message is the caller's to put;
 * 0: none yet; -EBADMSG: not a JSON object in strict form, with the reason in why (the message is
 * dropped).
 */
int varlink_next(struct varlink_channel *c, struct json_object **message, char *why, size_t size);
/* The descriptor that came with the last message of varlink_next(), now the caller's, or -1. */
int varlink_take_fd(struct varlink_channel *c);
/* Appends a message to the output. 0, -ENOBUFS or -ENOMEM: all or nothing. message stays the
 * caller's. */
int varlink_queue(struct varlink_channel *c, struct json_object *message);
/*
 * Sends what is queued, with pass_fd (or -1) on its first byte. Bytes left, or negative errno;
 * -EINVAL: pass_fd with nothing queued. Never blocks, raises no SIGPIPE. pass_fd stays the
 * caller's; it has gone along if fewer bytes are left than before, else pass it again.
 */
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
