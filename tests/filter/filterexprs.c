/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/filter/filterexprs.h"

const char *const filterexprs[] = {
	/* nothing, and lengths */
	"", "len >= 60", "len <= 1000", "len = 64", "len != 64", "less 100", "greater 100", "len % 2 = 0",
	/* hosts and networks */
	"host 10.0.0.1", "src host 10.0.0.1", "dst host 10.0.0.1", "src or dst host 10.0.0.1",
	"src and dst host 10.0.0.1", "ip host 10.0.0.1", "ip src 10.0.0.1", "ip dst host 192.168.1.1",
	"arp host 10.0.0.1", "arp src host 10.0.0.2", "arp dst 10.0.0.2", "rarp host 10.0.0.1",
	"rarp src host 10.0.0.1", "rarp dst host 10.0.0.1", "host 10.0.0.1 or 10.0.0.2",
	"host 10.0.0.1 and not 10.0.0.2", "host 2001:db8::1", "src host 2001:db8::1", "dst host 2001:db8::2",
	"ip6 host 2001:db8::1", "ip6 src host fe80::1", "ip6 dst ff02::1", "not host 10.0.0.1",
	"net 10.0.0.0/8", "src net 10", "dst net 192.168", "net 10.0.0", "net 192.168.0.0 mask 255.255.0.0",
	"ip net 10.0.0.0/24", "arp net 10.0.0.0/24", "src or dst net 10.0.0.0/30",
	"src and dst net 10.0.0.0/8", "net 2001:db8::/32", "src net 2001:db8::/48", "dst net fe80::/10",
	"ip6 net 2001:db8::/33", "net 0.0.0.0/0", "dst net 224.0.0.0/4", "host 127.0.0.1", "host ::1",
	/* Ethernet addresses */
	"ether host 02:00:00:00:00:01", "ether src 02:00:00:00:00:01", "ether dst 02:00:00:00:00:02",
	"ether src or dst 02:00:00:00:00:02", "ether broadcast", "broadcast", "ether multicast", "multicast", "wlan host 02:00:00:00:00:01",
	"ip multicast", "ip6 multicast", "not broadcast and not multicast",
	/* protocols over Ethernet */
	"ip", "ip6", "arp", "rarp", "atalk", "aarp", "decnet", "iso", "stp", "ipx", "netbeui", "lat", "moprc",
	"mopdl", "not ip", "not arp", "ip or ip6", "ip or arp", "ether proto \\ip", "ether proto 0x86dd",
	"ether proto \\arp", "ether proto 0x88cc", "ether proto 100", "ether proto 0x42", "link proto 0x0800",
	"decnet src 1.1", "decnet dst 1.1", "decnet host 1.1", "ether[12:2] = 0x0800", "ether[12:2] > 1500",
	/* IEEE 802.2 and OSI */
	"llc", "llc i", "llc s", "llc u", "llc rr", "llc rnr", "llc rej", "llc ui", "llc ua", "llc disc",
	"llc sabme", "llc test", "llc xid", "llc frmr", "iso proto \\clnp", "iso proto \\esis",
	"iso proto \\isis", "clnp", "esis", "isis", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp",
	"isis proto 18",
	/* protocols over IP */
	"tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "igrp", "pim", "vrrp", "carp", "ah", "esp",
	"ip proto 47", "ip proto \\tcp", "ip6 proto 17", "ip6 proto \\udp", "proto 6", "proto \\icmp",
	"ip proto 4", "ip6 proto 44", "ip6 proto 0", "ip6 proto 43", "not tcp", "tcp or udp", "ip and tcp",
	"ip6 and tcp", "ip and not tcp and not udp",
	/* ports */
	"port 80", "src port 80", "dst port 80", "tcp port 80", "udp port 53", "sctp port 80",
	"tcp src port 443", "tcp dst port 443", "udp src port 53", "udp dst port 53", "src or dst port 9000",
	"src and dst port 9000", "port 80 or port 443", "tcp port 9000", "not port 22", "portrange 9000-9001",
	"src portrange 1-1024", "dst portrange 9000-65535", "tcp portrange 80-443",
	"udp src portrange 50-60", "ip and port 80", "ip6 and port 80", "ip6 and tcp dst port 443",
	"host 10.0.0.1 and tcp port 80", "tcp port 80 and host 2001:db8::1", "udp and port 9001",
	"(tcp or udp) and (port 53 or port 80)", "net 10.0.0.0/8 and not port 22",
	/* tags and tunnels; these move the offsets of what follows */
	"vlan", "vlan 100", "vlan 0", "vlan 300", "vlan and ip", "vlan 100 and tcp port 80",
	"vlan and vlan", "vlan 100 and vlan 200", "vlan and vlan and ip", "vlan and ip6 and udp",
	"vlan and arp", "vlan 200 and host 10.0.0.1", "not vlan", "ip or vlan", "ip or (vlan and ip)",
	"vlan and ether[16:2] = 0x0800", "ether[12:2] = 0x8100", "ether[14:2] & 0xfff = 100",
	"ether[10:4] != 0", "ether[11:4] & 0xff00 = 0", "ether[13:4] > 0x10000", "ether[15] = 100",
	"ether[12:4] = 0x81000064", "ether[9:4] != 7", "ether[16:4] > 0x08004500", "ether[14:4] > 0x45000000",
	"mpls", "mpls 16", "mpls 17 and mpls 18", "mpls and ip", "mpls and host 10.0.0.1",
	"mpls and mpls and ip6", "pppoed", "pppoes", "pppoes 1", "pppoes and ip", "pppoes 2 and tcp port 80",
	"pppoes and ip6", "geneve", "geneve 1", "geneve and ip", "geneve 2 and tcp", "geneve and udp port 53",
	"geneve and vlan and ip", "vlan and pppoes and ip", "vlan and mpls and ip",
	/* ICMP types and TCP flags by name */
	"icmp[icmptype] = icmp-echo", "icmp[icmptype] = icmp-echoreply",
	"icmp[icmptype] != icmp-unreach and icmp[icmpcode] = 1", "icmp[0] = icmp-timxceed",
	"icmp6[icmp6type] = icmp6-echo", "icmp6[icmp6type] = icmp6-neighborsolicit", "icmp6[0] = 136",
	"tcp[tcpflags] & tcp-syn != 0", "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn",
	"tcp[tcpflags] = tcp-rst", "tcp[13] & 2 != 0", "tcp[13] = 0x12", "tcp[tcpflags] & tcp-push != 0",
	"tcp[tcpflags] & (tcp-fin|tcp-urg) != 0", "tcp[tcpflags] & (tcp-ece|tcp-cwr) != 0",
	/* bytes and arithmetic */
	"ip[0] & 0xf != 5", "ip[6:2] & 0x1fff = 0", "ip[6:2] & 0x2000 != 0", "ip[8] < 64", "ip[9] = 6",
	"ip[2:2] > 576", "ip[16:4] = 0x0a000001", "ip6[6] = 44", "ip6[40] = 6", "ip6[8:4] = 0x20010db8",
	"arp[6:2] = 2", "rarp[6:2] = 3", "udp[4:2] > 100", "udp[0:2] = udp[2:2]", "ether[0] & 1 = 0",
	"ether[len - 1] = 0", "ether[len - 4:4] != 0", "ether[len:1] = 0", "ether[200] > 100",
	"ether[1000:4] > 0x7fffffff", "ether[93:2] > 1000", "ether[94:4] > 1000", "ether[95] > 10",
	"ether[96] > 10", "ether[92:4] > 1000", "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
	"tcp[(tcp[12] >> 4) * 4:4] = 0x48545450", "ip[2:2] - ((ip[0] & 0xf) << 2) > 20",
	"((ip[2:2] - ((ip[0] & 0xf) << 2)) - ((tcp[12] & 0xf0) >> 2)) != 0", "ip[ip[0] & 0xf] > 10",
	"ether[ether[14]] = 0", "ether[ether[14] * 4:2] > 5", "ip[ip[8]:4] > 1000", "udp[8:4] & 0xffff = 0",
	"ip[8] * 2 > 100", "ip[8] + ip[9] = 70", "ip[8] - 65 > 100", "ip[8] / 3 = 21", "ip[8] % 7 = 1",
	"ip[8] / ip[1] = 0", "ip[8] % ip[1] = 1", "len / (ip[1] - ip[8]) > 0", "ip[8] & 1 = 0", "ip[8] | 1 = 65",
	"ip[8] ^ 0x40 = 0", "ip[8] << 2 = 256", "ip[8] >> 3 = 8", "ip[8] << ip[1] = 0", "ip[8] >> ip[9] = 0",
	"0 - ip[8] > 5", "-ip[8] < 0xffffffc0", "ip[4:4] > 0x80000000", "ip[ip[4:2]] = 5",
	"ether[0xffff] = 1", "ether[0x7fffffff] = 1", "ether[0x10000 * len] = 1",
	"ether[0xfffffff0 + len] = 0", "sctp[0:2] = 80", "igmp[0] != 0", "pim[0] != 0", "vrrp[0] > 9",
	"carp[0] > 9", "igrp[0] > 9", "link[0] = 2", "ppp[0] = 2", "slip[0] = 2", "fddi[0] = 2", "tr[0] = 2", "decnet[0] > 5", "lat[0] > 5", "moprc[0] > 5",
	"mopdl[0] > 5",
	/* joined */
	"ip and (tcp or udp) and not (src port 22 or dst port 22)", "not (ip or ip6)",
	"tcp and port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
	"(host 10.0.0.1 or host 10.0.0.2) and (port 80 or port 443 or port 9000)",
	"ip[6:2] & 0x3fff != 0 or ip6 proto 44", "ether host 02:00:00:00:00:01 and ip", "len > 100 and tcp",
	"icmp or icmp6", "(ip and ip[8] < 2) or (ip6 and ip6[7] < 2)", "tcp || udp && ! port 53",
	NULL,
};

