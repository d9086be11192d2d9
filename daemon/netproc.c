/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netproc.h"

#define LINE_BYTES   16384 /* the longest line, of TcpExt, has some 2,500 */
#define SEPARATORS   " \t"
#define SOFTNET_MOST 16 /* columns that are looked at */

/* Columns of softnet_stat. */
#define SOFTNET_CPU 12

/*
 * The counters that mean a lost packet, by the names that nstat(8) gives them. Not those of packets
 * that were sent or received twice, of connections that ended, or of memory that was reclaimed.
 */
static const char *const losses[] = {
    "IpInHdrErrors",
    "IpInAddrErrors",
    "IpInUnknownProtos",
    "IpInDiscards",
    "IpOutDiscards",
    "IpOutNoRoutes",
    "IpReasmTimeout",
    "IpReasmFails",
    "IpFragFails",
    "IpExtInNoRoutes",
    "IpExtInTruncatedPkts",
    "IpExtInCsumErrors",
    "IcmpInErrors",
    "IcmpInCsumErrors",
    "IcmpOutErrors",
    "TcpInErrs",
    "TcpInCsumErrors",
    "UdpNoPorts",
    "UdpInErrors",
    "UdpRcvbufErrors",
    "UdpSndbufErrors",
    "UdpInCsumErrors",
    "UdpMemErrors",
    "UdpLiteNoPorts",
    "UdpLiteInErrors",
    "UdpLiteRcvbufErrors",
    "UdpLiteSndbufErrors",
    "UdpLiteInCsumErrors",
    "UdpLiteMemErrors",
    "TcpExtSyncookiesFailed",
    "TcpExtRcvPruned",
    "TcpExtOfoPruned",
    "TcpExtLockDroppedIcmps",
    "TcpExtPAWSActive",
    "TcpExtPAWSEstab",
    "TcpExtListenOverflows",
    "TcpExtListenDrops",
    "TcpExtTCPBacklogDrop",
    "TcpExtPFMemallocDrop",
    "TcpExtTCPMinTTLDrop",
    "TcpExtTCPDeferAcceptDrop",
    "TcpExtIPReversePathFilter",
    "TcpExtTCPReqQFullDrop",
    "TcpExtTCPRetransFail",
    "TcpExtTCPOFODrop",
    "TcpExtTCPZeroWindowDrop",
    "TcpExtTCPRcvQDrop",
    "TcpExtTCPMD5NotFound",
    "TcpExtTCPMD5Unexpected",
    "TcpExtTCPMD5Failure",
    "TcpExtTCPAORequired",
    "TcpExtTCPAOBad",
    "TcpExtTCPAOKeyNotFound",
    "TcpExtTCPAODroppedIcmps",
    "Ip6InHdrErrors",
    "Ip6InTooBigErrors",
    "Ip6InNoRoutes",
    "Ip6InAddrErrors",
    "Ip6InUnknownProtos",
    "Ip6InTruncatedPkts",
    "Ip6InDiscards",
    "Ip6OutDiscards",
    "Ip6OutNoRoutes",
    "Ip6ReasmTimeout",
    "Ip6ReasmFails",
    "Ip6FragFails",
    "Icmp6InErrors",
    "Icmp6InCsumErrors",
    "Icmp6OutErrors",
    "Udp6NoPorts",
    "Udp6InErrors",
    "Udp6RcvbufErrors",
    "Udp6SndbufErrors",
    "Udp6InCsumErrors",
    "Udp6MemErrors",
    "UdpLite6NoPorts",
    "UdpLite6InErrors",
    "UdpLite6RcvbufErrors",
    "UdpLite6SndbufErrors",
    "UdpLite6InCsumErrors",
    "UdpLite6MemErrors",
};

/* 1: line is the next one, without its end; 0: there is none; -EBADMSG: too long, or has a NUL. */
static int next_line(FILE *file, char *line)
{
	size_t length;
	int c;

	if (!fgets(line, LINE_BYTES, file))
		return 0;
	length = strlen(line);
	if (length && line[length - 1] == '\n') {
		line[length - 1] = 0;
		return 1;
	}
	if (feof(file))
		return 1;
	do
		c = fgetc(file);
	while (c != '\n' && c != EOF);
	return -EBADMSG;
}

