/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's functions as BTF knows them: prototypes, and where the packet is. Modules have BTF of their own
 * (Linux 5.11), which is read when one of their functions is asked for.
 */
#ifndef FUNCTION_H
#define FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"

struct btf;
struct btf_type;

#define FUNCTION_NO_ARG   255
#define FUNCTION_MAX_ARGS 12 /* MAX_BPF_FUNC_ARGS */

/* A function's prototype, or what is known of it. */
struct function {
	const char *name;      /* in the BTF's strings */
	const struct btf *btf; /* where id is: the kernel's, or a module's */
	uint32_t id;           /* BTF_KIND_FUNC */
	uint8_t args;
	uint8_t skb;           /* index of the first argument that points to an skb, or NO_ARG */
	bool indirect;         /* it is a struct sk_buff ** */
	uint8_t xdp;           /* the same for a packet of XDP: an xdp_buff or xdp_frame */
};

/* The functions of the kernel, or of one module, that take a packet of either sort, sorted by name. */
struct function_list {
	struct function *items; /* owned */
	size_t count;
};

/*
 * Lists them. base: the kernel's BTF when btf is a module's, whose own functions are listed then; else
 * NULL. 0 or -ENOMEM.
 */
int function_list(const struct btf *btf, const struct btf *base, struct function_list *list);
void function_list_clear(struct function_list *list);
/* The one of that name, or NULL. */
const struct function *function_list_find(const struct function_list *list, const char *name);

/* The BTF_KIND_FUNC of this id in btf, which must be one. */
void function_init(struct function *f, const struct btf *btf, uint32_t id);
/* Looks a function up that need not take a packet. 0, or -ENOENT. */
int function_find(const struct btf *btf, const struct btf *base, const char *name,
		  struct function *f);
/* Its BTF_KIND_FUNC_PROTO, or NULL. */
const struct btf_type *function_proto(const struct function *f);
/* Is argument (from 0) a pointer to an skb? *indirect: to a pointer to one. */
bool function_is_skb(const struct function *f, unsigned argument, bool *indirect);
/* The first argument that points to a structure of one of these names (NULL ends them), or NO_ARG. */
uint8_t function_pointer(const struct function *f, const char *const *names);
/* What argument (from 0) points to: an xdp_buff, an xdp_frame, or SOURCE_SKB: neither. */
enum source_kind function_xdp(const struct function *f, unsigned argument);
/* f->skb, or f->xdp. */
uint8_t function_packet(const struct function *f, bool xdp);
/* "int icmp_rcv(struct sk_buff *skb)". Length, or -ENOBUFS. */
int function_prototype(const struct function *f, char *text, size_t size);

#endif
