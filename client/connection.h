/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection to netcapd: the service's socket, or a private daemon that this process starts for
 * its own lifetime when there is no service and it has the privileges.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <sys/types.h>
#include "varlink.h"

struct connection {
	int fd;                         /* owned; -1: none */
	struct varlink_channel channel;
	pid_t daemon;                   /* private netcapd, ours to wait for; 0: none */
};

/*
 * Connects to the socket at path (NULL: the default one). With private_ok and nobody there, starts
 * a private daemon instead, if the privileges allow. An exit code; the sentence is printed.
 */
int connection_open(struct connection *c, const char *path, bool private_ok);
/* Takes over a connected socket; daemon as above. */
void connection_init(struct connection *c, int fd, pid_t daemon);
/* Hangs up and waits for the private daemon. Takes one that was never opened. */
void connection_close(struct connection *c);

/*
 * Sends a call; takes over parameters (NULL: none). pass_fd goes along, -1: none. 0 or negative
 * errno.
 */
int connection_call(struct connection *c, const char *method, struct json_object *parameters,
		    bool more, int pass_fd);
/* Waits for the next message: 1 and *reply is the caller's to put; or negative errno (-EPIPE: the
 * daemon hung up; -EBADMSG: no Varlink). */
int connection_receive(struct connection *c, struct json_object **reply);
/*
 * Call and single reply. Prints a sentence for every failure, those the daemon reports included.
 * An exit code; with EXITCODE_OK the reply's parameters are in *result, the caller's to put.
 */
int connection_ask(struct connection *c, const char *method, struct json_object *parameters,
		   struct json_object **result);
/* The same with a descriptor that goes along. */
int connection_ask_with(struct connection *c, const char *method, struct json_object *parameters, int pass_fd,
			struct json_object **result);
/* If the reply is an error, prints its sentence and returns an exit code; else EXITCODE_OK. */
int connection_check(struct json_object *reply);

#endif
