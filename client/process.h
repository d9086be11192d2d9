/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A running process and the files that it executes code of, as /proc/PID/maps has them (proc_pid_maps(5)). Paths are as
 * the process sees them, which may live in a container.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include "elffile.h"

struct process_file {
	char *path;           /* owned; without " (deleted)" */
	uint64_t start, end;  /* of its first executable mapping */
	uint64_t inode;
	bool is_deleted;
};

struct process {
	pid_t pid;
	int root;  /* owned; its root directory, for elffile_open_path() */
	char *exe; /* owned; the path of its program */
	struct process_file *files; /* owned; the program first, then in the order of addresses */
	size_t count;
};

/*
 * 0, or a sentence in why (size bytes) with -ESRCH: there is no such process, or it has ended, -EACCES: it is another
 * user's, -EINVAL: a thread's number, or a thread of the kernel, or other negative errno.
 */
int process_open(struct process *p, pid_t pid, char *why, size_t size);
void process_close(struct process *p);
/*
 * Opens one of its files: the same that is mapped, also if another one has its path by now. 0, or a sentence with
 * negative errno; -ESTALE: it was replaced or deleted, and takes more privileges to open.
 */
int process_open_file(const struct process *p, const struct process_file *file, struct elffile *f, char *why,
		      size_t size);
/* Reads lines of /proc/PID/maps: those that are executable and of files, each file once. 0 or -ENOMEM. */
int process_read_maps(struct process *p, FILE *maps);

#endif