const char *const filterexprs_refused[] = {
	"inbound", "outbound", "ifindex 1", "ip broadcast", "ip protochain 6", "ip6 protochain 17",
	"protochain \\tcp", "ifname eth0", "rnr 1", "rulenum 1", "reason match", "rset x", "ruleset x",
	"srnr 1", "subrulenum 1", "action pass", "wlan ra 02:00:00:00:00:01",
	"wlan ta 02:00:00:00:00:01", "wlan addr1 02:00:00:00:00:01", "wlan addr2 02:00:00:00:00:01",
	"wlan addr3 02:00:00:00:00:01", "wlan addr4 02:00:00:00:00:01", "type mgt", "type mgt subtype beacon",
	"subtype beacon", "dir nods", "lane", "oamf4sc", "oamf4ec", "oamf4", "oam", "metac", "bcc", "sc",
	"ilmic", "connectmsg", "metaconnect", "vpi 1", "vci 1", "fisu", "lssu", "msu", "hopc 1", "sio 1",
	"opc 1", "dpc 1", "sls 1", "radio[0] = 1", 
	NULL,
};

/* ---- random expressions ---- */

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(t->at, t->left, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= t->left)
		len = (int)t->left - 1;
	t->at += len;
	t->left -= (size_t)len;
}

static void add_number(struct filterrand *r, struct text *t)
{
	static const uint32_t numbers[] = {0,  1,  2,  4,  5,   6,   8,      14,     16,
					   17, 31, 32, 64, 100, 255, 0x0800, 0x8100, 0xffff};

	if (filterrand_one_in(r, 8))
		add(t, "0x%x", filterrand_u32(r));
	else
		add(t, "%u", FILTERRAND_PICK(r, numbers));
}

