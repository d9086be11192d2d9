/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/closer.h"
#include "daemon/deferred.h"
#include "daemon/drops.h"
#include "daemon/dropsamples.h"
#include "daemon/features.h"
#include "daemon/jsonmake.h"
#include "daemon/methods.h"
#include "daemon/metrics.h"
#include "daemon/points.h"
#include "daemon/selfusage.h"
#include "daemon/start.h"
#include "daemon/wallclock.h"
#include "jsonstrict.h"
#include "limit.h"
#include "quote.h"
#include "varlink.h"
#include "version.h"

#define SERVICE "org.varlink.service"

/* The members of a call beside its parameters. */
struct envelope {
	char *method; /* owned */
	bool more, oneway, upgrade;
};

/* Parameters of all methods but Start. */
struct parameters {
	int64_t id;                /* -1: not given */
	char *pattern, *packets, *interface; /* owned */
	struct dropsquery drops;
};

/* A call on its way to its method. */
struct call {
	struct methods *methods;
	struct conn *conn;
	struct envelope envelope;
	struct parameters parameters;
	struct json_object *raw; /* the parameters as they came, or NULL */
	int fd;                  /* owned, or -1 */
};

static const struct jsonstrict_field envelope_fields[] = {
    {"method", JSONSTRICT_STRING, offsetof(struct envelope, method), true, 1, 255},
    {"more", JSONSTRICT_BOOLEAN, offsetof(struct envelope, more), false, 0, 0},
    {"oneway", JSONSTRICT_BOOLEAN, offsetof(struct envelope, oneway), false, 0, 0},
    {"upgrade", JSONSTRICT_BOOLEAN, offsetof(struct envelope, upgrade), false, 0, 0},
    {},
};

static const struct jsonstrict_field no_fields[] = {{}};

static const struct jsonstrict_field interface_fields[] = {
    {"interface", JSONSTRICT_STRING, offsetof(struct parameters, interface), true, 0, 255},
    {},
};

static const struct jsonstrict_field id_fields[] = {
    {"id", JSONSTRICT_INTEGER, offsetof(struct parameters, id), true, 0, INT64_MAX},
    {},
};

static const struct jsonstrict_field optional_id_fields[] = {
    {"id", JSONSTRICT_INTEGER, offsetof(struct parameters, id), false, 0, INT64_MAX},
    {},
};

static const struct jsonstrict_field pattern_fields[] = {
    {"pattern", JSONSTRICT_STRING, offsetof(struct parameters, pattern), false, 0,
     LIMIT_POINT_BYTES},
    {"packets", JSONSTRICT_STRING, offsetof(struct parameters, packets), false, 1, LIMIT_COMM_BYTES},
    {},
};

static const struct jsonstrict_field drops_fields[] = {
    {"since", JSONSTRICT_INTEGER, offsetof(struct parameters, drops.since), false, 0, INT64_MAX},
    {"until", JSONSTRICT_INTEGER, offsetof(struct parameters, drops.until), false, 0, INT64_MAX},
    {"by", JSONSTRICT_STRING, offsetof(struct parameters, drops.by), false, 1, LIMIT_POINT_BYTES},
    {"top", JSONSTRICT_INTEGER, offsetof(struct parameters, drops.top), false, 1, INT64_MAX},
    {"layers", JSONSTRICT_BOOLEAN, offsetof(struct parameters, drops.layers), false, 0, 0},
    {"samples", JSONSTRICT_BOOLEAN, offsetof(struct parameters, drops.samples), false, 0, 0},
    {},
};

/* ---- replies ---- */

static void reply(struct call *call, struct json_object *parameters)
{
	/* NULL would become an empty object, which is not what the caller is promised */
	conn_send(call->conn, parameters ? varlink_reply(parameters, false) : NULL, true);
}

/* An error of org.varlink.service, whose parameters have one member; with a sentence for people. */
static void service_error(struct call *call, const char *error, const char *member,
			  const char *value, const char *sentence)
{
	struct json_object *parameters = json_object_new_object();

	if (member)
		jsonmake_text(parameters, member, value);
	jsonmake_text(parameters, "message", sentence);
	conn_send(call->conn, varlink_error(error, parameters), true);
}

