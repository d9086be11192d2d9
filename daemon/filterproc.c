/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "daemon/filterchild.h"
#include "daemon/filterproc.h"
#include "daemon/selfspawn.h"
#include "proto/limit.h"

struct filterproc_request {
	TAILQ_ENTRY(filterproc_request) link; /* while it waits */
	struct filterproc *owner;
	filterproc_done done; /* NULL: cancelled */
	void *arg;
	char *text;
};

TAILQ_HEAD(request_list, filterproc_request);

/*
 * The child is absent (pid 0), serves (fd >= 0), or dies (pid, but fd is -1): its end is seen by
 * pidfd, and only then is the next one started.
 */
struct filterproc {
	struct event_base *base;
	const char *executable;
	struct request_list waiting;
	struct filterproc_request *current; /* in the child */
	struct event *next;                 /* made active to start the next request */
	struct event *deadline;             /* when to look at the current request's time */
	int64_t begun_ms;                   /* when the child got it */
	int64_t used_ms;                    /* what CPU time the child had used by then */
	struct event *readable;             /* fd, while the child serves */
	struct event *ended;                /* pidfd */
	pid_t pid;
	int pidfd;
	int fd;
	uint8_t *answer; /* FILTERCHILD_ANSWER_MAX bytes */
};

static void request_free(struct filterproc_request *request)
{
	if (!request)
		return;
	free(request->text);
	free(request);
}

static void start_next(struct filterproc *fp)
{
	if (!fp->current && !TAILQ_EMPTY(&fp->waiting))
		event_active(fp->next, 0, 0);
}

/* Last thing that a handler does: done may free fp. */
static void finish(struct filterproc *fp, int error, struct filter_programs *programs,
		   const char *why)
{
	struct filterproc_request *request = fp->current;

	fp->current = NULL;
	event_del(fp->deadline);
	start_next(fp);
	if (request->done)
		request->done(request->arg, error, programs, why);
	filter_programs_clear(programs);
	request_free(request);
}

__attribute__((format(printf, 3, 4))) static void finish_with(struct filterproc *fp, int error,
							      const char *format, ...)
{
	char why[FILTERCHILD_WHY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	finish(fp, error, NULL, why);
}

/* ---- the child's life ---- */

static void stop_talking(struct filterproc *fp)
{
	if (fp->readable)
		event_free(fp->readable);
	fp->readable = NULL;
	if (fp->fd >= 0)
		close(fp->fd);
	fp->fd = -1;
}

static void kill_child(struct filterproc *fp)
{
	if (fp->pid)
		kill(fp->pid, SIGKILL);
	stop_talking(fp);
}

/* Returns the wait status. Blocks unless the child has ended. */
static int reap(struct filterproc *fp)
{
	int status = 0;

	while (waitpid(fp->pid, &status, 0) < 0 && errno == EINTR)
		;
	stop_talking(fp);
	if (fp->ended)
		event_free(fp->ended);
	fp->ended = NULL;
	if (fp->pidfd >= 0)
		close(fp->pidfd);
	fp->pidfd = -1;
	fp->pid = 0;
	return status;
}

static bool take_answer(struct filterproc *fp, ssize_t len);

static ssize_t receive(struct filterproc *fp)
{
	return fp->fd < 0 ? 0 : recv(fp->fd, fp->answer, FILTERCHILD_ANSWER_MAX, MSG_TRUNC);
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct filterproc *fp = arg;
	ssize_t len = receive(fp); /* it may have answered just before */
	int status = reap(fp);

	if (!fp->current)
		start_next(fp);
	else if (take_answer(fp, len))
		return;
	else if (WIFSIGNALED(status))
		finish_with(
		    fp, -EIO,
		    "the process that compiles filters was killed by signal %d (%s) while it "
		    "compiled \"%s\": use a simpler expression",
		    WTERMSIG(status), strsignal(WTERMSIG(status)), fp->current->text);
	else
		finish_with(fp, -EIO,
			    "the process that compiles filters ended with status %d before it had "
			    "compiled \"%s\"; the daemon's log says more",
			    WEXITSTATUS(status), fp->current->text);
}

static void on_readable(evutil_socket_t fd, short what, void *arg);

static int watch(struct filterproc *fp)
{
	fp->pidfd = (int)syscall(SYS_pidfd_open, fp->pid, 0);
	if (fp->pidfd < 0)
		return -errno;
	fp->ended = event_new(fp->base, fp->pidfd, EV_READ, on_ended, fp);
	fp->readable = event_new(fp->base, fp->fd, EV_READ | EV_PERSIST, on_readable, fp);
	if (!fp->ended || !fp->readable || event_add(fp->ended, NULL) ||
	    event_add(fp->readable, NULL))
		return -ENOMEM;
	return 0;
}

static int start_child(struct filterproc *fp)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return -errno;
	/* the child's end blocks: it has nothing else to do */
	if (fcntl(pair[1], F_SETFL, 0))
		err = -errno;
	else
		err = selfspawn(fp->executable, FILTERPROC_ARGUMENT, pair[1], &fp->pid);
	close(pair[1]);
	fp->fd = pair[0];
	if (!err)
		err = watch(fp);
	if (err && fp->pid) {
		kill_child(fp);
		reap(fp);
	} else if (err) {
		stop_talking(fp);
	}
	return err;
}

