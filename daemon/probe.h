/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace points of a session: from what was typed to where the skb is. Attaching is hooks.h's. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "daemon/kernel.h"
#include "daemon/modules.h"
#include "daemon/programs.h"
#include "daemon/returned.h"
#include "pointname.h"
#include "spec.h"

#define PROBE_NEAREST    5
#define PROBE_TEXT_BYTES 288
/* Types of arguments that say where a packet goes whose headers are not written yet; each ends with NULL. */
extern const char *const probe_socks[], *const probe_flows[];

#define PROBE_MOST       4096 /* trace points in one session, after patterns were expanded */

enum probe_error {
	PROBE_OK,
	PROBE_UNKNOWN, /* no such trace point */
	PROBE_REFUSED, /* it exists but cannot be traced so */
	PROBE_FAILED,  /* the kernel did not take it */
};

struct probe {
	char *text;                /* owned; "tracepoint:skb:kfree_skb", "icmp_rcv" */
	const char *name;          /* in text: the event or function, with its module */
	enum pointname_kind asked;
	enum template_kind kind;
	enum template_hook hook;   /* what it is attached by, once it is */
	const char *because;       /* why that was the first choice */
	uint32_t btf_id;           /* 0: there is no type information */
	bool copies;               /* a function of several places, see sites_are_several() */
	int btf_fd;                /* of its module or program; not owned, 0: the kernel */
	uint8_t skb;               /* index of the argument, from 0; so with packets of XDP */
	uint8_t source;            /* enum source_kind of what it points to */
	uint8_t process;           /* in user space: enum netcap_process */
	uint8_t entry;             /* in user space: which of the texts it was named by, from 0 */
	uint8_t location;          /* index or NETCAP_NO_ARG, as the next three */
	uint8_t sock;              /* an argument struct sock * */
	uint8_t flow;              /* an argument struct flowi *, flowi4 * or flowi6 * */
	uint8_t reason;
	bool has_headers;          /* no packet lacks headers there (tracepoint_has_headers()) */
	uint8_t user;              /* the second @N: what user code gets, from 0; or NETCAP_NO_ARG */
	bool indirect;             /* the argument points to what holds a pointer to the skb, */
	uint16_t indirect_at;      /* so many bytes in */
	struct returned returned;  /* fexit: what comes back, and where */
	uint64_t missed;           /* hits while the program ran already on that CPU */
	enum probe_error error;
	char *why;                 /* owned; a sentence, when error is set */
	char *note;                /* owned; a sentence, when it is attached but not everywhere */
	char *nearest[PROBE_NEAREST]; /* owned; names that come close, with PROBE_UNKNOWN */
};

struct probe_list {
	struct probe *items; /* owned */
	size_t count;
	struct program_set programs; /* owned; that trace points are in */
};

/*
 * Finds the trace points that a specification names; patterns become many. What is wrong with one stands in it. 0, or
 * -ENOMEM, or -E2BIG: more than PROBE_MOST. Blocks for some 10 ms: the worker's.
 */
int probe_list_resolve(struct probe_list *list, const struct kernel *k,
		       const struct module_set *modules, const struct spec *spec);
void probe_list_clear(struct probe_list *list);

/* Sets error and why. */
__attribute__((format(printf, 3, 4))) void probe_fail(struct probe *p, enum probe_error error,
						      const char *format, ...);
/* Sets note. */
__attribute__((format(printf, 2, 3))) void probe_note(struct probe *p, const char *format, ...);
/* Is it the return of a function or program that is asked for? */
bool probe_is_return(const struct probe *p);
/* Is it a BPF program? */
bool probe_is_program(const struct probe *p);
/* Is it in user space? */
bool probe_is_process(const struct probe *p);
/* Is it a function of the kernel (neither a tracepoint nor a program)? */
bool probe_is_function(const struct probe *p);
/* Does the trace point say why a packet was dropped? */
bool probe_is_drop(const struct probe *p);

#endif
