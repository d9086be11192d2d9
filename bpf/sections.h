/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ELF sections of the programs that netcapd makes copies of. libbpf is told to hand those out instead of loading them
 * (daemon/blueprint.c), so that no other object may have these. Whatever knows libbpf's own names can load the objects as they are.
 */
#ifndef SECTIONS_H
#define SECTIONS_H

#define SECTION_TYPED     "tp_btf/consume_skb" /* the verifier knows the arguments' types; any tracepoint whose first is the skb */
#define SECTION_ARGUMENTS "raw_tp/netcap"      /* the context is an array of arguments */
#define SECTION_REGISTERS "kprobe/netcap"      /* the context is struct pt_regs */

#endif
