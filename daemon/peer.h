/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is at the other end of a Unix socket, and what they may do. */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PEER_GROUP "netcap"
#define PEER_COMM_BYTES 16

/* Each may do what those before it may. */
enum peer_role {
	PEER_OBSERVER, /* look at sessions, statistics and what the kernel offers */
	PEER_CAPTURER, /* start sessions, and stop one's own */
	PEER_ADMIN,    /* stop anybody's */
};

#define PEER_ROLES (PEER_ADMIN + 1)

struct peer {
	uid_t uid;
	pid_t pid; /* 0: in a process namespace that the daemon does not see */
	char comm[PEER_COMM_BYTES]; /* the process's name as it is when it connects; "": not known */
	enum peer_role role;
};

/* A user or a group to whom the configuration gives a role. */
struct peer_rule {
	bool is_group;
	id_t id;
	enum peer_role role;
};

struct peer_rules {
	size_t count;
	struct peer_rule *items; /* owned */
};

/* What roles are made of; looked up once. */
struct peer_policy {
	uid_t own_uid; /* the daemon's user is an admin, as is root */
	gid_t group;   /* PEER_GROUP's members are capturers */
	bool has_group;
	const struct peer_rules *rules; /* of the configuration, or NULL */
};

/* Asks the user database for the group, which may block. Never fails: without it, has_group is
 * false. */
void peer_policy_init(struct peer_policy *policy);
/*
 * The role of a user in these groups. Rules come before what is built in, those for the user before
 * those for groups; the highest role of several counts. Administrators by nature stay so.
 */
enum peer_role peer_role(const struct peer_policy *policy, uid_t uid, const gid_t *groups,
			 size_t count);
/* Fills *p from the socket's credentials, which are those of when it was connected. 0 or negative
 * errno. */
int peer_from_socket(const struct peer_policy *policy, int fd, struct peer *p);
/* "an observer", for sentences. */
const char *peer_role_name(enum peer_role role);

#endif
