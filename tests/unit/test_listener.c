/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/listener.h"

#define NO_GROUP ((gid_t)-1)

struct fixture {
	char directory[32];
	char path[64];
	char why[512];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->directory, "/tmp/netcap-unit-XXXXXX");
	*state = f;
	if (!mkdtemp(f->directory))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/s", f->directory);
	return 0;
}

/* Fails if a socket, or anything else, was left. */
static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = rmdir(f->directory);

	free(f);
	return r;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), r;

	strcpy(address.sun_path, path);
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	close(fd);
	return r;
}

static int open_at(struct fixture *f, struct listener *l)
{
	return listener_open(l, f->path, NO_GROUP, f->why, sizeof(f->why)) ?: listener_publish(l);
}

/* Nobody finds a socket that is not served yet, and giving up leaves nothing. */
static void test_not_published(void **state)
{
	struct fixture *f = *state;
	struct listener l;

	assert_int_equal(listener_open(&l, f->path, NO_GROUP, f->why, sizeof(f->why)), 0);
	assert_int_equal(connect_to(f->path), -ENOENT);
	listener_close(&l);
}

static void test_opens_and_closes(void **state)
{
	struct fixture *f = *state;
	struct listener l;
	struct stat status;

	assert_int_equal(open_at(f, &l), 0);
	assert_int_equal(stat(f->path, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 07777, 0660);
	assert_int_equal(connect_to(f->path), 0);
	listener_close(&l);
	assert_int_equal(connect_to(f->path), -ENOENT);
	listener_close(&l);
}

static void test_makes_the_directory(void **state)
{
	struct fixture *f = *state;
	char directory[64];
	struct listener l;

	snprintf(directory, sizeof(directory), "%s/new", f->directory);
	snprintf(f->path, sizeof(f->path), "%s/new/s", f->directory);
	assert_int_equal(open_at(f, &l), 0);
	assert_int_equal(connect_to(f->path), 0);
	listener_close(&l);
	assert_int_equal(rmdir(directory), 0);
}

static void test_respects_the_living(void **state)
{
	struct fixture *f = *state;
	struct listener first, second;

	assert_int_equal(open_at(f, &first), 0);
	assert_int_equal(open_at(f, &second), -EADDRINUSE);
	assert_non_null(strstr(f->why, f->path));
	assert_non_null(strstr(f->why, "another netcapd"));
	assert_int_equal(second.fd, -1);
	assert_int_equal(connect_to(f->path), 0);
	listener_close(&first);
}

static void test_replaces_the_dead(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	struct listener l;

	strcpy(address.sun_path, f->path);
	assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
	close(dead);
	assert_int_equal(open_at(f, &l), 0);
	assert_int_equal(connect_to(f->path), 0);
	listener_close(&l);
}

static void test_keeps_other_files(void **state)
{
	struct fixture *f = *state;
	struct listener l;

	close(open(f->path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(open_at(f, &l), -EEXIST);
	assert_non_null(strstr(f->why, "no socket"));
	assert_int_equal(unlink(f->path), 0);
}

static void test_bad_paths(void **state)
{
	char path[200], why[512];
	struct listener l;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(listener_open(&l, path, NO_GROUP, why, sizeof(why)), -ENAMETOOLONG);
	assert_int_equal(listener_open(&l, "/tmp/", NO_GROUP, why, sizeof(why)), -EINVAL);
	assert_int_equal(listener_open(&l, "", NO_GROUP, why, sizeof(why)), -EINVAL);
	assert_int_equal(listener_open(&l, "/nosuch/nosuch/s", NO_GROUP, why, sizeof(why)),
			 -ENOENT);
	assert_non_null(strstr(why, "/nosuch/nosuch"));
}

/* Waits for the janitor: up to five seconds. */
static int wait_gone(const char *path)
{
	for (int i = 0; i < 500 && !access(path, F_OK); i++)
		usleep(10000);
	return access(path, F_OK);
}

/* A daemon in a process of its own, which tells when it listens. */
static pid_t start_daemon(struct fixture *f)
{
	struct listener l;
	char byte = 0;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		if (open_at(f, &l) || write(ends[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void test_killed(void **state)
{
	struct fixture *f = *state;
	pid_t pid = start_daemon(f);

	assert_int_equal(connect_to(f->path), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_not_equal(wait_gone(f->path), 0);
}

/* The janitor of the first daemon must not remove the second one's socket. */
static void test_killed_after_being_replaced(void **state)
{
	struct fixture *f = *state;
	pid_t pid = start_daemon(f);
	struct listener second;

	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(open_at(f, &second), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	usleep(200000);
	assert_int_equal(connect_to(f->path), 0);
	listener_close(&second);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_opens_and_closes),
	    TEST(test_makes_the_directory),
	    TEST(test_respects_the_living),
	    TEST(test_replaces_the_dead),
	    TEST(test_keeps_other_files),
	    TEST(test_bad_paths),
	    TEST(test_killed),
	    TEST(test_not_published),
	    TEST(test_killed_after_being_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
