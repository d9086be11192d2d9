/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's configuration: a JSON file with comments, and the files of its drop-in directory, of
 * which the later ones win, member by member. netcapd(8) says what each member means.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "daemon/peer.h"
#include "daemon/quota.h"
#include "jsonstrict.h"

#define CONFIG_PATH "/etc/netcapd/netcapd.json"

/* Summaries of drops in the log. */
struct config_journal {
	bool drops;
	int64_t interval;         /* seconds between two of them */
	int64_t lines_per_minute; /* the most about drops */
	int64_t threshold;        /* packets in an interval, below which there is no line */
	/* shell patterns of REASON, REASON@LOCATION or REASON@LOCATION@DEVICE without a line */
	struct jsonstrict_strings ignore;
};

struct config {
	bool ledger; /* count all drops from the start */
	struct config_journal journal;
	struct quota limits;
	struct jsonstrict_strings roles[PEER_ROLES]; /* "USER" or "@GROUP", by enum peer_role */
	struct peer_rules rules;                     /* the same as numbers */
	struct jsonstrict_strings unknown;           /* a sentence for each name not found */
	struct {
		bool enabled;
	} metrics;
};

/* Where it is. */
struct config_source {
	const char *path; /* of the file, to which ".d" is added for the directory; NULL: none */
	bool required;    /* the file must be there */
};

/* What is wrong with it. */
struct config_error {
	char field[256]; /* the path of the member, such as journal.interval, or empty */
	char why[1024];  /* a sentence, with the file, the line and the field */
};

/*
 * Reads all of it into *c, whatever was in there, and looks up the users and groups: reads files,
 * so not for the event loop. 0, or negative errno with *e filled, and *c cleared.
 */
int config_load(struct config *c, const struct config_source *source, struct config_error *e);
/* Frees what is in *to, and moves *from there. */
void config_move(struct config *to, struct config *from);
/* Logs what the daemon had to leave out. */
void config_warn(const struct config *c);
/* All members, as they would stand in a file; the caller's to put. NULL: out of memory. */
struct json_object *config_to_json(const struct config *c);
/* Takes NULL and what is all zero; leaves that. */
void config_clear(struct config *c);

#endif
