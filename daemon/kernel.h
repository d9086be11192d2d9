/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the running kernel offers, found out once when the daemon starts: by trying, never by version.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "daemon/function.h"
#include "daemon/template.h"

struct btf;
struct sites;
struct uprobe_ways;
struct tracepoint_index;

struct kernel {
	struct btf *btf;                      /* vmlinux; owned */
	struct tracepoint_index *tracepoints; /* owned */
	struct function_list functions;       /* the kernel's own that take a packet; owned */
	struct sites *sites;                  /* where functions are; owned, the worker's */
	struct uprobe_ways *uprobes;          /* how functions of processes are attached; owned, the worker's */
	struct template_set *templates;       /* owned */
	enum netcap_access access;            /* how filters may look at packets */
	bool var_stack;                       /* the verifier takes computed offsets into the stack */
	struct filter_cast cast;              /* as in struct filter_target */
	uint64_t page_linear;                 /* pagemap_find(); 0: page fragments are not readable */
	char page_why[128];                   /* why not */
	const char **reasons;                 /* drop reasons by number; array owned, names in btf */
	size_t reason_count;
};

/*
 * Opens everything, about 200 ms. 0, or negative errno with a sentence in why (size bytes); k is then
 * all zero.
 */
int kernel_open(struct kernel *k, char *why, size_t size);
void kernel_close(struct kernel *k);
/*
 * Reads where functions are, some 70 ms, or the first session at functions would wait for it. Blocks, and is the
 * worker's; what fails here fails again where it matters.
 */
void kernel_prepare(const struct kernel *k);
/* How a filter in a program of this kind may look at packets. */
enum netcap_access kernel_access(const struct kernel *k, enum template_kind kind);
/* The same, and where the filter goes in such a program. */
void kernel_target(const struct kernel *k, enum template_kind kind, struct filter_target *target);
/* A drop reason's name, as "NETFILTER_DROP", or "REASON_4711" in text when it has none. Returns it. */
const char *kernel_reason(const struct kernel *k, uint32_t reason, char *text, size_t size);

#endif
