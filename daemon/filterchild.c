/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/confine.h"
#include "daemon/filterchild.h"
#include "daemon/filtertext.h"
#include "proto/limit.h"

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
	static const struct confine limits = { .memory = FILTERCHILD_MEMORY, .files = FILTERCHILD_FILES };
	int err = confine_enter(fd, &limits);

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
