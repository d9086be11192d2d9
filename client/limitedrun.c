/* SPDX-License-Identifier: BSD-2-Clause */
#include "limitedrun.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "signals.h"

static void limit(int resource, rlim_t value)
{
	const struct rlimit both = {.rlim_cur = value, .rlim_max = value};

	setrlimit(resource, &both); /* lower ones that are there stay */
}

/* failed: where errno goes if there is no such program. */
static void run_child(char *const *argv, int input, int output, int failed)
{
	int error;

	signals_reset_in_child(false);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	/* the daemon's connection and whatever was inherited is none of its */
	if (dup2(failed, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC))
		_exit(126);
	close_range(4, ~0U, 0);
	limit(RLIMIT_CPU, LIMITEDRUN_CPU_S);
	limit(RLIMIT_AS, LIMITEDRUN_MEMORY);
	limit(RLIMIT_FSIZE, LIMITEDRUN_FILE);
	limit(RLIMIT_CORE, 0);
	execvp(argv[0], argv);
	error = errno;
	if (write(3, &error, sizeof(error)) < 0)
		_exit(125);
	_exit(127);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until it has closed its output. False: the time is up. */
static bool listen_to(struct limitedrun *r, int fd)
{
	long deadline = now_ms() + LIMITEDRUN_WALL_MS;
	char rest[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		long left = deadline - now_ms();
		bool full = r->len == LIMITEDRUN_SAID;
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return false;
		n = read(fd, full ? rest : r->said + r->len, full ? sizeof(rest) : LIMITEDRUN_SAID - r->len);
		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0 && !full)
			r->len += n;
	}
}

static void judge(struct limitedrun *r, int status, int failed, bool in_time, const struct rusage *usage)
{
	int error;

	r->cpu_ms = (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
		    (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
	r->peak_kib = usage->ru_maxrss;
	if (read(failed, &error, sizeof(error)) == sizeof(error)) {
		r->end = LIMITEDRUN_MISSING;
		r->status = error;
	} else if (!in_time || (WIFSIGNALED(status) && r->cpu_ms >= LIMITEDRUN_CPU_S * 950)) {
		r->end = LIMITEDRUN_TIME;
	} else if (WIFSIGNALED(status)) {
		r->end = LIMITEDRUN_SIGNAL;
		r->status = WTERMSIG(status);
	} else {
		r->end = LIMITEDRUN_DONE;
		r->status = WEXITSTATUS(status);
	}
}

static int run(struct limitedrun *r, char *const *argv, int input, const int output[2], const int failed[2])
{
	struct rusage usage = {0};
	int status = 0;
	bool in_time;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		run_child(argv, input, output[1], failed[1]);
	close(output[1]);
	close(failed[1]);
	in_time = listen_to(r, output[0]);
	if (!in_time && kill(-pid, SIGKILL))
		kill(pid, SIGKILL);
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	judge(r, status, failed[0], in_time, &usage);
	return 0;
}

int limitedrun(struct limitedrun *r, char *const *argv, int input)
{
	int output[2], failed[2], err;

	memset(r, 0, sizeof(*r));
	r->said = calloc(1, LIMITEDRUN_SAID + 1);
	if (!r->said)
		return -ENOMEM;
	if (pipe2(output, O_CLOEXEC))
		return -errno;
	if (pipe2(failed, O_CLOEXEC)) {
		err = -errno;
		close(output[0]);
		close(output[1]);
		return err;
	}
	err = run(r, argv, input, output, failed);
	close(output[0]);
	close(failed[0]);
	if (err) {
		close(output[1]);
		close(failed[1]);
	}
	return err;
}

void limitedrun_clear(struct limitedrun *r)
{
	free(r->said);
	memset(r, 0, sizeof(*r));
}
