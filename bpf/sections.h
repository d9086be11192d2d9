/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ELF sections of the programs that netcapd makes copies of. libbpf is told to hand those out instead of loading them
 * (daemon/blueprint.c), so that no other object may have these. They are names of libbpf's own kinds, too, by which bpftool
 * loads the objects.
 */
#ifndef NETCAP_SECTIONS_H
#define NETCAP_SECTIONS_H

#define SECTION_TYPED     "tp_btf/consume_skb" /* the verifier knows the arguments' types; the first is the skb */
#define SECTION_ARGUMENTS "raw_tp/netcap"      /* the context is an array of arguments */
#define SECTION_REGISTERS "kprobe/netcap"      /* the context is struct pt_regs */

#endif
