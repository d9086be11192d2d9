/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/target.h"

int target_check(int64_t pid, const struct peer *peer, char *why, size_t size)
{
	char path[32];
	struct stat st;

	if (peer->role < PEER_ADMIN) {
		snprintf(why, size,
			 "functions and probes of processes may be traced by administrators only, and you are %s (uid %u): use sudo",
			 peer_role_name(peer->role), (unsigned)peer->uid);
		errno = EPERM;
		return -EPERM;
	}
	snprintf(path, sizeof(path), "/proc/%" PRId64, pid);
	if (!pid || !stat(path, &st))
		return 0;
	snprintf(why, size, "there is no process %" PRId64 ": it may have ended", pid);
	errno = ESRCH;
	return -ESRCH;
}

int target_check_file(int fd, char *why, size_t size)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return 0;
	snprintf(why, size, "what was lent is no regular file, and so no program or shared object: lend one");
	return -EINVAL;
}
