/* SPDX-License-Identifier: BSD-2-Clause */
/* The process whose functions a session traces, and the files with them: who may trace them, and whether they can be. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/peer.h"

/*
 * May the peer trace this process, 0: all? An administrator may; others their own processes, as far as those let their user
 * look at them (PR_SET_DUMPABLE of prctl(2): else they belong to root). 0; -ESRCH: there is no such process; or -EPERM. With
 * a sentence in why (size bytes), and the error in errno, too.
 */
int target_check(int64_t pid, const struct peer *peer, char *why, size_t size);
/*
 * Can functions of the file be traced: is it a regular file, and, unless any is true, of no file system that a process serves,
 * which would make the worker wait? 0, or -EINVAL with a sentence. Blocks.
 */
int target_check_file(int fd, bool any, char *why, size_t size);

#endif
