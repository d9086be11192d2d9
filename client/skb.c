/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs skb, xdp, mbuf and raw: a capture of packets in the kernel, in an skb or before there is one, or in user space. */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include "capture.h"
#include "connection.h"
#include "dryrun.h"
#include "exitcode.h"
#include "help.h"
#include "message.h"
#include "netns.h"
#include "options.h"
#include "pointchoice.h"
#include "signals.h"
#include "sink.h"
#include "userobject.h"
#include "userspace.h"
#include "verbs.h"

/*
 * Names of devices mean something in one namespace only: with -i and no --netns, it is the one that
 * the command was typed in.
 */
static int resolve_place(struct options *o)
{
	const char *device = spec_has_kernel(&o->spec) ? o->spec.interface : NULL; /* others are ports of mbufs */
	char name[IF_NAMESIZE];
	struct netns n;
	int err = 0;

	if (!o->netns && !device)
		return EXITCODE_OK;
	if (netns_find(&n, o->netns))
		return EXITCODE_FAILED;
	o->spec.netns = n.inode;
	if (device) {
		err = netns_check_device(&n, device, name);
		if (!err) {
			free(o->spec.interface);
			o->spec.interface = strdup(name);
		}
	}
	netns_clear(&n);
	return err ? EXITCODE_FAILED : EXITCODE_OK;
}

static struct sink *make_plain_sink(const struct options *o, int *code)
{
	if (o->write_path)
		return filesink_new(o, code);
	/* with a histogram no packets come, so tcpdump need not be there */
	if (o->json || o->spec.histogram)
		return jsonsink_new(o, code);
	return textsink_new(o, code);
}

static struct sink *make_sink(const struct options *o, int *code)
{
	struct sink *sink = make_plain_sink(o, code);

	if (sink && o->group) {
		sink = groupsink_new(sink);
		*code = sink ? EXITCODE_OK : EXITCODE_FAILED;
	}
	return sink;
}

static int capture(struct options *o, struct userspace *u)
{
	struct connection c = {.fd = -1};
	struct sink *sink;
	int code;

	signals_install(-1);
	sink = make_sink(o, &code);
	if (!sink)
		return code;
	code = connection_open(&c, o->socket_path, true);
	if (code == EXITCODE_OK)
		code = pointchoice_settle(&c, &o->spec);
	if (code == EXITCODE_OK)
		code = userspace_lend(u, &c);
	if (code == EXITCODE_OK) {
		signals_install(c.fd);
		code = capture_run(&c, o, u, sink);
		signals_install(-1);
	}
	sink->free(sink);
	connection_close(&c);
	return code;
}

int verb_skb(int argc, char **argv, const char *socket_path)
{
	struct options o = {.socket_path = socket_path};
	struct userspace u = {.pidfd = -1};
	int code = options_parse_skb(&o, argc, argv);

	if (code == EXITCODE_OK && o.help)
		help_verb(argv[0]);
	else if (code == EXITCODE_OK)
		code = resolve_place(&o);
	if (code == EXITCODE_OK && !o.help)
		code = userobject_make(&o, o.spec.dry_run && !o.json ? stdout : NULL);
	if (code == EXITCODE_OK && !o.help)
		code = userspace_find(&u, &o);
	if (code == EXITCODE_OK && !o.help)
		code = o.spec.dry_run ? dryrun_show(&o, &u) : capture(&o, &u);
	userspace_clear(&u);
	options_clear(&o);
	return code;
}

int verb_mbuf(int argc, char **argv, const char *socket_path)
{
	return verb_skb(argc, argv, socket_path);
}

int verb_raw(int argc, char **argv, const char *socket_path)
{
	return verb_skb(argc, argv, socket_path);
}

int verb_xdp(int argc, char **argv, const char *socket_path)
{
	return verb_skb(argc, argv, socket_path);
}
