/* SPDX-License-Identifier: BSD-2-Clause */
/* What is traced in user space: the files of one process, or one file and with it all processes that run it. */
#ifndef USERTARGET_H
#define USERTARGET_H

#include "elffile.h"
#include "mbuflayout.h"
#include "process.h"

#define USERTARGET_WHY 512 /* room that is enough for all sentences */

/* Files are opened when they are first looked into. */
struct usertarget_file {
	char *path;                         /* owned; as the target sees it */
	const struct process_file *mapped;  /* NULL: of no process */
	struct elffile elf, debug;          /* debug.elf NULL: there is none */
	enum { USERTARGET_CLOSED, USERTARGET_OPEN, USERTARGET_FAILED } state;
	bool debug_tried;
	char debug_note[256];               /* a debug file that was not taken, or "" */
};

struct usertarget {
	struct process process; /* pid 0: none */
	struct usertarget_file *files; /* owned; the program first */
	size_t count;
};

/* 0, or negative errno with a sentence in why (size bytes), as process_open() has them. */
int usertarget_open_process(struct usertarget *t, pid_t pid, char *why, size_t size);
/* A program or a shared object by its path. */
int usertarget_open_file(struct usertarget *t, const char *path, char *why, size_t size);
void usertarget_close(struct usertarget *t);
/* Opens a file of it, if it is not yet. 0, or negative errno with a sentence. */
int usertarget_file(struct usertarget *t, struct usertarget_file *file, char *why, size_t size);
/* The separate file with its symbols. NULL: there is none, or the file itself is not open. */
const struct elffile *usertarget_debug(struct usertarget *t, struct usertarget_file *file);
/*
 * The layout of struct rte_mbuf: by the DWARF or BTF of the program, of hint (a file that has a trace point; may be
 * NULL), and of the libraries of DPDK, or by DPDK's version. from (size bytes): where it was found, "DWARF of
 * /usr/bin/l2fwd". 0, or -ENOENT with a sentence in why (why_size bytes).
 */
int usertarget_mbuf_layout(struct usertarget *t, const char *hint, struct mbuf_layout *l, char *from, size_t size,
			   char *why, size_t why_size);

#endif
