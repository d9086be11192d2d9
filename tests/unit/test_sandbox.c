/* SPDX-License-Identifier: BSD-2-Clause */
/* Each call in a process of its own that has entered the sandbox: refused, or not. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "daemon/sandbox.h"

static char path[] = "/tmp/netcap-sandbox-XXXXXX";
static int file; /* open for writing before */

/* The errno that call() fails with in the sandbox, or 0. */
static int errno_of(int (*call)(void))
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || sandbox_enter())
			_exit(255);
		_exit(call() < 0 ? errno : 0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int open_writing(void) { return open(path, O_RDWR); }
static int open_making(void) { return open("/tmp/netcap-sandbox-new", O_RDONLY | O_CREAT, 0600); }
static int open_old(void) { return syscall(SYS_open, path, O_WRONLY); }
static int cut(void) { return truncate(path, 0); }
static int cut_open(void) { return ftruncate(file, 0); }
static int take_away(void) { return unlink(path); }
static int give_mode(void) { return chmod(path, 0777); }
static int move(void) { return rename(path, "/tmp/netcap-sandbox-new"); }
static int signal_parent(void) { return kill(getppid(), 0); }
static int signal_by_pidfd(void) { return syscall(SYS_pidfd_send_signal, open("/proc/self", O_RDONLY), 0, NULL, 0); }
static int own(void) { return fcntl(file, F_SETOWN, getppid()); }
static int own_by_ioctl(void) { pid_t pid = getppid(); return ioctl(file, FIOSETOWN, &pid); }
static int run_program(void) { return execl("/bin/true", "true", (char *)NULL); }
static int limit_parent(void) { return prlimit(getppid(), RLIMIT_CPU, NULL, &(struct rlimit){}); }

static void test_refused(void **state)
{
	static int (*const refused[])(void) = {
		open_writing, open_making, open_old, cut, cut_open, take_away, give_mode, move, signal_parent,
		signal_by_pidfd, own, own_by_ioctl, run_program, limit_parent,
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (errno_of(refused[i]) != EPERM)
			fail_msg("call %zu of the list was not refused", i);
}

static int open_reading(void) { return open(path, O_RDONLY | O_CLOEXEC); }
static int set_flags(void) { return fcntl(file, F_SETFL, O_NONBLOCK); }
static int limit_self(void) { return prlimit(0, RLIMIT_CPU, NULL, &(struct rlimit){}); }
static int make_socket(void) { return socket(AF_INET, SOCK_DGRAM, 0); }

static int look_up(void)
{
	struct addrinfo *found = NULL;

	return getaddrinfo("localhost", NULL, NULL, &found) ? -1 : 0;
}

static void test_allowed(void **state)
{
	static int (*const allowed[])(void) = { open_reading, set_flags, limit_self, make_socket, look_up };

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (errno_of(allowed[i]))
			fail_msg("call %zu of the list failed", i);
}

static int make_file(void **state)
{
	file = mkstemp(path);
	return file < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
	close(file);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_allowed),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