static void no_such_session(struct call *call)
{
	conn_error(call->conn, "NoSuchSession", "id",
		   "there is no session %" PRId64 "; netcapctl list shows those that there are",
		   call->parameters.id);
}

/* ---- org.varlink.service ---- */

/* The interface files as string literals. */
static const struct {
	const char *name, *text;
} interfaces[] = {
    {
	SERVICE,
#include "daemon/org.varlink.service.inc"
    },
    {
	VARLINK_INTERFACE,
#include "daemon/io.netcap.Capture.inc"
    },
};

#define INTERFACES (sizeof(interfaces) / sizeof(*interfaces))

static void get_info(struct call *call)
{
	struct json_object *info = json_object_new_object(), *names = json_object_new_array();

	for (size_t i = 0; i < INTERFACES; i++)
		jsonmake_append(names, json_object_new_string(interfaces[i].name));
	jsonmake_text(info, "vendor", "netcap");
	jsonmake_text(info, "product", "netcapd");
	jsonmake_text(info, "version", NETCAPD_VERSION);
	jsonmake_text(info, "url", "man:netcapd(8)");
	jsonmake_add(info, "interfaces", names);
	reply(call, info);
}

static void get_interface_description(struct call *call)
{
	const char *name = call->parameters.interface;
	struct json_object *answer;

	for (size_t i = 0; i < INTERFACES; i++) {
		if (strcmp(name, interfaces[i].name))
			continue;
		answer = json_object_new_object();
		jsonmake_text(answer, "description", interfaces[i].text);
		reply(call, answer);
		return;
	}
	service_error(call, SERVICE ".InterfaceNotFound", "interface", name,
		      "no such interface is served here; GetInfo lists them");
}

/* ---- io.netcap.Capture ---- */

static void start(struct call *call)
{
	start_session(call->methods, call->conn, call->raw, call->fd, call->envelope.more);
	call->fd = -1;
}

static void lend(struct call *call)
{
	struct json_object *answer;
	int number;

	if (call->fd < 0) {
		conn_error(call->conn, "BadDescriptor", "", "no descriptor came with Lend: pass that of a program or shared object");
		return;
	}
	number = lent_add(conn_lent(call->conn), call->fd);
	call->fd = -1;
	if (number < 0) {
		conn_error(call->conn, "LimitReached", "",
			   "%d files are lent already, the most that a session takes: name trace points in fewer of them",
			   LIMIT_BINARIES);
		return;
	}
	answer = json_object_new_object();
	jsonmake_number(answer, "binary", number);
	reply(call, answer);
}

static void stop(struct call *call)
{
	const struct peer *peer = conn_peer(call->conn);
	struct session *s = sessions_find(call->methods->sessions, call->parameters.id);

	if (!s) {
		no_such_session(call);
	} else if (peer->role < PEER_ADMIN && session_owner(s)->uid != peer->uid) {
		conn_error(call->conn, "NotPermitted", "id",
			   "session %" PRId64 " belongs to user %u; only that user and root may "
			   "stop it",
			   call->parameters.id, (unsigned)session_owner(s)->uid);
	} else {
		session_stop(s, "stopped");
		reply(call, json_object_new_object());
	}
}

static void list(struct call *call)
{
	struct json_object *answer = json_object_new_object();

	if (jsonmake_add(answer, "sessions", sessions_to_json(call->methods->sessions, -1))) {
		reply(call, answer);
		return;
	}
	json_object_put(answer);
	reply(call, NULL);
}

static void stats(struct call *call)
{
	const struct methods *m = call->methods;
	int64_t id = call->parameters.id;
	uint64_t uptime = (wallclock_monotonic() - m->started) / 1000000000;
	struct json_object *answer;

	if (id >= 0 && !sessions_find(m->sessions, id)) {
		no_such_session(call);
		return;
	}
	answer = json_object_new_object();
	if (jsonmake_add(answer, "sessions", sessions_to_json(m->sessions, id)) &&
	    jsonmake_add(answer, "uptime", json_object_new_int64(uptime)) &&
	    jsonmake_add(answer, "rss", json_object_new_int64(selfusage_resident()))) {
		reply(call, answer);
		return;
	}
	json_object_put(answer);
	reply(call, NULL);
}

