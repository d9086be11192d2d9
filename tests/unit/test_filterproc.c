/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The child is this program. Started through a link that has the name of a mode
 * (child_misbehave()), it misbehaves the first time, when there is a mark beside the link, and then
 * works.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon/filterproc.h"
#include "daemon/filtertext.h"

struct fixture {
	struct event_base *base;
	struct filterproc *fp;
	char directory[32];
	char executable[64];
	int calls;
	int order; /* digits of the requests in the order of their answers */
	int error;
	size_t instructions;
	char why[4096];
};

struct ask {
	struct fixture *fixture;
	int number;
	bool free_all;
};

/* ---- the child ---- */

static void child_misbehave(const char *mode)
{
	char text[2000];

	if (recv(STDIN_FILENO, text, sizeof(text), 0) <= 0)
		_exit(1);
	if (strcmp(mode, "crash") == 0)
		raise(SIGKILL);
	if (strcmp(mode, "leave") == 0)
		_exit(7);
	if (strcmp(mode, "garbage") == 0 && send(STDIN_FILENO, text, 20, 0) < 0)
		_exit(1);
	if (strcmp(mode, "hangup") == 0)
		close(STDIN_FILENO);
	while (strcmp(mode, "busy") == 0)
		;
	pause();
}

static int child_main(void)
{
	char path[128], mark[160];

	snprintf(path, sizeof(path), "%s", (const char *)getauxval(AT_EXECFN));
	snprintf(mark, sizeof(mark), "%s.first", path);
	if (unlink(mark) == 0)
		child_misbehave(basename(path));
	return filterproc_child_main();
}

/* ---- the parent ---- */

