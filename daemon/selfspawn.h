/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's own program once more, as a child that does one job: compiles filters, or looks at user code. */
#ifndef SELFSPAWN_H
#define SELFSPAWN_H

#include <sys/types.h>

/*
 * Runs executable (NULL: the running program), which finds the job in its only argument. The child has fd as its standard
 * input, no environment, and no signal blocked or ignored. 0 with its pid, or negative errno and
 * the pid 0.
 */
int selfspawn(const char *executable, const char *argument, int fd, pid_t *pid);

#endif