static void points(struct call *call)
{
	const struct spec spec = {.packets = call->parameters.packets};
	struct deferred_work work = {
	    .kernel = call->methods->host->kernel,
	    .text = call->parameters.pattern,
	    .xdp = spec_is_xdp(&spec),
	    .more = call->envelope.more,
	};
	char why[128];

	if (spec_check_packets(spec.packets, why, sizeof(why))) {
		conn_error(call->conn, "InvalidSpec", "packets", "%s", why);
		return;
	}
	call->parameters.pattern = NULL;
	deferred_start(call->conn, call->methods->host->worker, &work, points_run);
}

static void features(struct call *call)
{
	const char *why = call->methods->kernel_why;
	struct deferred_work work = {.kernel = call->methods->host->kernel};

	if (why) {
		work.text = strdup(why);
		if (!work.text) {
			reply(call, NULL);
			return;
		}
	}
	deferred_start(call->conn, call->methods->host->worker, &work, features_run);
}

static void reload(struct call *call)
{
	reload_call(call->methods->reload, call->conn);
}

static void drops(struct call *call)
{
	const struct methods *m = call->methods;
	struct dropsquery *query = &call->parameters.drops;
	bool more = call->envelope.more;

	if (!query->samples && call->fd < 0) {
		drops_call(m->ledger, m->ledger_why, m->baseline, m->host, call->conn, query, more);
		return;
	}
	dropsamples_call(m->ledger, m->ledger_why, m->baseline, m->host, call->conn, query, call->fd, more);
	call->fd = -1;
}

static void metrics(struct call *call)
{
	metrics_call(call->methods, call->conn);
}

/* ---- dispatch ---- */

static const struct method {
	const char *name;
	const struct jsonstrict_field *fields; /* NULL: the method reads its parameters itself */
	enum peer_role role;                   /* the least that may call it */
	bool takes_fd;
	void (*run)(struct call *call);
} methods[] = {
    {SERVICE ".GetInfo", no_fields, PEER_OBSERVER, false, get_info},
    {SERVICE ".GetInterfaceDescription", interface_fields, PEER_OBSERVER, false,
     get_interface_description},
    {VARLINK_INTERFACE ".Start", NULL, PEER_CAPTURER, true, start},
    {VARLINK_INTERFACE ".Lend", no_fields, PEER_ADMIN, true, lend},
    {VARLINK_INTERFACE ".Stop", id_fields, PEER_CAPTURER, false, stop},
    {VARLINK_INTERFACE ".List", no_fields, PEER_OBSERVER, false, list},
    {VARLINK_INTERFACE ".Stats", optional_id_fields, PEER_OBSERVER, false, stats},
    {VARLINK_INTERFACE ".Points", pattern_fields, PEER_OBSERVER, false, points},
    {VARLINK_INTERFACE ".Drops", drops_fields, PEER_OBSERVER, true, drops},
    {VARLINK_INTERFACE ".Metrics", no_fields, PEER_OBSERVER, false, metrics},
    {VARLINK_INTERFACE ".Features", no_fields, PEER_OBSERVER, false, features},
    {VARLINK_INTERFACE ".Reload", no_fields, PEER_ADMIN, false, reload},
};

static const struct method *find_method(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (!strcmp(methods[i].name, name))
			return &methods[i];
	return NULL;
}

static bool is_of_interface(const char *method, const char *interface)
{
	size_t len = strlen(interface);

	return !strncmp(method, interface, len) && method[len] == '.' &&
	       !strchr(method + len + 1, '.');
}

static void refuse_method(struct call *call)
{
	const char *name = call->envelope.method, *dot = strrchr(name, '.');
	char *interface;

	for (size_t i = 0; i < INTERFACES; i++) {
		if (is_of_interface(name, interfaces[i].name)) {
			service_error(call, SERVICE ".MethodNotFound", "method", name,
				      "the interface has no such method; "
				      "GetInterfaceDescription shows those that it has");
			return;
		}
	}
	interface = strndup(name, dot ? (size_t)(dot - name) : 0);
	service_error(call, SERVICE ".InterfaceNotFound", "interface", interface,
		      "no such interface is served here; GetInfo lists them");
	free(interface);
}

