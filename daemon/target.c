/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "daemon/target.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

int target_check(int64_t pid, const struct peer *peer, char *why, size_t size)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%" PRId64, pid);
	if (pid && stat(path, &st)) {
		snprintf(why, size, "there is no process %" PRId64 ": it may have ended", pid);
		return -(errno = ESRCH);
	}
	if (peer->role >= PEER_ADMIN)
		return 0;
	if (!pid)
		snprintf(why, size,
			 "functions of all processes may be traced by administrators only, and you are %s (uid %u): give one process "
			 "of yours, or use sudo",
			 peer_role_name(peer->role), (unsigned)peer->uid);
	else if (st.st_uid != peer->uid)
		snprintf(why, size,
			 "process %" PRId64 " belongs to user %u, and only that user and administrators may trace its functions: "
			 "use sudo",
			 pid, (unsigned)st.st_uid);
	else
		return 0;
	return -(errno = EPERM);
}

int target_check_file(int fd, bool any, char *why, size_t size)
{
	struct statfs fs;
	struct stat st;

	if (!any && !fstatfs(fd, &fs) && fs.f_type == FUSE_SUPER_MAGIC) {
		snprintf(why, size,
			 "the file is of a file system that a process serves (FUSE), for which only administrators may make netcapd wait: "
			 "use sudo");
		return -EINVAL;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return 0;
	snprintf(why, size, "what was lent is no regular file, and so no program or shared object: lend one");
	return -EINVAL;
}
