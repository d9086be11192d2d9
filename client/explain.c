/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain.h"

#include <stddef.h>
#include <string.h>

static const struct entry {
	const char *subsystem, *reason, *meaning, *next;
} entries[] = {
	{"core", "NETFILTER_DROP", "A rule of the firewall dropped the packet.",
	 "The rules and their counters: nft list ruleset, or iptables-save -c."},
	{"core", "NO_SOCKET", "No socket is bound to the packet's destination port.",
	 "Whether the service runs and listens there: ss -lntu."},
	{"core", "SOCKET_RCVBUFF", "The receive buffer of the socket is full: its process reads too slowly.",
	 "Queues of sockets (ss -numO), and the limit net.core.rmem_max."},
	{"core", "IP_RPFILTER", "The reverse path filter found that the sender is not reachable by this device.",
	 "Routes to the sender (ip route get), and net.ipv4.conf.*.rp_filter."},
	{"openvswitch", "OVS_DROP_METER", "A meter of the Open vSwitch datapath limited the rate.",
	 "The meters and their counts: ovs-dpctl dump-flows, ovs-ofctl meter-stats BRIDGE."},
};

static const struct entry *find(const char *subsystem, const char *reason)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		if (!strcmp(entries[i].subsystem, subsystem) && !strcmp(entries[i].reason, reason))
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
