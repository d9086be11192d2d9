/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF programs as templates. To open an object costs about 15 ms, nearly all of it parsing the
 * kernel's BTF, so it is done once: the relocated instructions are kept, and each trace point of each
 * session gets a copy with its own constants, maps and filter, loaded directly.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "daemon/filter.h"
#include "daemon/usercode.h"

enum template_kind {
	TEMPLATE_TYPED,   /* the verifier knows the arguments' types: tp_btf, fentry */
	TEMPLATE_UNTYPED, /* arguments are numbers: raw_tp, and fentry where the skb is not an argument */
	TEMPLATE_KPROBE,  /* arguments are in registers: kprobe, kprobe.multi */
	TEMPLATE_XDP,     /* an argument is an xdp_buff or xdp_frame: fentry */
	TEMPLATE_XDP_KPROBE, /* the same: kprobe, kprobe.multi */
	TEMPLATE_RETURN,  /* takes no packet and no filter: fexit, beside another one by fentry */
	TEMPLATE_COPY,   /* neither: where an sk_buff is made of another one; fentry, kprobe */
	TEMPLATE_FREE,   /* where one is freed: fentry, kprobe, tp_btf, raw_tp */
	TEMPLATE_PROCESS, /* packets in the memory of a process: uprobe, uretprobe, USDT; see template_set_need_process() */
	TEMPLATE_ENTER,  /* takes no packet and no filter: uprobe, beside another one at the return */
	TEMPLATE_KINDS,
};

/* What a copy is attached to. */
enum template_hook {
	TEMPLATE_TP_BTF,
	TEMPLATE_RAW_TP,
	TEMPLATE_FENTRY,
	TEMPLATE_FEXIT,
	TEMPLATE_KPROBE_MULTI,
	TEMPLATE_KPROBE_ONE,
	TEMPLATE_UPROBE,
	TEMPLATE_URETPROBE,
	TEMPLATE_USDT,
	TEMPLATE_HOOKS,
};

/* One copy. */
struct template_copy {
	enum template_kind kind;
	enum template_hook hook;
	const struct netcap_config *config;
	const struct filter_code *filter; /* translated body of netcap_filter(), NULL for none */
	const struct usercode *user;      /* the user's own, NULL for none */
	uint32_t btf_id; /* tp_btf: the prototype's typedef (btf_trace_...); fentry, fexit: the function */
	int btf_fd;      /* of the module or program that btf_id is in, 0: the kernel */
	int attach_type; /* of uprobes: how it will be attached (uprobemulti.h), 0: by perf events */
};

/* The maps that a copy works on. Descriptors are the caller's. */
struct template_maps {
	int control;  /* array, mmapable, one struct netcap_control */
	int counters; /* per-CPU array of struct netcap_counters */
	int ring;
	int made;     /* per-CPU array of struct source_made (bpf/source.bpf.h) */
	int sites;    /* array of struct netcap_site_bucket, for shared programs; or -1 */
	int calls;    /* hash, calls whose return is waited for, or -1: no program wants returns */
	int track;    /* LRU hash, numbers of packets that are followed; or -1 as the next two: none is */
	int tickets;  /* queue, the next numbers */
	int lives;    /* LRU hash, their sk_buffs; or -1: nobody wants to know when they end */
	int journeys; /* LRU hash, ways of packets (struct netcap_journey); or -1, as the next two */
	int blank;    /* array, one of them */
	int edges;    /* per-CPU hash of struct netcap_edge */
	int entered;  /* LRU hash, calls in processes whose return is waited for, or -1: none is */
	uint8_t sites_bits; /* see struct netcap_config */
};

struct template_set;

struct btf;

/*
 * Opens and relocates the programs, which takes some tens of milliseconds, in the form that suits the kernel's functions; whether
 * the kernel takes that, a copy shows. While no other thread opens BPF objects. btf: the kernel's types, only looked at here.
 * NULL with errno and a sentence in why (size bytes).
 */
struct template_set *template_set_new(const struct btf *btf, char *why, size_t size);
/* Takes the next older form instead, before there are copies. 0 or negative errno: -ENOENT: there is none. */
int template_set_older(struct template_set *set);
/*
 * Takes the programs at trace points in user space, unless it is done: most daemons never need them. The worker's,
 * before anything else is done with TEMPLATE_PROCESS or TEMPLATE_ENTER. 0, or negative errno and a sentence.
 */
int template_set_need_process(struct template_set *set, char *why, size_t size);
void template_set_free(struct template_set *set);
/* Says in why that the kernel does not take the programs (what: " for user space", or ""). Returns error. */
int template_refused(int error, const char *what, char *why, size_t size);

/* Where a filter for this template goes: fills body and load of t, leaves the rest. */
void template_target(const struct template_set *set, enum template_kind kind,
		     struct filter_target *t);
/*
 * Loads a copy. Returns the program's descriptor, or negative errno with what the verifier said last in
 * why (for which it is loaded once more, unless size is 0). Any thread.
 */
int template_load(const struct template_set *set, const struct template_copy *copy,
		  const struct template_maps *maps, char *why, size_t size);
/* The kind of program that all functions share whose packets are as those of this kind. */
enum template_kind template_shared(enum template_kind kind);
/* "tp_btf", "kprobe.multi", ... */
const char *template_hook_name(enum template_hook hook);
/* Do programs of all kinds know the type of the skb, wherever they have its address from (Linux 6.2)? */
bool template_set_types_addresses(const struct template_set *set);
/* Is it the variant for kernels before 5.17: without bpf_loop()? */
bool template_set_is_old(const struct template_set *set);

#endif