/* All of text is an unsigned number. */
static bool read_number(const char *text, int base, uint64_t *number)
{
	char *end;

	/* strtoull() would take signs, spaces and 0x */
	if (!*text || text[strspn(text, "0123456789abcdefABCDEF")])
		return false;
	errno = 0;
	*number = strtoull(text, &end, base);
	return !errno && !*end;
}

/* ---- softnet ---- */

static void add_softnet(struct netcounter_list *list, const uint64_t *columns, uint64_t cpu)
{
	static const struct {
		const char *name;
		unsigned column;
	} wanted[] = {{"dropped", 1}, {"time_squeeze", 2}, {"flow_limit", 10}};
	struct netcounter c = {.layer = NETCOUNTER_SOFTNET, .instance = cpu};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		strcpy(c.name, wanted[i].name);
		c.value = columns[wanted[i].column];
		netcounter_add(list, &c);
	}
}

static bool take_softnet(char *line, uint64_t number, struct netcounter_list *list)
{
	uint64_t columns[SOFTNET_MOST] = {};
	char *rest, *word = strtok_r(line, SEPARATORS, &rest);
	unsigned count = 0;

	for (; word && count < SOFTNET_MOST; word = strtok_r(NULL, SEPARATORS, &rest))
		if (!read_number(word, 16, &columns[count++]))
			return false;
	/* packets, dropped, time_squeeze: these have always been there */
	if (count < 3)
		return false;
	/* CPUs that are offline have no line, so its number is not that of the line */
	add_softnet(list, columns, count > SOFTNET_CPU ? columns[SOFTNET_CPU] : number);
	return true;
}

void netproc_softnet(FILE *file, struct netcounter_list *list)
{
	char line[LINE_BYTES];
	int r;

	for (uint64_t number = 0; (r = next_line(file, line)); number++)
		if (r < 0 || !take_softnet(line, number, list))
			netcounter_malformed(list, NETCOUNTER_SOFTNET);
}

/* ---- protocols ---- */

static bool is_loss(const char *name)
{
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		if (!strcmp(losses[i], name))
			return true;
	return false;
}

/* False: the value is no number. Counters that mean no loss are not looked at. */
static bool take_value(const char *protocol, const char *name, const char *value,
		       struct netcounter_list *list)
{
	struct netcounter c = {.layer = NETCOUNTER_PROTOCOL};

	/* a name that is too long is none of ours, cut or not */
	snprintf(c.name, sizeof(c.name), "%s%s", protocol, name);
	if (!is_loss(c.name))
		return true;
	if (!read_number(value, 10, &c.value))
		return false;
	netcounter_add(list, &c);
	return true;
}

static size_t count_words(const char *text)
{
	size_t count = 0;

	for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
		text += strcspn(text, SEPARATORS);
		count++;
	}
	return count;
}

/* "Udp: InDatagrams NoPorts" and "Udp: 409 3". */
static bool take_table(char *names, char *values, struct netcounter_list *list)
{
	char *rest_names, *rest_values, *name, *value;
	char *protocol = strtok_r(names, ":", &rest_names);
	char *same = strtok_r(values, ":", &rest_values);
	bool ok = true;

	/* if one is missing, there is no telling which */
	if (!protocol || !same || strcmp(protocol, same) ||
	    count_words(rest_names) != count_words(rest_values))
		return false;
	name = strtok_r(NULL, SEPARATORS, &rest_names);
	value = strtok_r(NULL, SEPARATORS, &rest_values);
	while (name && value) {
		ok &= take_value(protocol, name, value, list);
		name = strtok_r(NULL, SEPARATORS, &rest_names);
		value = strtok_r(NULL, SEPARATORS, &rest_values);
	}
	return ok;
}

void netproc_tables(FILE *file, struct netcounter_list *list)
{
	char names[LINE_BYTES], values[LINE_BYTES];
	int r;

	while ((r = next_line(file, names)))
		if (r < 0 || next_line(file, values) <= 0 || !take_table(names, values, list))
			netcounter_malformed(list, NETCOUNTER_PROTOCOL);
}

void netproc_pairs(FILE *file, struct netcounter_list *list)
{
	char line[LINE_BYTES];
	int r;

	while ((r = next_line(file, line))) {
		char *rest, *name = strtok_r(line, SEPARATORS, &rest);
		char *value = name ? strtok_r(NULL, SEPARATORS, &rest) : NULL;

		if (r < 0 || !value || !take_value("", name, value, list))
			netcounter_malformed(list, NETCOUNTER_PROTOCOL);
	}
}
