/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/jsonmake.h"
#include "daemon/log.h"
#include "daemon/netlinkdump.h"
#include "daemon/netlinkstats.h"
#include "daemon/netproc.h"
#include "daemon/netstats.h"

#define DUMP_TRIES 4 /* while devices come and go */

/* A list as it is filled. */
struct reading {
	struct netcounter_list *list;
	const struct netstats_source *source;
	const char *failed; /* what could not be read, the last of it, or NULL */
	int error;          /* of it, negative errno */
};

static void fail(struct reading *r, enum netcounter_layer layer, const char *what, int error)
{
	r->failed = what;
	r->error = error;
	r->list->partial[layer] = true;
}

static void read_file(struct reading *r, enum netcounter_layer layer, const char *name,
		      void (*parse)(FILE *, struct netcounter_list *))
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", r->source->proc_net, name);
	file = fopen(path, "re");
	if (!file) {
		/* a kernel without IPv6 has no counters of it */
		if (errno != ENOENT)
			fail(r, layer, name, -errno);
		return;
	}
	parse(file, r->list);
	if (ferror(file))
		fail(r, layer, name, -EIO);
	fclose(file);
}

static void read_dump(struct reading *r, enum netcounter_layer layer, uint16_t type,
		      const void *header, size_t size, mnl_cb_t take, int names)
{
	const struct netcounter_list before = *r->list;
	struct netlinkstats sink = {r->list, names};
	int error = -EINTR;

	for (int i = 0; i < DUMP_TRIES && error == -EINTR; i++) {
		*r->list = before;
		error = netlinkdump_run(r->source->route, type, header, size, take, &sink);
	}
	if (error)
		fail(r, layer,
		     layer == NETCOUNTER_QDISC ? "the list of qdiscs" : "the list of devices",
		     error);
}

static void read_rtnetlink(struct reading *r)
{
	const struct if_stats_msg devices = {
	    .family = AF_UNSPEC, .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)};
	const struct tcmsg qdiscs = {.tcm_family = AF_UNSPEC};
	int names = r->source->route;

	if (names < 0)
		names = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (names < 0) {
		fail(r, NETCOUNTER_DEVICE, "the list of devices", -errno);
		r->list->partial[NETCOUNTER_QDISC] = true;
		return;
	}
	read_dump(r, NETCOUNTER_DEVICE, RTM_GETSTATS, &devices, sizeof(devices),
		  netlinkstats_device, names);
	read_dump(r, NETCOUNTER_QDISC, RTM_GETQDISC, &qdiscs, sizeof(qdiscs), netlinkstats_qdisc,
		  names);
	if (names != r->source->route)
		close(names);
}

/* Once: what is odd about a kernel stays so. Called from one thread at a time. */
static void complain(const struct reading *r)
{
	static bool done;
	const struct netcounter_list *list = r->list;

	if (done || (!r->failed && !list->malformed && !list->left_out))
		return;
	done = true;
	if (r->failed)
		log_warning("counters of lost packets are missing: %s cannot be read: %s",
			    r->failed, strerror(-r->error));
	if (list->malformed)
		log_warning("counters of lost packets are missing: %zu lines or messages of this "
			    "kernel are not understood; please report this kernel",
			    list->malformed);
	if (list->left_out)
		log_warning("counters of lost packets are missing: the first %d that are not 0 are "
			    "kept, and there are %zu more",
			    NETCOUNTER_MOST, list->left_out);
}

int netstats_read(struct netstats *stats, const struct netstats_source *source)
{
	struct reading r = {.list = &stats->list, .source = &stats->source};

	stats->source = *source;
	if (netcounter_list_init(r.list)) {
		memset(r.list->partial, true, sizeof(r.list->partial));
		return -ENOMEM;
	}
	/* layers with few counters first: those of devices may fill the list */
	read_file(&r, NETCOUNTER_PROTOCOL, "snmp", netproc_tables);
	read_file(&r, NETCOUNTER_PROTOCOL, "netstat", netproc_tables);
	read_file(&r, NETCOUNTER_PROTOCOL, "snmp6", netproc_pairs);
	read_file(&r, NETCOUNTER_SOFTNET, "softnet_stat", netproc_softnet);
	read_rtnetlink(&r);
	netcounter_finish(r.list);
	complain(&r);
	return 0;
}

void netstats_clear(struct netstats *stats)
{
	if (stats)
		netcounter_list_clear(&stats->list);
}

/* ---- as JSON ---- */

static int64_t bounded(uint64_t number)
{
	return number < INT64_MAX ? number : INT64_MAX;
}

static struct json_object *make_counter(const struct netcounter *c)
{
	struct json_object *o = json_object_new_object();
	bool ok = jsonmake_text(o, "layer", netcounter_layer_name(c->layer)) &&
		  jsonmake_name(o, "device", c->device) && jsonmake_name(o, "name", c->name) &&
		  jsonmake_number(o, "value", bounded(c->value)) &&
		  jsonmake_number(o, "since", bounded(c->since));

	return jsonmake_whole(o, ok);
}

struct json_object *netstats_json(const struct netstats *baseline)
{
	struct json_object *array = json_object_new_array();
	struct netstats now;
	bool ok = array && !netstats_read(&now, &baseline->source);

	if (!ok)
		return jsonmake_whole(array, false);
	netcounter_subtract(&now.list, &baseline->list);
	netcounter_merge(&now.list);
	for (size_t i = 0; ok && i < now.list.count; i++)
		ok = jsonmake_append(array, make_counter(&now.list.counters[i]));
	netstats_clear(&now);
	return jsonmake_whole(array, ok);
}
