/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/tracefs.h"

int tracefs_access(const char *path, int mode)
{
	/* access() asks for the real user, whose ambient capabilities it leaves out */
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) ? -errno : 0;
}

int tracefs_find(const char *name, char *path, size_t size)
{
	/* the second is where it was before Linux 4.1, and still is where debugfs is mounted */
	static const char *const places[] = { TRACEFS_DIRECTORY, "/sys/kernel/debug/tracing" };
	int error = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		int r;

		snprintf(path, size, "%s/%s", places[i], name);
		r = tracefs_access(path, R_OK);
		if (!r)
			return 0;
		if (!error)
			error = r;
	}
	return error;
}
