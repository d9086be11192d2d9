/* SPDX-License-Identifier: BSD-2-Clause */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "exitcode.h"

/*
 * A signal that follows within this time is the same request: timeout(1) and sudo(8) signal both
 * the process and its group.
 */
#define SAME_REQUEST_MS 300

static volatile sig_atomic_t stop_requested;
static volatile sig_atomic_t socket_to_close = -1;
static struct timespec first_request; /* of the handler only */

static long milliseconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

static void handle(int signal_number)
{
	int saved = errno;

	if (stop_requested && milliseconds_since(&first_request) > SAME_REQUEST_MS)
		_exit(128 + signal_number);
	if (!stop_requested)
		clock_gettime(CLOCK_MONOTONIC, &first_request);
	stop_requested = 1;
	if (socket_to_close >= 0)
		shutdown(socket_to_close, SHUT_WR);
	errno = saved;
}

void signals_install(int control_fd)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};

	socket_to_close = control_fd;
	sigfillset(&action.sa_mask); /* the handler is never interrupted by itself */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool signals_stop_requested(void)
{
	return stop_requested;
}

void signals_reset_in_child(bool block)
{
	static const int defaults[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		signal(defaults[i], SIG_DFL);
		if (block && defaults[i] != SIGPIPE)
			sigaddset(&blocked, defaults[i]);
	}
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}
