/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "daemon/netlinkstats.h"

/* struct rtnl_link_stats64 has had it since Linux 6.0, which headers may be older than. */
#define RX_OTHERHOST_DROPPED (offsetof(struct rtnl_link_stats64, rx_nohandler) + sizeof(uint64_t))

#define KIND_BYTES 16 /* of the kernel's qdisc_ops.id, NUL included */

#define FIELD(name) #name, offsetof(struct rtnl_link_stats64, name)

struct field {
	const char *name;
	size_t offset;
};

/* Those of errors have details, which rx_errors and tx_errors count as well. */
static const struct field device_fields[] = {
    {FIELD(rx_dropped)},
    {FIELD(tx_dropped)},
    {FIELD(rx_errors)},
    {FIELD(tx_errors)},
    {FIELD(rx_missed_errors)},
    {FIELD(rx_fifo_errors)},
    {FIELD(tx_fifo_errors)},
    {FIELD(rx_nohandler)},
    {FIELD(rx_over_errors)},
    {FIELD(rx_crc_errors)},
    {FIELD(rx_frame_errors)},
    {FIELD(rx_length_errors)},
    {FIELD(tx_carrier_errors)},
    {FIELD(tx_aborted_errors)},
    {"rx_otherhost_dropped", RX_OTHERHOST_DROPPED},
};

static const struct field queue_fields[] = {
    {"drops", offsetof(struct gnet_stats_queue, drops)},
    {"overlimits", offsetof(struct gnet_stats_queue, overlimits)},
    {"requeues", offsetof(struct gnet_stats_queue, requeues)},
};

/* One request for each device that lost something; a list of all names takes the kernel longer. */
static bool find_name(const struct netlinkstats *s, struct netcounter *c)
{
	struct ifreq request = {.ifr_ifindex = c->ifindex};

	if (c->device[0])
		return true;
	if (ioctl(s->names, SIOCGIFNAME, &request))
		return false;
	snprintf(c->device, sizeof(c->device), "%s", request.ifr_name);
	return true;
}

static void add(const struct netlinkstats *s, struct netcounter *c)
{
	/* a device may be gone by now, and its counters with it */
	if (c->value && find_name(s, c))
		netcounter_add(s->list, c);
}

/* ---- devices ---- */

static void add_device(const struct netlinkstats *s, int ifindex, const struct nlattr *stats)
{
	const char *bytes = mnl_attr_get_payload(stats);
	struct netcounter c = {.layer = NETCOUNTER_DEVICE, .ifindex = ifindex};

	for (size_t i = 0; i < sizeof(device_fields) / sizeof(device_fields[0]); i++) {
		/* older kernels have fewer, newer ones more */
		if (device_fields[i].offset + sizeof(c.value) > mnl_attr_get_payload_len(stats))
			continue;
		strcpy(c.name, device_fields[i].name);
		memcpy(&c.value, bytes + device_fields[i].offset, sizeof(c.value));
		add(s, &c);
	}
}

static bool take_device(const struct netlinkstats *s, const struct nlmsghdr *message)
{
	const struct if_stats_msg *device = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute, *stats = NULL;

	if (message->nlmsg_type != RTM_NEWSTATS ||
	    message->nlmsg_len < mnl_nlmsg_size(sizeof(*device)))
		return false;
	mnl_attr_for_each(attribute, message, sizeof(*device)) {
		if (mnl_attr_get_type(attribute) == IFLA_STATS_LINK_64)
			stats = attribute;
	}
	/* the oldest form ends with tx_compressed */
	if (!stats ||
	    mnl_attr_get_payload_len(stats) < offsetof(struct rtnl_link_stats64, rx_nohandler))
		return false;
	add_device(s, device->ifindex, stats);
	return true;
}

int netlinkstats_device(const struct nlmsghdr *message, void *arg)
{
	const struct netlinkstats *s = arg;

	if (!take_device(s, message))
		netcounter_malformed(s->list, NETCOUNTER_DEVICE);
	return MNL_CB_OK;
}

/* ---- qdiscs ---- */

/* 1 to KIND_BYTES - 1 bytes with their NUL; else NULL. */
static const char *read_kind(const struct nlattr *attribute)
{
	size_t size = mnl_attr_get_payload_len(attribute);
	const char *kind = mnl_attr_get_payload(attribute);
	size_t length = strnlen(kind, size);

	return length && length < size && length < KIND_BYTES ? kind : NULL;
}

static void name_qdisc(char *name, size_t size, const char *kind, uint32_t handle,
		       const char *counter)
{
	/* those that a multiqueue device gives each of its queues have none, and are added up */
	if (TC_H_MAJ(handle))
		snprintf(name, size, "%s %x: %s", kind, TC_H_MAJ(handle) >> 16, counter);
	else
		snprintf(name, size, "%s %s", kind, counter);
}

static void add_qdisc(const struct netlinkstats *s, const struct tcmsg *qdisc, const char *kind,
		      const struct nlattr *queue)
{
	const char *bytes = mnl_attr_get_payload(queue);
	struct netcounter c = {
	    .layer = NETCOUNTER_QDISC,
	    .ifindex = qdisc->tcm_ifindex,
	    .instance = (uint64_t)qdisc->tcm_handle << 32 | qdisc->tcm_parent,
	};

	for (size_t i = 0; i < sizeof(queue_fields) / sizeof(queue_fields[0]); i++) {
		uint32_t value;

		memcpy(&value, bytes + queue_fields[i].offset, sizeof(value));
		c.value = value;
		name_qdisc(c.name, sizeof(c.name), kind, qdisc->tcm_handle, queue_fields[i].name);
		add(s, &c);
	}
}

/* The queue's counters in TCA_STATS2. False: malformed; *queue is NULL where there are none. */
static bool find_queue(const struct nlattr *stats, const struct nlattr **queue)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, stats) {
		if (mnl_attr_get_type(attribute) == TCA_STATS_QUEUE)
			*queue = attribute;
	}
	return !*queue || mnl_attr_get_payload_len(*queue) >= sizeof(struct gnet_stats_queue);
}

static bool take_qdisc(const struct netlinkstats *s, const struct nlmsghdr *message)
{
	const struct tcmsg *qdisc = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute, *queue = NULL;
	const char *kind = NULL;

	if (message->nlmsg_type != RTM_NEWQDISC ||
	    message->nlmsg_len < mnl_nlmsg_size(sizeof(*qdisc)))
		return false;
	mnl_attr_for_each(attribute, message, sizeof(*qdisc)) {
		if (mnl_attr_get_type(attribute) == TCA_KIND)
			kind = read_kind(attribute);
		else if (mnl_attr_get_type(attribute) == TCA_STATS2 &&
			 !find_queue(attribute, &queue))
			return false;
	}
	if (kind && queue)
		add_qdisc(s, qdisc, kind, queue);
	return kind;
}

int netlinkstats_qdisc(const struct nlmsghdr *message, void *arg)
{
	const struct netlinkstats *s = arg;

	if (!take_qdisc(s, message))
		netcounter_malformed(s->list, NETCOUNTER_QDISC);
	return MNL_CB_OK;
}
