/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The constants of one copy of a program. In the object they are a map, which has a value for everything, so that
 * bpftool can load it and the verifier sees all of the programs (tests/vm/functions). For a copy daemon/template.c puts
 * each value in the place of its load, which costs nothing when the program runs.
 */
#ifndef NETCAP_CONFIG_BPF_H
#define NETCAP_CONFIG_BPF_H

#include <stddef.h>
#include <linux/types.h>
#include "record.h"

extern const volatile struct netcap_config netcap_config;

/* The address and the load, as one: between the two there is nothing, and nobody jumps there. */
#define CONFIG_LOAD(value, type, at) \
	asm volatile("%0 = netcap_config ll\n\t%0 = *(" type " *)(%0 + %1)" : "=r"(value) : "i"(at))

#define CONFIG_AT(size, at)                               \
	({                                                \
		__u64 constant;                           \
                                                          \
		if ((size) == 1)                          \
			CONFIG_LOAD(constant, "u8", at);  \
		else if ((size) == 2)                     \
			CONFIG_LOAD(constant, "u16", at); \
		else if ((size) == 4)                     \
			CONFIG_LOAD(constant, "u32", at); \
		else                                      \
			CONFIG_LOAD(constant, "u64", at); \
		constant;                                 \
	})

/* A member of struct netcap_config. */
#define CONFIG(member)                                                        \
	((typeof(netcap_config.member))CONFIG_AT(sizeof(netcap_config.member), \
						 offsetof(struct netcap_config, member)))

/* 8 bytes of a member that is an array of characters. */
#define CONFIG_WORD(member, index) CONFIG_AT(8, offsetof(struct netcap_config, member) + 8 * (index))

#endif
