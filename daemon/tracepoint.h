/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's tracepoints as BTF and tracefs know them: prototypes, and where the skb is. */
#ifndef TRACEPOINT_H
#define TRACEPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

#define TRACEPOINT_NO_ARG   255
#define TRACEPOINT_MAX_ARGS 12

struct tracepoint {
	char group[64];   /* "skb" */
	char name[128];   /* "kfree_skb" */
	uint32_t btf_id;  /* btf_trace_NAME in the kernel's BTF; 0: not in BTF */
	uint8_t args;     /* number of arguments */
	uint8_t skb;      /* index of the first argument that is a struct sk_buff *, or NO_ARG */
	uint8_t location; /* kfree_skb: index of the caller's address, or NO_ARG */
	uint8_t reason;   /* index of an enum skb_drop_reason, or NO_ARG */
};

/* The prototypes in BTF, by name. */
struct tracepoint_index;

/* btf must outlive the index. NULL: out of memory. */
struct tracepoint_index *tracepoint_index_new(const struct btf *btf);
void tracepoint_index_free(struct tracepoint_index *index);

/*
 * Looks a tracepoint up. 0, or -ENOENT: there is none of that name (in that group, where tracefs can
 * tell), with a sentence in why.
 */
int tracepoint_find(const struct tracepoint_index *index, const char *group, const char *name,
		    struct tracepoint *tp, char *why, size_t size);
/* "void kfree_skb(struct sk_buff *, void *, enum skb_drop_reason, struct sock *)". Length or -ENOBUFS. */
int tracepoint_prototype(const struct btf *btf, const struct tracepoint *tp, char *text, size_t size);
/* Is this argument (from 0) a pointer to struct sk_buff, const or not? */
bool tracepoint_is_skb(const struct btf *btf, const struct tracepoint *tp, unsigned argument);

/*
 * Have packets all their headers there? So it is where they come in, and where they are handed to a device
 * (include/trace/events/net.h, qdisc.h): whoever made them has written whatever goes over the wire.
 */
bool tracepoint_has_headers(const struct tracepoint *tp);

/* The first argument that points to a structure of one of these names (NULL ends them), or NO_ARG. */
uint8_t tracepoint_pointer(const struct btf *btf, const struct tracepoint *tp, const char *const *names);

struct tracepoint_list {
	struct tracepoint *items; /* owned */
	size_t count;
};

/*
 * All tracepoints that tracefs lists, sorted by group and name. 0, -ENOENT (tracefs is not readable:
 * a sentence in why) or -ENOMEM.
 */
int tracepoint_list(const struct tracepoint_index *index, struct tracepoint_list *list, char *why,
		    size_t size);
void tracepoint_list_clear(struct tracepoint_list *list);
/*
 * The names in the list that come closest to group:name, best first; at most most. Returns how many.
 */
size_t tracepoint_nearest(const struct tracepoint_list *list, const char *group, const char *name,
			  const struct tracepoint **nearest, size_t most);

#endif
