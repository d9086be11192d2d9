/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that has the structure of a packet as DPDK names it, with members in other places than DPDK has them. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef PLUGINS
const char plugins[] = PLUGINS;
#endif

struct rte_mbuf;

struct other {
	uint64_t pkt_len; /* not this one */
};

struct rte_mbuf {
	uint64_t before[2];
	void *buf_addr; /* 16 */
	const volatile struct rte_mbuf *next; /* 24 */
	union {
		uint64_t rearm_data;
		struct {
			uint16_t refcnt;
			uint16_t data_off; /* 34 */
			struct {
				uint16_t port; /* 36 */
				uint16_t nb_segs;
			};
		};
	};
	uint64_t ol_flags; /* 40 */
	union {
		uint32_t packet_type;
		struct {
			uint8_t l2_type : 4;
			uint8_t l3_type : 4;
		};
	};
	struct other other; /* 56 */
	union {
		struct {
			uint32_t pkt_len; /* 64 */
			union {
				uint16_t data_len; /* 68 */
				uint16_t data_len_too;
			};
		};
		uint64_t lengths;
	};
	uint16_t vlan_tci;       /* 72 */
	uint16_t buf_len;
	uint16_t vlan_tci_outer; /* 76 */
};

int receive(struct rte_mbuf **packets, uint16_t count);

int receive(struct rte_mbuf **packets, uint16_t count)
{
	int sum = 0;

	for (uint16_t i = 0; i < count; i++)
		sum += packets[i]->data_len;
	return sum;
}

int main(int argc, char **argv)
{
	struct rte_mbuf m = { .data_len = (uint16_t)argc }, *packets[] = { &m };

#ifdef PLUGINS
	puts(plugins);
#endif
	return receive(packets, 1) == 77;
}
