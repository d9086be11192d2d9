/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "daemon/filterchild.h"
#include "daemon/sandbox.h"
#include "daemon/filtertext.h"
#include "proto/limit.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUILT_WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define BUILT_WITH_ASAN 1
#endif

static int limit(int resource, rlim_t value)
{
	const struct rlimit both = {.rlim_cur = value, .rlim_max = value};

	return setrlimit(resource, &both) ? -errno : 0;
}

/* The resources of one life. Run as nobody: RLIMIT_NPROC does not stop root. */
static int limit_resources(void)
{
	int err = limit(RLIMIT_CORE, 0);

	if (!err)
		err = limit(RLIMIT_FSIZE, 0);
	if (!err)
		err = limit(RLIMIT_NPROC, 0);
	if (!err)
		err = limit(RLIMIT_NOFILE, FILTERCHILD_FILES);
#ifndef BUILT_WITH_ASAN /* its shadow memory alone is larger than any useful limit */
	if (!err)
		err = limit(RLIMIT_AS, FILTERCHILD_MEMORY);
#endif
	return err;
}

static int drop_user(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) ||
	    setresgid(FILTERCHILD_NOBODY, FILTERCHILD_NOBODY, FILTERCHILD_NOBODY) ||
	    setresuid(FILTERCHILD_NOBODY, FILTERCHILD_NOBODY, FILTERCHILD_NOBODY))
		return -errno;
	return 0;
}

/* Needs the privileges that it drops for later programs, so it comes before drop_user(). */
static void drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* EPERM: was not root, has none to gain */
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -errno;
	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

/* The parent's death signal is forgotten when the user changes, so it comes after that. */
static int drop_privileges(int fd)
{
	int err;

	if (fd != STDIN_FILENO && dup2(fd, STDIN_FILENO) < 0)
		return -errno;
	if (syscall(SYS_close_range, 3U, ~0U, 0U))
		return -errno;
	drop_bounding_set();
	err = drop_user();
	if (!err)
		err = drop_capabilities();
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	err = limit_resources();
	return err ? err : sandbox_enter();
}

static rlim_t cpu_seconds(void)
{
	struct rusage usage = {0};

	getrusage(RUSAGE_SELF, &usage);
	return (rlim_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1);
}

static int limit_cpu_of_request(void)
{
	const struct rlimit cpu = {.rlim_cur = cpu_seconds() + FILTERCHILD_CPU_REQUEST,
				   .rlim_max = FILTERCHILD_CPU_TOTAL + 2 * FILTERCHILD_CPU_REQUEST};

	return setrlimit(RLIMIT_CPU, &cpu) ? -errno : 0;
}

static size_t program_bytes(const struct filter_classic *program)
{
	return program->count * sizeof(*program->insns);
}

static int send_answer(struct filterchild_answer *answer, const struct filter_programs *programs,
		       const char *why)
{
	struct iovec parts[] = {
	    {answer, sizeof(*answer)},
	    {programs->ethernet.insns, program_bytes(&programs->ethernet)},
	    {programs->raw.insns, program_bytes(&programs->raw)},
	    {(void *)why, answer->why_bytes},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = sizeof(parts) / sizeof(parts[0])};

	return sendmsg(STDIN_FILENO, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The largest programs that libpcap makes of short text come from names with many addresses. */
static int check_size(const struct filter_programs *programs, char *why, size_t size)
{
	size_t bytes = program_bytes(&programs->ethernet) + program_bytes(&programs->raw);

	if (bytes + sizeof(struct filterchild_answer) <= FILTERCHILD_ANSWER_MAX)
		return 0;
	snprintf(
	    why, size,
	    "the filter is too large: it makes %zu instructions; use a shorter expression, such "
	    "as networks instead of names with many addresses",
	    programs->ethernet.count + programs->raw.count);
	return -E2BIG;
}

/* 0: go on; 1: enough CPU time used; negative errno: the parent is gone. */
static int answer_request(const char *text)
{
	struct filter_programs programs;
	struct filterchild_answer answer = {0};
	char why[FILTERCHILD_WHY_MAX] = "";
	int err;

	answer.error = filtertext_compile(text, &programs, why, sizeof(why));
	if (!answer.error)
		answer.error = check_size(&programs, why, sizeof(why));
	if (answer.error)
		filter_programs_clear(&programs);
	answer.ethernet = (uint32_t)programs.ethernet.count;
	answer.raw = (uint32_t)programs.raw.count;
	answer.why_bytes = (uint32_t)strlen(why);
	answer.retires = cpu_seconds() > FILTERCHILD_CPU_TOTAL;
	err = send_answer(&answer, &programs, why);
	filter_programs_clear(&programs);
	return err ? err : (int)answer.retires;
}

static int serve(void)
{
	char text[LIMIT_FILTER_BYTES + 2];

	for (;;) {
		ssize_t len = recv(STDIN_FILENO, text, sizeof(text) - 1, 0);
		int err;

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len ? -errno : 0;
		text[len] = '\0';
		err = limit_cpu_of_request();
		if (!err)
			err = answer_request(text);
		if (err)
			return err < 0 ? err : 0;
	}
}

int filterchild_main(int fd)
{
	int err = drop_privileges(fd);

	if (err) {
		fprintf(
		    stderr,
		    "the filter compiler cannot give up its privileges (%s) and ends: the daemon "
		    "needs CAP_SETUID and CAP_SETGID when it runs as root\n",
		    strerror(-err));
		return EXIT_FAILURE;
	}
	return serve() ? EXIT_FAILURE : EXIT_SUCCESS;
}