static void add_arithmetic(struct filterrand *r, struct text *t, int depth)
{
	static const char *const protocols[] = {"ether", "ip",   "ip6", "tcp",
						"udp",   "icmp", "arp", "link"};
	static const char *const operators[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
	static const uint8_t sizes[] = {1, 2, 4};
	uint32_t kind = filterrand_below(r, depth > 0 ? 5 : 3);

	if (kind == 0) {
		add_number(r, t);
	} else if (kind == 1) {
		add(t, "len");
	} else if (kind == 2) {
		add(t, "%s[%u:%u]", FILTERRAND_PICK(r, protocols), filterrand_below(r, 24),
		    FILTERRAND_PICK(r, sizes));
	} else if (kind == 3) {
		add(t, "%s[", FILTERRAND_PICK(r, protocols));
		add_arithmetic(r, t, depth - 1);
		add(t, ":%u]", FILTERRAND_PICK(r, sizes));
	} else {
		add(t, "(");
		add_arithmetic(r, t, depth - 1);
		add(t, " %s ", FILTERRAND_PICK(r, operators));
		add_arithmetic(r, t, depth - 1);
		add(t, ")");
	}
}

static void add_term(struct filterrand *r, struct text *t)
{
	static const char *const relations[] = {"=", "!=", "<", ">", "<=", ">="};
	size_t count = 1;

	if (filterrand_one_in(r, 3)) {
		add_arithmetic(r, t, 3);
		add(t, " %s ", FILTERRAND_PICK(r, relations));
		add_arithmetic(r, t, 2);
		return;
	}
	while (filterexprs[count])
		count++;
	/* not the first, which is empty */
	add(t, "%s", filterexprs[1 + filterrand_below(r, (uint32_t)count - 1)]);
}

void filterexprs_make(struct filterrand *r, char *text, size_t size)
{
	struct text t = {.at = text, .left = size};
	uint32_t terms = 1 + filterrand_below(r, 4);

	for (uint32_t i = 0; i < terms; i++) {
		if (i)
			add(&t, filterrand_one_in(r, 2) ? " or " : " and ");
		if (filterrand_one_in(r, 5))
			add(&t, "not ");
		add(&t, "(");
		add_term(r, &t);
		add(&t, ")");
	}
}
