/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include "message.h"

int output_check(void)
{
	struct pollfd p = {.fd = fileno(stdout)};

	if (!ferror(stdout))
		return 0;
	/* The errno of the failed write is long gone; a pipe without a reader still shows. */
	if (poll(&p, 1, 0) > 0 && p.revents & (POLLERR | POLLHUP))
		return -EPIPE;
	message("standard output cannot be written: its disk may be full.");
	return -EIO;
}

int output_flush(void)
{
	fflush(stdout);
	return output_check();
}
