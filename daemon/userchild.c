/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "bpf/user_abi.h"
#include "daemon/confine.h"
#include "daemon/userchild.h"
#include "daemon/usertake.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

/* The request, and the object behind it; NULL: there is none, or no memory for it. */
static uint8_t *read_all(size_t *have)
{
	size_t room = sizeof(struct userchild_request) + NETCAP_USER_OBJECT + 1;
	uint8_t *bytes = malloc(room);
	ssize_t n;

	*have = 0;
	if (!bytes)
		return NULL;
	while (*have < room && (n = read(STDIN_FILENO, bytes + *have, room - *have)) > 0)
		*have += n;
	if (*have >= sizeof(struct userchild_request) && *have < room)
		return bytes;
	free(bytes);
	return NULL;
}

static int send_all(const char *bytes, size_t count)
{
	while (count) {
		ssize_t n = write(STDIN_FILENO, bytes, count);

		if (n <= 0)
			return EXIT_FAILURE;
		bytes += n;
		count -= n;
	}
	return EXIT_SUCCESS;
}

/* What it has goes with the process. */
static int serve(void)
{
	struct userchild_request request;
	size_t have, size;
	uint8_t *bytes = read_all(&have);
	char *answer;

	if (!bytes)
		return EXIT_FAILURE;
	memcpy(&request, bytes, sizeof(request));
	answer = usertake_answer(&request, bytes + sizeof(request), have - sizeof(request), USERTAKE_KERNEL, &size);
	return answer ? send_all(answer, size) : EXIT_FAILURE;
}

int userchild_main(int fd)
{
	static const struct confine limits = {
		.capabilities = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON,
		.memory = USERCHILD_MEMORY,
		.files = USERCHILD_FILES,
		.cpu = USERCHILD_CPU,
	};
	int r = confine_enter(fd, &limits);

	if (r) {
		fprintf(stderr, "the process that takes in user code cannot give up its privileges (%s) and ends\n",
			strerror(-r));
		return EXIT_FAILURE;
	}
	return serve();
}
