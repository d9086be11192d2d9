/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/userconstants.h"

static bool is_wide(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static const struct bpf_map *map_of(const struct bpf_object *object, const struct bpf_insn *i)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		if (i->src_reg == BPF_PSEUDO_MAP_VALUE && bpf_map__fd(map) == i->imm)
			return map;
	return NULL;
}

/* Sections that can be written to, and the kernel's configuration, which libbpf would ask for, are none. */
static bool is_constant(const struct bpf_map *map)
{
	return bpf_map__map_flags(map) & BPF_F_RDONLY_PROG && !strstr(bpf_map__name(map), "kconfig");
}

/* Where the constants of a map are among all of them, or -ENOSPC. */
static int base_of(struct userconstants *c, const struct bpf_map *map)
{
	size_t size = 0;
	/* libbpf 1.1 takes no const */
	const void *bytes = bpf_map__initial_value((struct bpf_map *)map, &size);

	for (uint32_t i = 0; i < c->map_count; i++)
		if (c->maps[i].map == map)
			return c->maps[i].base;
	if (c->map_count == USERCONSTANTS_MAPS || !bytes || size > sizeof(c->bytes) - c->len)
		return -ENOSPC;
	c->maps[c->map_count].map = map;
	c->maps[c->map_count++].base = c->len;
	memcpy(c->bytes + c->len, bytes, size);
	c->len += size;
	while (c->len % 8 && c->len < sizeof(c->bytes))
		c->len++;
	return c->maps[c->map_count - 1].base;
}

static int place(struct userconstants *c, const struct bpf_map *map, struct bpf_insn *i, char *why, size_t size)
{
	int base;

	if (i->src_reg == BPF_PSEUDO_FUNC) {
		snprintf(why, size, "it hands over a function, which user code may not: call it in a loop of your own");
		return -EINVAL;
	}
	if (!map || !is_constant(map)) {
		snprintf(why, size, "it uses a map, or a variable outside of its functions, which would outlive the packet: "
			 "use local variables, and static const for tables");
		return -EINVAL;
	}
	if ((uint32_t)i[1].imm >= bpf_map__value_size(map)) {
		snprintf(why, size, "it uses a place beyond the end of a table");
		return -EINVAL;
	}
	base = base_of(c, map);
	if (base < 0) {
		snprintf(why, size, "its tables and texts have more than %d bytes: use fewer or smaller ones",
			 USERCODE_DATA);
		return -EINVAL;
	}
	i->imm = 0;
	i[1].imm += base;
	return 0;
}

int userconstants_place(struct userconstants *c, const struct bpf_object *object, struct bpf_insn *insns, uint32_t count,
			uint32_t *at, char *why, size_t size)
{
	int r = 0;

	for (uint32_t i = 0; !r && i + 1 < count; i++) {
		*at = i;
		if (!is_wide(&insns[i]))
			continue;
		if (insns[i].src_reg)
			r = place(c, map_of(object, &insns[i]), &insns[i], why, size);
		i++;
	}
	return r;
}