static void setup_mode(struct fixture *f, const char *mode)
{
	char self[256] = "", mark[80];
	int fd;

	memset(f, 0, sizeof(*f));
	strcpy(f->directory, "/tmp/filterproc.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(f->executable, sizeof(f->executable), "%s/%s", f->directory, mode);
	snprintf(mark, sizeof(mark), "%s.first", f->executable);
	assert_int_equal(symlink(self, f->executable), 0);
	fd = open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	f->base = event_base_new();
	f->fp = filterproc_new(f->base, f->executable);
	assert_non_null(f->fp);
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->base = event_base_new();
	f->fp = filterproc_new(f->base, NULL);
	assert_non_null(f->fp);
}

static void teardown(struct fixture *f)
{
	filterproc_free(f->fp);
	event_base_free(f->base);
	if (f->directory[0]) {
		char mark[80];

		snprintf(mark, sizeof(mark), "%s.first", f->executable);
		unlink(mark);
		unlink(f->executable);
		rmdir(f->directory);
	}
	/* no child is left, not even a zombie */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void on_done(void *arg, int error, struct filter_programs *programs, const char *why)
{
	struct ask *ask = arg;
	struct fixture *f = ask->fixture;

	f->calls++;
	f->order = f->order * 10 + ask->number;
	f->error = error;
	f->instructions = programs ? programs->ethernet.count : 0;
	snprintf(f->why, sizeof(f->why), "%s", why);
	assert_true(error ? programs == NULL && *why : programs != NULL);
	if (ask->free_all) {
		filterproc_free(f->fp);
		f->fp = NULL;
	}
}

static void wait_calls(struct fixture *f, int calls)
{
	time_t end = time(NULL) + 10;

	alarm(20); /* ends the test if nothing happens at all */
	while (f->calls < calls && time(NULL) < end)
		event_base_loop(f->base, EVLOOP_ONCE);
	alarm(0);
	assert_int_equal(f->calls, calls);
}

/* Compiles text and waits for the answer: its error. */
static int compile(struct fixture *f, const char *text)
{
	struct ask ask = {.fixture = f};
	int calls = f->calls;

	assert_non_null(filterproc_compile(f->fp, text, on_done, &ask));
	assert_int_equal(f->calls, calls);
	wait_calls(f, calls + 1);
	return f->error;
}

static void test_answers(void **state)
{
	struct filter_programs programs;
	struct fixture f;
	char why[2048];

	setup(&f);
	assert_int_equal(filtertext_compile("tcp port 80", &programs, why, sizeof(why)), 0);
	assert_int_equal(compile(&f, "tcp port 80"), 0);
	assert_int_equal(f.instructions, programs.ethernet.count);
	filter_programs_clear(&programs);
	assert_int_equal(compile(&f, "tcp prot 80"), -EINVAL);
	assert_non_null(strstr(f.why, "syntax error"));
	assert_non_null(strstr(f.why, "tcp prot 80"));
	assert_int_equal(compile(&f, ""), 0);
	assert_int_equal(f.instructions, 1);
	teardown(&f);
}

static void test_longest(void **state)
{
	struct fixture f;
	char text[1026];

	setup(&f);
	memset(text, ' ', sizeof(text));
	memcpy(text, "ip", 2);
	text[1024] = '\0';
	assert_int_equal(compile(&f, text), 0);
	text[1024] = ' ';
	text[1025] = '\0';
	assert_null(filterproc_compile(f.fp, text, on_done, NULL));
	assert_int_equal(errno, E2BIG);
	teardown(&f);
}

static void test_order_and_cancel(void **state)
{
	struct fixture f;
	struct ask asks[5];
	struct filterproc_request *requests[5];

	setup(&f);
	for (int i = 0; i < 5; i++) {
		asks[i] = (struct ask){.fixture = &f, .number = i + 1};
		requests[i] =
		    filterproc_compile(f.fp, i == 3 ? "no such" : "udp", on_done, &asks[i]);
		assert_non_null(requests[i]);
	}
	filterproc_cancel(requests[2]);
	filterproc_cancel(NULL);
	event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK); /* the first one is in the child */
	filterproc_cancel(requests[0]);
	wait_calls(&f, 3);
	assert_int_equal(f.order, 245);
	teardown(&f);
}

static void test_free_in_answer(void **state)
{
	struct fixture f;
	struct ask first = {.fixture = &f, .free_all = true}, second = {.fixture = &f};

	setup(&f);
	assert_non_null(filterproc_compile(f.fp, "udp", on_done, &first));
	assert_non_null(filterproc_compile(f.fp, "tcp", on_done, &second));
	wait_calls(&f, 1);
	teardown(&f);
}

static void test_free_while_busy(void **state)
{
	struct fixture f;
	struct ask ask = {.fixture = &f};

	setup_mode(&f, "stuck");
	assert_non_null(filterproc_compile(f.fp, "udp", on_done, &ask));
	event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	teardown(&f);
	assert_int_equal(f.calls, 0);
}

/* The child is killed after so many seconds. Does why have these words? */
static bool times_out(const char *mode, double least, const char *words)
{
	bool said;
	struct timespec before, after;
	struct fixture f;
	double took;

	setup_mode(&f, mode);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(compile(&f, "udp port 4"), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &after);
	took =
	    (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	assert_true(took >= least && took < FILTERPROC_DEADLINE_MS / 1000.0 + 2);
	said = strstr(f.why, words);
	assert_non_null(strstr(f.why, "udp port 4"));
	assert_int_equal(compile(&f, "udp"), 0);
	teardown(&f);
	return said;
}

static void test_deadline(void **state)
{
	assert_true(times_out("stuck", 4.99, "longer than 5 s:"));
}

/* CPU time of all children that have ended, in seconds. */
static double used_by_children(void)
{
	struct rusage r;

	getrusage(RUSAGE_CHILDREN, &r);
	return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* Where a machine gives the child less than a fifth of a processor, the other limit comes first. */
static void test_cpu_time(void **state)
{
	double before = used_by_children();
	bool said = times_out("busy", 0.99, "longer than 1 s of CPU time:");
	double used = used_by_children() - before;

	assert_true(said ? used >= 0.99 : used < 1.2);
}

/* Whatever ends the child: the request gets an error, the next one an answer. */
static void fails_once(const char *mode, const char *word)
{
	struct fixture f;

	setup_mode(&f, mode);
	assert_int_equal(compile(&f, "udp port 4"), -EIO);
	if (!strstr(f.why, word))
		fail_msg("\"%s\" is not in \"%s\"", word, f.why);
	assert_non_null(strstr(f.why, "udp port 4"));
	assert_int_equal(compile(&f, "udp"), 0);
	teardown(&f);
}

static void test_crash(void **state)
{
	fails_once("crash", "signal 9");
}

static void test_leave(void **state)
{
	fails_once("leave", "status 7");
}

static void test_garbage(void **state)
{
	fails_once("garbage", "signal 9");
}

static void test_hangup(void **state)
{
	fails_once("hangup", "signal 9");
}

static void test_cannot_start(void **state)
{
	struct fixture f;

	setup(&f);
	filterproc_free(f.fp);
	f.fp = filterproc_new(f.base, "/nonexistent/netcapd");
	assert_non_null(f.fp);
	assert_int_equal(compile(&f, "udp"), -EIO);
	assert_non_null(strstr(f.why, "No such file"));
	teardown(&f);
}

/* The only child's process id. */
static int child_pid(void)
{
	char path[64], pid[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(pid, sizeof(pid), file));
	fclose(file);
	return atoi(pid);
}

static void expect_line(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("\"%s\" is not in:\n%s", line, text);
}

static void test_child_has_no_privileges(void **state)
{
	char path[64], text[4096] = "";
	struct fixture f;
	FILE *file;

	setup(&f);
	assert_int_equal(compile(&f, "udp"), 0);
	snprintf(path, sizeof(path), "/proc/%d/status", child_pid());
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	expect_line(text, "\nNoNewPrivs:\t1\n");
	expect_line(text, "\nCapEff:\t0000000000000000\n");
	expect_line(text, "\nCapPrm:\t0000000000000000\n");
	expect_line(text, "\nCapInh:\t0000000000000000\n");
	expect_line(text, "\nCapAmb:\t0000000000000000\n");
	expect_line(text, "\nSeccomp:\t2\n");
	if (geteuid() == 0) {
		expect_line(text, "\nUid:\t65534\t65534\t65534\t65534\n");
		expect_line(text, "\nGid:\t65534\t65534\t65534\t65534\n");
		expect_line(text, "\nGroups:\t \n");
	}
	teardown(&f);
}

/* A pipe that the daemon forgot to mark close-on-exec has no other writer while the child lives. */
static void test_child_has_no_descriptors(void **state)
{
	struct fixture f;
	int ends[2];
	char byte;

	setup(&f);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(compile(&f, "udp"), 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	teardown(&f);
}

static int count_timer(const struct event_base *base, const struct event *event, void *arg)
{
	int *timers = arg;

	*timers += event_pending(event, EV_TIMEOUT, NULL) != 0;
	return 0;
}

static void test_idle_has_no_timer(void **state)
{
	struct fixture f;
	int timers = 0;

	setup(&f);
	assert_int_equal(compile(&f, "udp"), 0);
	event_base_foreach_event(f.base, count_timer, &timers);
	assert_int_equal(timers, 0);
	teardown(&f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_order_and_cancel),
	    cmocka_unit_test(test_free_in_answer),
	    cmocka_unit_test(test_free_while_busy),
	    cmocka_unit_test(test_deadline),
	    cmocka_unit_test(test_cpu_time),
	    cmocka_unit_test(test_crash),
	    cmocka_unit_test(test_leave),
	    cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_hangup),
	    cmocka_unit_test(test_cannot_start),
	    cmocka_unit_test(test_child_has_no_privileges),
	    cmocka_unit_test(test_child_has_no_descriptors),
	    cmocka_unit_test(test_idle_has_no_timer),
	};

	if (argc > 1 && strcmp(argv[1], FILTERPROC_ARGUMENT) == 0)
		return child_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
