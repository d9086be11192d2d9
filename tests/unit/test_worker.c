/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>

#include "daemon/worker.h"

#define JOBS 100

struct job {
	struct event_base *base;
	pthread_t ran_on;
	unsigned *order; /* of done calls */
	unsigned run_at, done_at;
};

static void run(void *arg)
{
	struct job *j = arg;

	j->ran_on = pthread_self();
	j->run_at = 1;
}

static void done(void *arg)
{
	struct job *j = arg;

	assert_int_equal(j->run_at, 1);
	j->done_at = ++*j->order;
	if (j->done_at == JOBS)
		event_base_loopbreak(j->base);
}

static void submit_all(struct worker *w, struct event_base *base, struct job *jobs, unsigned *order)
{
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){ .base = base, .order = order };
		assert_int_equal(worker_submit(w, run, done, &jobs[i]), 0);
	}
}

static void test_order(void **state)
{
	struct event_base *base = event_base_new();
	struct worker *w = worker_new(base);
	struct job jobs[JOBS];
	unsigned order = 0;

	assert_non_null(w);
	submit_all(w, base, jobs, &order);
	event_base_dispatch(base);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(jobs[i].done_at, i + 1);
		assert_false(pthread_equal(jobs[i].ran_on, pthread_self()));
	}
	worker_free(w);
	event_base_free(base);
}

/* What was submitted comes back, even at the end. */
static void test_free_finishes(void **state)
{
	struct event_base *base = event_base_new();
	struct worker *w = worker_new(base);
	struct job jobs[JOBS];
	unsigned order = 0;

	submit_all(w, base, jobs, &order);
	worker_free(w);
	assert_int_equal(order, JOBS);
	worker_free(NULL);
	event_base_free(base);
}

struct chain {
	struct worker *worker;
	unsigned runs, submissions;
};

static void count_run(void *arg)
{
	((struct chain *)arg)->runs++;
}

static void submit_next(void *arg)
{
	struct chain *c = arg;

	if (c->submissions++ < JOBS)
		assert_int_equal(worker_submit(c->worker, count_run, submit_next, c), 0);
}

/* A session that is being loaded when the daemon ends wants its next step. It leaks nothing. */
static void test_submit_at_the_end(void **state)
{
	struct event_base *base = event_base_new();
	struct chain c = { .worker = worker_new(base) };

	submit_next(&c);
	worker_free(c.worker);
	assert_int_equal(c.runs, 1);
	assert_int_equal(c.submissions, 2);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_free_finishes),
		cmocka_unit_test(test_submit_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
