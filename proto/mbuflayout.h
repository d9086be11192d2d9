/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the members of DPDK's struct rte_mbuf are (lib/mbuf/rte_mbuf_core.h of DPDK), which differs between versions and
 * builds. In JSON and on command lines by the members' names: {"buf_addr": 0, ...} and "buf_addr=0,...".
 */
#ifndef MBUFLAYOUT_H
#define MBUFLAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

/* Bytes from the beginning of the structure. */
struct mbuf_layout {
	uint16_t buf_addr;
	uint16_t data_off;
	uint16_t port;
	uint16_t ol_flags;
	uint16_t pkt_len;
	uint16_t data_len;
	uint16_t vlan_tci;
	uint16_t vlan_tci_outer;
	uint16_t next;
};

#define MBUFLAYOUT_FIELDS 9
#define MBUFLAYOUT_HEAD   64   /* bytes that all members are in but next: those are read at once */
#define MBUFLAYOUT_MOST   1023 /* a member's offset; the structure has 128 bytes in all versions so far */

/* The names in the order of the structure, and the member of that number. */
extern const char *const mbuflayout_names[MBUFLAYOUT_FIELDS];
uint16_t *mbuflayout_member(struct mbuf_layout *l, size_t i);

/* Reads "buf_addr=0,data_off=16,...", all members, in any order. 0, or -EINVAL with a sentence in why (size bytes). */
int mbuflayout_parse(const char *text, struct mbuf_layout *l, char *why, size_t size);
/* The same of a JSON object with all members as numbers; -ENOMEM, too. */
int mbuflayout_from_json(struct mbuf_layout *l, struct json_object *object, char *why, size_t size);
/* The caller's to put. NULL: out of memory. */
struct json_object *mbuflayout_to_json(const struct mbuf_layout *l);

#endif