/* ---- requests ---- */

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* CPU time of the child, in milliseconds; 0 if it is gone. */
static int64_t child_ms(const struct filterproc *fp)
{
	clockid_t clock;

	return clock_getcpuclockid(fp->pid, &clock) ? 0 : clock_ms(clock);
}

static void look_again(struct filterproc *fp, int64_t ms)
{
	const struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(fp->deadline, &after);
}

/* On a busy machine the child may have waited for a CPU all the time, which is not the expression's fault. */
static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct filterproc *fp = arg;
	int64_t cpu = FILTERPROC_CPU_MS - (child_ms(fp) - fp->used_ms);
	int64_t wall = FILTERPROC_DEADLINE_MS - (clock_ms(CLOCK_MONOTONIC) - fp->begun_ms);

	if (cpu > 0 && wall > 0) {
		look_again(fp, cpu < wall ? cpu : wall);
		return;
	}
	kill_child(fp);
	finish_with(
	    fp, -ETIMEDOUT,
	    "compiling the filter took longer than %g s%s: \"%s\"; use a shorter expression, or "
	    "addresses instead of names",
	    (cpu > 0 ? FILTERPROC_DEADLINE_MS : FILTERPROC_CPU_MS) / 1000.0, cpu > 0 ? "" : " of CPU time",
	    fp->current->text);
}

static int take_program(struct filter_classic *program, uint32_t count, const uint8_t **from)
{
	program->insns = reallocarray(NULL, count, sizeof(*program->insns));
	if (!program->insns)
		return -ENOMEM;
	memcpy(program->insns, *from, count * sizeof(*program->insns));
	program->count = count;
	*from += count * sizeof(*program->insns);
	return 0;
}

/* The child is not trusted: what it says must fit the message. filter_translate() checks the rest.
 */
static bool fits(const struct filterchild_answer *answer, size_t len)
{
	const size_t insn = sizeof(struct filter_insn);
	bool ok = answer->error == 0;

	if (answer->ethernet > len || answer->raw > len || answer->why_bytes >= FILTERCHILD_WHY_MAX)
		return false;
	if (answer->error > 0 || ok != (answer->ethernet > 0) || ok != (answer->raw > 0))
		return false;
	return sizeof(*answer) + (answer->ethernet + answer->raw) * insn + answer->why_bytes == len;
}

