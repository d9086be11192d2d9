/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit codes of netcapctl, as its manual page documents them. */
#ifndef EXITCODE_H
#define EXITCODE_H

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_FAILED = 1,    /* refused, or something went wrong on the way */
	EXITCODE_USAGE = 2,     /* the command line makes no sense */
	EXITCODE_NO_DAEMON = 3, /* nobody to ask, or not permitted to */
	EXITCODE_GONE = 4,      /* the daemon went away in the middle */
};

#endif
