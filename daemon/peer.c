/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/peer.h"

void peer_policy_init(struct peer_policy *policy)
{
	const struct group *group = getgrnam(PEER_GROUP);

	*policy = (struct peer_policy){.own_uid = geteuid(), .has_group = group != NULL};
	if (group)
		policy->group = group->gr_gid;
}

/* The highest role that the rules give to these users, or groups; -1: none does. */
static int ruled_role(const struct peer_rules *rules, bool is_group, const id_t *ids, size_t count)
{
	int role = -1;

	for (size_t i = 0; rules && i < rules->count; i++) {
		const struct peer_rule *rule = &rules->items[i];

		for (size_t j = 0; rule->is_group == is_group && j < count; j++)
			if (rule->id == ids[j] && (int)rule->role > role)
				role = rule->role;
	}
	return role;
}

enum peer_role peer_role(const struct peer_policy *policy, uid_t uid, const gid_t *groups,
			 size_t count)
{
	int ruled;

	if (uid == 0 || uid == policy->own_uid)
		return PEER_ADMIN;
	ruled = ruled_role(policy->rules, false, &uid, 1);
	if (ruled < 0)
		ruled = ruled_role(policy->rules, true, groups, count);
	if (ruled >= 0)
		return ruled;
	for (size_t i = 0; policy->has_group && i < count; i++)
		if (groups[i] == policy->group)
			return PEER_CAPTURER;
	return PEER_OBSERVER;
}

/* The supplementary groups and the primary one, in memory for the caller to free, or NULL with
 * errno. */
static gid_t *read_groups(int fd, gid_t primary, size_t *count)
{
	socklen_t bytes = 0;
	gid_t *groups;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) && errno != ERANGE)
		return NULL;
	groups = malloc(bytes + sizeof(*groups));
	if (!groups)
		return NULL;
	if (bytes && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes)) {
		free(groups);
		return NULL;
	}
	*count = bytes / sizeof(*groups);
	groups[(*count)++] = primary;
	return groups;
}

/* For the log only: the process may call itself anything. The kernel escapes what is no text. */
static void read_comm(pid_t pid, char comm[PEER_COMM_BYTES])
{
	char path[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = pid ? fopen(path, "re") : NULL;
	if (f && fgets(comm, PEER_COMM_BYTES, f))
		comm[strcspn(comm, "\n")] = 0;
	if (f)
		fclose(f);
}

int peer_from_socket(const struct peer_policy *policy, int fd, struct peer *p)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	gid_t *groups;
	size_t count;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size))
		return -errno;
	groups = read_groups(fd, credentials.gid, &count);
	if (!groups)
		return -errno;
	*p = (struct peer){
	    .uid = credentials.uid,
	    .pid = credentials.pid,
	    .role = peer_role(policy, credentials.uid, groups, count),
	};
	free(groups);
	read_comm(p->pid, p->comm);
	return 0;
}

const char *peer_role_name(enum peer_role role)
{
	static const char *const names[] = {
	    [PEER_OBSERVER] = "an observer",
	    [PEER_CAPTURER] = "a capturer",
	    [PEER_ADMIN] = "an administrator",
	};

	return names[role];
}
