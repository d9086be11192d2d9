/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that takes in objects with user code. libelf and libbpf read there what somebody sent, with no
 * privilege but to load BPF programs: libbpf needs it to relocate one, and the verifier is asked here what it says of the
 * user's code (usertrial.h), which may take it seconds.
 *
 * It gets struct userchild_request and the object on standard input, a stream, until its end. Its answer there is
 * struct usercode_answer with what follows it.
 */
#ifndef USERCHILD_H
#define USERCHILD_H

#include <stdint.h>

#define USERCHILD_MEMORY (512UL << 20) /* bytes of address space: the kernel's types take some 60 MiB */
#define USERCHILD_CPU    5             /* seconds of CPU time */
#define USERCHILD_FILES  64            /* descriptors */

struct userchild_request {
	uint32_t filter, action; /* 1: wanted */
	uint32_t log;            /* 1: what the verifier says is wanted, if it refuses */
};

/* Serves the one request on fd. Returns the exit status. */
int userchild_main(int fd);

#endif
