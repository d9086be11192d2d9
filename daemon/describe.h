/* SPDX-License-Identifier: BSD-2-Clause */
/* A record of the ring in words: symbols, drop reasons, names, as one packet's metadata. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "bpf/record.h"
#include "daemon/kernel.h"
#include "daemon/probe.h"
#include "daemon/symbols.h"
#include "daemon/usercode.h"
#include "meta.h"

#define DESCRIBE_NAME_BYTES 128
#define DESCRIBE_USER_BYTES 2048

/* Text that a struct meta points to. */
struct describe_store {
	char reason[32];
	char location[DESCRIBE_NAME_BYTES];
	char made[24];
	char tunnel[32];
	char ret[RETURNED_TEXT_BYTES];
	char dev[NETCAP_DEV_LEN + 1];
	char comm[NETCAP_COMM_LEN + 1];
	char user[DESCRIBE_USER_BYTES];
	char frames[META_MAX_FRAMES][DESCRIBE_NAME_BYTES];
};

/*
 * Fills *m from a record that was captured at this trace point; its strings are in store or live as long
 * as p, k and s. The tracer's own frames on top of the stack are left out.
 */
void describe_record(const struct netcap_record *r, const struct probe *p, const struct kernel *k,
		     const struct symbols *s, struct describe_store *store, struct meta *m);
/* Adds what the user's action wrote, if it has something to show. */
void describe_user(const struct netcap_record *r, const struct usercode *user, struct describe_store *store,
		   struct meta *m);
/* Adds what became of the call that the record was captured in. */
void describe_return(const struct netcap_record *r, const struct probe *p, const struct netcap_return *back,
		     struct describe_store *store, struct meta *m);

#endif
