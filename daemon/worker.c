/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/worker.h"

struct job {
	STAILQ_ENTRY(job) next;
	void (*run)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

STAILQ_HEAD(job_list, job);

struct worker {
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards the next three */
	pthread_cond_t more;
	struct job_list todo, finished;
	bool end;
	int bell; /* eventfd: something is finished */
	struct event *event;
};

static void ring_bell(struct worker *w)
{
	uint64_t one = 1;

	/* fails only when the counter is full, and then the bell rings anyway */
	if (write(w->bell, &one, sizeof(one)) < 0)
		return;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct job *job;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (STAILQ_EMPTY(&w->todo) && !w->end)
			pthread_cond_wait(&w->more, &w->lock);
		job = STAILQ_FIRST(&w->todo);
		if (!job)
			break;
		STAILQ_REMOVE_HEAD(&w->todo, next);
		pthread_mutex_unlock(&w->lock);
		job->run(job->arg);
		pthread_mutex_lock(&w->lock);
		STAILQ_INSERT_TAIL(&w->finished, job, next);
		ring_bell(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void deliver(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct job_list finished = STAILQ_HEAD_INITIALIZER(finished);
	struct job *job;
	uint64_t count;

	if (read(w->bell, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&w->lock);
	STAILQ_CONCAT(&finished, &w->finished);
	pthread_mutex_unlock(&w->lock);
	while ((job = STAILQ_FIRST(&finished))) {
		STAILQ_REMOVE_HEAD(&finished, next);
		job->done(job->arg);
		free(job);
	}
}

static int start_thread(struct worker *w)
{
	sigset_t all, before;
	int r;

	/* signals are the event loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->started = !r;
	return -r;
}

struct worker *worker_new(struct event_base *base)
{
	struct worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return NULL;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	STAILQ_INIT(&w->todo);
	STAILQ_INIT(&w->finished);
	w->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = w->bell < 0 ? -errno : 0;
	if (!r) {
		w->event = event_new(base, w->bell, EV_READ | EV_PERSIST, deliver, w);
		r = w->event && !event_add(w->event, NULL) ? start_thread(w) : -ENOMEM;
	}
	if (!r)
		return w;
	worker_free(w);
	errno = -r;
	return NULL;
}

static void drop_jobs(struct job_list *jobs)
{
	struct job *job;

	while ((job = STAILQ_FIRST(jobs))) {
		STAILQ_REMOVE_HEAD(jobs, next);
		free(job);
	}
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->started) {
		pthread_mutex_lock(&w->lock);
		w->end = true;
		pthread_cond_signal(&w->more);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
		deliver(w->bell, EV_READ, w);
	}
	/* from a done() just now: there is no thread to run them */
	drop_jobs(&w->todo);
	if (w->event)
		event_free(w->event);
	if (w->bell >= 0)
		close(w->bell);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int worker_submit(struct worker *w, void (*run)(void *arg), void (*done)(void *arg), void *arg)
{
	struct job *job = malloc(sizeof(*job));

	if (!job)
		return -ENOMEM;
	*job = (struct job){ .run = run, .done = done, .arg = arg };
	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->todo, job, next);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	return 0;
}
