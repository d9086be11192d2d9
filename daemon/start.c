/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "daemon/closer.h"
#include "daemon/descriptor.h"
#include "daemon/jsonmake.h"
#include "daemon/quota.h"
#include "daemon/start.h"
#include "daemon/target.h"
#include "varlink.h"

static int to_caller(void *arg, struct json_object *message, bool last)
{
	return conn_send(arg, message, last);
}

static void caller_half_closed(void *arg)
{
	sessions_stop(arg);
}

static void caller_gone(void *arg)
{
	sessions_orphan(arg);
}

/* Is the specification one that can be begun? False: it is answered. */
static bool is_possible(const struct methods *m, struct conn *c, const struct spec *spec, int fd,
			bool more)
{
	struct json_object *parameters;
	char why[256];

	if (!more && !spec->dry_run) {
		parameters = json_object_new_object();
		jsonmake_text(parameters, "message",
			      "Start has several replies: call it with more, or with dryRun");
		conn_send(c, varlink_error("org.varlink.service.ExpectedMore", parameters), true);
	} else if (spec->user_code && conn_peer(c)->role < PEER_ADMIN) {
		conn_error(c, "NotPermitted", "userCode",
			   "you are %s (uid %u), and user code can read all of the kernel's memory: only administrators "
			   "may load it", peer_role_name(conn_peer(c)->role), (unsigned)conn_peer(c)->uid);
	} else if (spec_has_process(spec) && target_check(spec->target, conn_peer(c), why, sizeof(why))) {
		conn_error(c, errno == EPERM ? "NotPermitted" : "InvalidSpec", "target", "%s", why);
	} else if (fd >= 0 && descriptor_check(fd, why, sizeof(why))) {
		conn_error(c, "BadDescriptor", "", "%s", why);
	} else if (fd < 0 && spec->snaplen > QUOTA_EVENT_SNAPLEN) {
		conn_error(c, "InvalidSpec", "snaplen",
			   "the snaplen is %" PRId64 " bytes, but packets in replies have at most "
			   "%d: give less, or pass a pipe along",
			   spec->snaplen, QUOTA_EVENT_SNAPLEN);
	} else if (m->stopping) {
		conn_error(c, "Failed", "", "the daemon is stopping: try again in a moment");
	} else if (m->kernel_why) {
		conn_error(c, "Failed", "", "%s", m->kernel_why);
	} else {
		return true;
	}
	return false;
}

static void begin(struct methods *m, struct conn *c, struct spec *spec, int fd)
{
	static const struct conn_operation operation = {.half_closed = caller_half_closed,
							.abandoned = caller_gone};
	const struct peer *peer = conn_peer(c);
	struct session_owner owner = {.uid = peer->uid, .pid = peer->pid};
	struct sessions_entry *entry;
	char why[256];

	memcpy(owner.comm, peer->comm, sizeof(owner.comm));
	entry = sessions_start(m->sessions, spec, fd, conn_lent(c), &owner, to_caller, c, why, sizeof(why));
	if (entry)
		conn_defer(c, &operation, entry);
	else
		conn_error(c, errno == EDQUOT ? "LimitReached" : "Failed", "", "%s", why);
}

void start_session(struct methods *m, struct conn *c, struct json_object *parameters, int fd,
		   bool more)
{
	const char *field = "";
	struct spec spec;
	char why[512];
	int r;

	spec_init(&spec);
	r = spec_from_json(&spec, parameters, &field, why, sizeof(why));
	if (!r && is_possible(m, c, &spec, fd, more)) {
		begin(m, c, &spec, fd);
		fd = -1;
	} else if (r == -EINVAL) {
		conn_error(c, "InvalidSpec", field, "%s", why);
	} else if (r) {
		conn_error(c, "Failed", "",
			   "the daemon has no memory for this call; try again later");
	}
	spec_clear(&spec);
	closer_close(fd);
}
