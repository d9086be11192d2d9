/* SPDX-License-Identifier: BSD-2-Clause */
/* From texts to trace points, in the middle of it: what probe.c and the files for each kind share. */
#ifndef RESOLUTION_H
#define RESOLUTION_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/kernel.h"
#include "daemon/modules.h"
#include "daemon/probe.h"
#include "pointname.h"

struct resolution {
	struct probe_list *list;
	const struct kernel *kernel;
	const struct module_set *modules;
	bool all_xdp;  /* packets of XDP are meant, not those in an skb: of all trace points, */
	bool xdp;      /* and of the one at hand */
	bool user;     /* there is user code, which a second argument is for */
	const struct spec *spec;
	size_t entry;  /* the text at hand, in spec->points */
	size_t before; /* trace points of the texts before this one */
	int error;     /* out of memory, too many */
};

/* A new trace point at the end of the list, or NULL: it is there already, or r->error says why. */
struct probe *resolution_add(struct resolution *r, const struct pointname *name);

#endif
