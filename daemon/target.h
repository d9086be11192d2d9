/* SPDX-License-Identifier: BSD-2-Clause */
/* The process whose functions a session traces, and the files with them: who may trace them, and whether they can be. */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/peer.h"

/*
 * May the peer trace this process, 0: all? Only administrators: a process of one's own may execute a setuid program next,
 * and the kernel then puts the breakpoints into that (docs/security.md). 0; -EPERM; or -ESRCH: there is no such process. With a
 * sentence in why (size bytes), and the error in errno, too.
 */
int target_check(int64_t pid, const struct peer *peer, char *why, size_t size);
/* Can functions of the file be traced: is it a regular one? 0, or -EINVAL with a sentence. Blocks. */
int target_check_file(int fd, char *why, size_t size);

#endif