/* False: this is no answer. If it is, fp may be gone afterwards. */
static bool take_answer(struct filterproc *fp, ssize_t len)
{
	struct filterchild_answer answer;
	const uint8_t *rest = fp->answer + sizeof(answer);
	struct filter_programs programs = {0};

	if (!fp->current || len < (ssize_t)sizeof(answer) || len > FILTERCHILD_ANSWER_MAX)
		return false;
	memcpy(&answer, fp->answer, sizeof(answer));
	if (!fits(&answer, (size_t)len))
		return false;
	if (answer.retires)
		kill_child(fp); /* it says that it ends, but is not trusted to */
	if (answer.error) {
		finish_with(fp, answer.error, "%.*s", (int)answer.why_bytes, (const char *)rest);
	} else if (take_program(&programs.ethernet, answer.ethernet, &rest) ||
		   take_program(&programs.raw, answer.raw, &rest)) {
		filter_programs_clear(&programs);
		finish_with(fp, -ENOMEM, "no memory for the filter");
	} else {
		finish(fp, 0, &programs, "");
	}
	return true;
}

/* A child that has closed its end, or talks nonsense, is of no use; on_ended() tells the client. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct filterproc *fp = arg;
	ssize_t len = receive(fp);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!take_answer(fp, len))
		kill_child(fp);
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
	struct filterproc *fp = arg;
	bool dies = fp->pid && fp->fd < 0;
	int err = 0;

	if (fp->current || dies || TAILQ_EMPTY(&fp->waiting))
		return;
	fp->current = TAILQ_FIRST(&fp->waiting);
	TAILQ_REMOVE(&fp->waiting, fp->current, link);
	if (!fp->pid)
		err = start_child(fp);
	if (err) {
		finish_with(fp, -EIO, "the process that compiles filters cannot be started (%s)",
			    strerror(-err));
		return;
	}
	fp->begun_ms = clock_ms(CLOCK_MONOTONIC);
	fp->used_ms = child_ms(fp);
	look_again(fp, FILTERPROC_CPU_MS);
	/* a child that has just died is told by on_ended() */
	if (send(fp->fd, fp->current->text, strlen(fp->current->text) + 1, MSG_NOSIGNAL) < 0)
		kill_child(fp);
}

struct filterproc_request *filterproc_compile(struct filterproc *fp, const char *text,
					      filterproc_done done, void *arg)
{
	struct filterproc_request *request;

	if (strlen(text) > LIMIT_FILTER_BYTES) {
		errno = E2BIG;
		return NULL;
	}
	request = calloc(1, sizeof(*request));
	if (!request)
		return NULL;
	*request = (struct filterproc_request){
	    .owner = fp, .done = done, .arg = arg, .text = strdup(text)};
	if (!request->text) {
		request_free(request);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&fp->waiting, request, link);
	start_next(fp);
	return request;
}

void filterproc_cancel(struct filterproc_request *request)
{
	struct filterproc *fp;

	if (!request)
		return;
	fp = request->owner;
	if (request == fp->current) {
		request->done = NULL;
		return;
	}
	TAILQ_REMOVE(&fp->waiting, request, link);
	request_free(request);
}

/* ---- the object ---- */

struct filterproc *filterproc_new(struct event_base *base, const char *executable)
{
	struct filterproc *fp = calloc(1, sizeof(*fp));

	if (!fp)
		return NULL;
	fp->base = base;
	fp->executable = executable;
	fp->fd = fp->pidfd = -1;
	TAILQ_INIT(&fp->waiting);
	fp->answer = malloc(FILTERCHILD_ANSWER_MAX);
	fp->next = event_new(base, -1, 0, on_next, fp);
	fp->deadline = event_new(base, -1, 0, on_deadline, fp);
	if (!fp->answer || !fp->next || !fp->deadline) {
		filterproc_free(fp);
		return NULL;
	}
	return fp;
}

void filterproc_free(struct filterproc *fp)
{
	struct filterproc_request *request;

	if (!fp)
		return;
	if (fp->pid) {
		kill_child(fp);
		reap(fp);
	}
	while ((request = TAILQ_FIRST(&fp->waiting))) {
		TAILQ_REMOVE(&fp->waiting, request, link);
		request_free(request);
	}
	request_free(fp->current);
	if (fp->next)
		event_free(fp->next);
	if (fp->deadline)
		event_free(fp->deadline);
	free(fp->answer);
	free(fp);
}

int filterproc_child_main(void)
{
	return filterchild_main(STDIN_FILENO);
}
