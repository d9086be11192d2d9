/* SPDX-License-Identifier: BSD-2-Clause */
/* The users and groups of the configuration, from names to numbers. */
#ifndef ROLES_H
#define ROLES_H

#include "daemon/peer.h"
#include "jsonstrict.h"

/* The files that are asked, and no name server: a lookup takes no longer than reading them. */
#define ROLES_USERS  "/etc/passwd"
#define ROLES_GROUPS "/etc/group"

/*
 * What is wrong with the form of a name in the configuration ("USER", "@GROUP", or the number of
 * either in the place of the name), a sentence; NULL: nothing.
 */
const char *roles_check(const char *name);
/*
 * Makes rules of the names for each role, an array by enum peer_role, and a sentence in unknown of
 * each name that is in neither file. Both are the caller's to free. 0 or -ENOMEM. Not for several
 * threads at a time.
 */
int roles_resolve(const struct jsonstrict_strings *names, struct peer_rules *rules,
		  struct jsonstrict_strings *unknown);

#endif
