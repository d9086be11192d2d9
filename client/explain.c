/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain.h"

#include <stddef.h>
#include <string.h>

static const struct entry {
	const char *reason, *meaning, *next;
} entries[] = {
	{"NETFILTER_DROP", "A rule of the firewall dropped the packet.",
	 "The rules and their counters: nft list ruleset, or iptables-save -c."},
	{"NO_SOCKET", "No socket is bound to the packet's destination port.",
	 "Whether the service runs and listens there: ss -lntu."},
	{"SOCKET_RCVBUFF", "The receive buffer of the socket is full: its process reads too slowly.",
	 "Queues of sockets (ss -numO), and the limit net.core.rmem_max."},
	{"IP_RPFILTER", "The reverse path filter found that the sender is not reachable by this device.",
	 "Routes to the sender (ip route get), and net.ipv4.conf.*.rp_filter."},
	{"TCP_CSUM", "The checksum of the TCP segment is wrong.",
	 "The sender's offloads (ethtool -k) and the path; ethtool -S of the device."},
};

static const struct entry *find(const char *subsystem, const char *reason)
{
	for (size_t i = 0; !strcmp(subsystem, "core") && i < sizeof(entries) / sizeof(entries[0]); i++) {
		if (!strcmp(entries[i].reason, reason))
			return &entries[i];
	}
	return NULL;
}

const char *explain_meaning(const char *subsystem, const char *reason)
{
	const struct entry *e = find(subsystem, reason);

	return e ? e->meaning : NULL;
}

const char *explain_next(const char *subsystem, const char *reason)
{
	const struct entry *e = find(subsystem, reason);

	return e ? e->next : NULL;
}
