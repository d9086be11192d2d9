/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who was refused what, for the log. A caller can be refused as often as it likes: of all of them together,
 * REFUSAL_LINES a minute are logged, and the next one says how many were not.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stdint.h>

#include "daemon/peer.h"

#define REFUSAL_LINES 60

/* error: of the interface file. field: of the call, or "". sentence: as the caller gets it, or "". */
void refusal_log(const struct peer *peer, const char *error, const char *field, const char *sentence);
/* The same for a session that does not come to run. */
void refusal_log_session(const struct peer *peer, uint64_t session, const char *error, const char *field,
			 const char *sentence);

#endif
