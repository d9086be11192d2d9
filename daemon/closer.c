/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "daemon/closer.h"

/* Those that hang, hang on a stranger's account; with all of them stuck, descriptors stay open. */
#define THREADS     8
#define STACK_BYTES (64 << 10)

struct waiting {
	STAILQ_ENTRY(waiting) next;
	int fd;
};

/* Of the process: threads that hang cannot be waited for, so nobody could free an object. */
static struct {
	pthread_mutex_t lock;
	STAILQ_HEAD(, waiting) list;
	unsigned threads;
} closer = {.lock = PTHREAD_MUTEX_INITIALIZER, .list = STAILQ_HEAD_INITIALIZER(closer.list)};

static void *work(void *arg)
{
	struct waiting *w;

	pthread_mutex_lock(&closer.lock);
	while ((w = STAILQ_FIRST(&closer.list))) {
		STAILQ_REMOVE_HEAD(&closer.list, next);
		pthread_mutex_unlock(&closer.lock);
		close(w->fd);
		free(w);
		pthread_mutex_lock(&closer.lock);
	}
	closer.threads--;
	pthread_mutex_unlock(&closer.lock);
	return NULL;
}

/* Under the lock. A thread that cannot be started is tried again with the next descriptor. */
static void start_thread(void)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;

	if (closer.threads == THREADS || pthread_attr_init(&attributes))
		return;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	/* signals are the event loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!pthread_create(&thread, &attributes, work, NULL))
		closer.threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
}

static void close_elsewhere(int fd)
{
	struct waiting *w = malloc(sizeof(*w));

	/* without memory it stays open: better one descriptor less than a loop that stands still */
	if (!w)
		return;
	w->fd = fd;
	pthread_mutex_lock(&closer.lock);
	STAILQ_INSERT_TAIL(&closer.list, w, next);
	start_thread();
	pthread_mutex_unlock(&closer.lock);
}

void closer_close(int fd)
{
	if (fd < 0)
		return;
	/* a pipe closes at once, also one with a name */
	if (fcntl(fd, F_GETPIPE_SZ) >= 0)
		close(fd);
	else
		close_elsewhere(fd);
}

void closer_hang_up(int fd)
{
	int domain = 0, unread = -1;
	socklen_t size = sizeof(domain);

	/* from here on nothing more comes in */
	shutdown(fd, SHUT_RDWR);
	if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX &&
	    !ioctl(fd, FIONREAD, &unread) && !unread)
		close(fd);
	else
		closer_close(fd);
}
