/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's file system for tracing: Documentation/trace/ftrace.rst. */
#ifndef TRACEFS_H
#define TRACEFS_H

#include <stddef.h>

#define TRACEFS_DIRECTORY  "/sys/kernel/tracing" /* where it belongs */
#define TRACEFS_PATH_BYTES 96

/* May this process do mode (R_OK, or F_OK) to path, with all of its capabilities? 0 or negative errno. */
int tracefs_access(const char *path, int mode);

/*
 * Where one of its files or folders is, "events" for example, in path (size bytes). 0, or negative
 * errno of TRACEFS_DIRECTORY: it is readable nowhere.
 */
int tracefs_find(const char *name, char *path, size_t size);

#endif
