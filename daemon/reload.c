/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/reload.h"
#include "daemon/wallclock.h"
#include "varlink.h"

struct reload {
	struct worker *worker;
	const struct config_source *source;
	struct config *config;
	void (*changed)(void *arg);
	void *arg;
	LIST_HEAD(, job) jobs;
	bool signalled; /* one of them is for a signal */
	bool again;     /* another signal came meanwhile */
};

/* The worker has it from when it is submitted until it is done. */
struct job {
	LIST_ENTRY(job) link;
	struct reload *reload;
	struct conn *conn; /* NULL: it is gone, or there was none */
	bool signalled;
	struct config config;
	struct config_error error;
	int result;
};

struct reload *reload_new(struct worker *worker, const struct config_source *source,
			  struct config *config, void (*changed)(void *arg), void *arg)
{
	struct reload *r = malloc(sizeof(*r));

	if (r)
		*r = (struct reload){
		    .worker = worker,
		    .source = source,
		    .config = config,
		    .changed = changed,
		    .arg = arg,
		};
	return r;
}

static void forget(struct job *job)
{
	LIST_REMOVE(job, link);
	config_clear(&job->config);
	free(job);
}

void reload_free(struct reload *r)
{
	if (!r)
		return;
	/* those that the worker never came to */
	while (!LIST_EMPTY(&r->jobs))
		forget(LIST_FIRST(&r->jobs));
	free(r);
}

static void run(void *arg)
{
	struct job *job = arg;

	job->result = config_load(&job->config, job->reload->source, &job->error);
}

static void apply(struct job *job)
{
	struct reload *r = job->reload;
	struct journal_entry entry;

	if (job->result) {
		journal_begin(&entry, JOURNAL_CONFIG_REFUSED, LOG_ERR);
		journal_text(&entry, "NETCAP_FIELD", job->error.field);
		journal_send(&entry, "the configuration stays as it was: %s", job->error.why);
		return;
	}
	config_move(r->config, &job->config);
	r->changed(r->arg);
	journal_begin(&entry, JOURNAL_CONFIG_READ, LOG_INFO);
	journal_text(&entry, "NETCAP_CONFIG", r->source->path);
	journal_send(&entry, "the configuration is read anew");
	config_warn(r->config);
}

static void answer(struct job *job)
{
	if (job->result)
		conn_error(job->conn, "InvalidSpec", job->error.field, "%s", job->error.why);
	else
		conn_send(job->conn, varlink_reply(NULL, false), true);
}

static void done(void *arg)
{
	struct job *job = arg;
	struct reload *r = job->reload;

	apply(job);
	if (job->conn)
		answer(job);
	if (job->signalled)
		r->signalled = false;
	forget(job);
	if (LIST_EMPTY(&r->jobs))
		sd_notify(0, "READY=1");
	if (r->again && !r->signalled) {
		r->again = false;
		reload_now(r);
	}
}

/* The job, or NULL: out of memory. */
static struct job *submit(struct reload *r, struct conn *c, bool signalled)
{
	struct job *job = malloc(sizeof(*job));

	if (!job)
		return NULL;
	*job = (struct job){.reload = r, .conn = c, .signalled = signalled};
	if (worker_submit(r->worker, run, done, job)) {
		free(job);
		return NULL;
	}
	if (LIST_EMPTY(&r->jobs))
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			   wallclock_monotonic() / 1000);
	LIST_INSERT_HEAD(&r->jobs, job, link);
	return job;
}

void reload_now(struct reload *r)
{
	if (r->signalled) {
		r->again = true;
		return;
	}
	r->signalled = submit(r, NULL, true) != NULL;
	if (!r->signalled)
		log_error("no memory to read the configuration anew: it stays as it was");
}

static void abandoned(void *arg)
{
	struct job *job = arg;

	job->conn = NULL;
}

void reload_call(struct reload *r, struct conn *c)
{
	static const struct conn_operation operation = {.abandoned = abandoned};
	struct job *job = submit(r, c, false);

	if (job)
		conn_defer(c, &operation, job);
	else
		conn_error(c, "Failed", "",
			   "the daemon has no memory for this call; try again later");
}
