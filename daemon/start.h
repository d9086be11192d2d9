/* SPDX-License-Identifier: BSD-2-Clause */
/* The method Start: from a call to a session that answers it. */
#ifndef START_H
#define START_H

#include <stdbool.h>
#include <json-c/json.h>

#include "daemon/conn.h"
#include "daemon/methods.h"

/*
 * Answers the call, now with an error or later through the session. fd is taken over, or -1. more:
 * the caller takes several replies.
 */
void start_session(struct methods *m, struct conn *c, struct json_object *parameters, int fd,
		   bool more);

#endif
