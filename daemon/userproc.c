/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon/selfspawn.h"
#include "daemon/userchild.h"
#include "daemon/userdata.h"
#include "daemon/userproc.h"
#include "daemon/wallclock.h"

#define MS 1000000

/* Everything that goes there and back. */
struct talk {
	int fd;
	uint64_t deadline; /* CLOCK_MONOTONIC */
	uint8_t *answer;   /* owned */
	size_t len;
};

static int wait_for(const struct talk *t, short events)
{
	struct pollfd p = { .fd = t->fd, .events = events };
	uint64_t now = wallclock_monotonic();

	if (now >= t->deadline || poll(&p, 1, (t->deadline - now) / MS + 1) == 0)
		return -ETIMEDOUT;
	return 0;
}

static int send_all(struct talk *t, const void *bytes, size_t count)
{
	const char *at = bytes;

	while (count) {
		ssize_t n = send(t->fd, at, count, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			if (wait_for(t, POLLOUT))
				return -ETIMEDOUT;
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -EIO;
		at += n > 0 ? n : 0;
		count -= n > 0 ? n : 0;
	}
	return 0;
}

static int receive_all(struct talk *t)
{
	t->answer = malloc(USERCODE_ANSWER);
	if (!t->answer)
		return -ENOMEM;
	for (;;) {
		ssize_t n = recv(t->fd, t->answer + t->len, USERCODE_ANSWER - t->len, 0);

		if (!n)
			return t->len ? 0 : -EIO;
		if (n > 0)
			t->len += n;
		else if (errno == EAGAIN && wait_for(t, POLLIN))
			return -ETIMEDOUT;
		else if (errno != EAGAIN && errno != EINTR)
			return -EIO;
		if (t->len == USERCODE_ANSWER)
			return -EIO;
	}
}

static int talk(struct talk *t, const struct userchild_request *request, const void *object, size_t size)
{
	int r = send_all(t, request, sizeof(*request));

	if (!r)
		r = send_all(t, object, size);
	if (!r)
		r = shutdown(t->fd, SHUT_WR) ? -errno : 0;
	return r ? r : receive_all(t);
}

/* Of an answer with an error: the sentence, and behind it the verifier's log if it was asked for. */
static int take_error(const struct talk *t, const struct usercode_answer *a, char *why, size_t size, char **log)
{
	const char *said = (const char *)(a + 1);
	size_t left = t->len - sizeof(*a), len = strnlen(said, left);

	snprintf(why, size, "%.*s", (int)len, said);
	if (left > len + 1)
		*log = strndup(said + len + 1, left - len - 1);
	return a->error == ENOMEM ? -ENOMEM : -EINVAL;
}

static int take(struct talk *t, struct usercode *code, char *why, size_t size, char **log)
{
	const struct usercode_answer *a = (const void *)t->answer;
	int r;

	if (t->len > sizeof(*a) && a->error)
		return take_error(t, a, why, size, log);
	r = usercode_take(t->answer, t->len, code);
	if (r)
		snprintf(why, size,
			 "the process that takes in user code gave an answer that makes no sense: the object "
			 "is damaged, or was made to do harm");
	else
		t->answer = NULL;
	if (r)
		return -EINVAL;
	r = userdata_place(code);
	if (r) {
		snprintf(why, size, "no map for the constants of the user code: %s", strerror(-r));
		usercode_clear(code);
	}
	return r;
}

static void say_end(int error, int status, char *why, size_t size)
{
	if (error == -ETIMEDOUT)
		snprintf(why, size,
			 "taking in the user code took longer than %d s: the object is damaged, or too large",
			 USERPROC_DEADLINE_MS / 1000);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		snprintf(why, size,
			 "the user code, or the verifier that looks at it, takes more than %d s of CPU time: give "
			 "loops few turns, and a constant bound",
			 USERCHILD_CPU);
	else if (WIFSIGNALED(status))
		snprintf(why, size,
			 "the process that takes in user code was ended by signal %d (%s): the object is damaged",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(why, size, "the process that takes in user code ended with status %d: %s", WEXITSTATUS(status),
			 strerror(-error));
}

int userproc_make(const struct userproc_request *request, struct usercode *code, char *why, size_t size, char **log)
{
	const struct userchild_request wanted = { request->filter, request->action, request->log };
	struct talk t = { .deadline = wallclock_monotonic() + USERPROC_DEADLINE_MS * (uint64_t)MS };
	int pair[2], status = 0, r;
	pid_t pid;

	memset(code, 0, sizeof(*code));
	*log = NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		snprintf(why, size, "no socket for the user code: %s", strerror(errno));
		return -EIO;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	t.fd = pair[0];
	r = selfspawn(request->executable, USERPROC_ARGUMENT, pair[1], &pid);
	close(pair[1]);
	if (r) {
		snprintf(why, size, "the process that takes in user code cannot be started: %s", strerror(-r));
	} else {
		r = talk(&t, &wanted, request->object, request->size);
		if (r)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (r)
			say_end(r, r == -ETIMEDOUT ? 0 : status, why, size);
		else
			r = take(&t, code, why, size, log);
	}
	close(pair[0]);
	free(t.answer);
	return r == -ETIMEDOUT || r == -EIO ? -EINVAL : r;
}