/* Reads the parameters by the method's table. False: it is answered. */
static bool read_parameters(struct call *call, const struct method *method)
{
	const char *field = "";
	char why[512];
	int r =
	    jsonstrict_read(call->raw, method->fields, &call->parameters, &field, why, sizeof(why));

	if (!r)
		return true;
	if (r != -EINVAL)
		reply(call, NULL);
	else if (is_of_interface(method->name, SERVICE))
		service_error(call, SERVICE ".InvalidParameter", "parameter", field, why);
	else
		conn_error(call->conn, "InvalidSpec", field, "%s", why);
	return false;
}

/* Whether it may be called so at all, by this peer. False: it is answered. */
static bool is_allowed(struct call *call, const struct method *method, bool too_many_fds)
{
	const struct peer *peer = conn_peer(call->conn);

	if (peer->role < method->role)
		conn_error(call->conn, "NotPermitted", "method",
			   "%s is not for %s such as user %u; %suse sudo", method->name,
			   peer_role_name(peer->role), (unsigned)peer->uid,
			   method->role > PEER_CAPTURER
			       ? ""
			       : "join the group " PEER_GROUP " (usermod -aG " PEER_GROUP
				 " USER, then log in again) or ");
	else if (call->fd >= 0 && !method->takes_fd)
		conn_error(call->conn, "BadDescriptor", "",
			   "a descriptor came with %s, which takes none; pass it with Start, Lend or Drops only",
			   method->name);
	else if (too_many_fds)
		conn_error(call->conn, "BadDescriptor", "",
			   "several descriptors came with %s; pass one with Start, Lend or Drops, and none else",
			   method->name);
	else
		return true;
	return false;
}

/* The envelope. False: it is answered. */
static bool read_envelope(struct call *call, struct json_object *message)
{
	const char *field = "";
	char why[512];
	int r =
	    jsonstrict_read(message, envelope_fields, &call->envelope, &field, why, sizeof(why));

	if (!r && call->envelope.oneway && call->envelope.more) {
		snprintf(why, sizeof(why), "a call cannot be both oneway and more: leave one out");
		field = "oneway";
		r = -EINVAL;
	} else if (!r && call->envelope.upgrade) {
		snprintf(why, sizeof(why), "no method can be upgraded here: leave it out");
		field = "upgrade";
		r = -EINVAL;
	} else if (call->envelope.oneway) {
		conn_mute(call->conn);
	}
	if (r == -EINVAL)
		conn_error(call->conn, "InvalidSpec", field, "%s", why);
	else if (r)
		reply(call, NULL);
	return !r;
}

static void dispatch(struct call *call, struct json_object *message, bool too_many_fds)
{
	const struct method *method;

	if (!read_envelope(call, message))
		return;
	method = find_method(call->envelope.method);
	if (!method)
		refuse_method(call);
	else if (is_allowed(call, method, too_many_fds) &&
		 (!method->fields || read_parameters(call, method)))
		method->run(call);
}

void methods_call(struct methods *m, struct conn *c, struct json_object *message, int fd,
		  bool too_many_fds)
{
	struct call call = {
	    .methods = m,
	    .conn = c,
	    .parameters = {.id = -1, .drops = {.since = -1, .until = -1, .top = -1, .sampled = -1}},
	    .fd = fd,
	};

	/* what is left is the envelope, which has nothing but words and flags */
	json_object_object_get_ex(message, "parameters", &call.raw);
	json_object_get(call.raw);
	json_object_object_del(message, "parameters");
	dispatch(&call, message, too_many_fds);
	json_object_put(call.raw);
	free(call.envelope.method);
	free(call.parameters.pattern);
	free(call.parameters.packets);
	free(call.parameters.interface);
	free(call.parameters.drops.by);
	closer_close(call.fd);
}
