/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants outside of functions, tables and texts: libbpf made maps of their sections and put those into the
 * instructions. They are gathered here, as struct usercode has them.
 */
#ifndef USERCONSTANTS_H
#define USERCONSTANTS_H

#include <bpf/libbpf.h>

#include "daemon/usercode.h"

#define USERCONSTANTS_MAPS 8 /* sections with constants */

/* Those of all sections that are used, one behind the other; zeros to begin with. */
struct userconstants {
	uint8_t bytes[USERCODE_DATA];
	uint32_t len;
	uint32_t map_count;
	struct {
		const struct bpf_map *map;
		uint32_t base;
	} maps[USERCONSTANTS_MAPS];
};

/*
 * Puts places in userconstants.bytes into instructions that object relocated, in the place of its maps. 0; or -EINVAL with
 * what is wrong in why, as the end of a sentence, and the instruction in *at.
 */
int userconstants_place(struct userconstants *c, const struct bpf_object *object, struct bpf_insn *insns, uint32_t count,
			uint32_t *at, char *why, size_t size);

#endif
