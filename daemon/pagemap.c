/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/calibrate.skel.h"
#include "daemon/pagemap.h"

#define GIB (1ULL << 30)

/* The constant is a multiple of 1 GiB: both of its parts are aligned so (arch/x86/mm/kaslr.c). */
#define STEP GIB

/* Memory may have holes: look this much further than there is memory. */
#define HOLES (64 * GIB)

static int run(int program, uint64_t first, uint64_t second, uint32_t *result)
{
	uint64_t arguments[2] = { first, second };
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments,
		    .ctx_size_in = sizeof(arguments));
	int r = bpf_prog_test_run_opts(program, &options);

	*result = options.retval;
	return r;
}

/* Tries all constants that put the page into the linear map, nearest to a known address first. */
static uint64_t search(int program, uint64_t scaled, uint64_t near, uint64_t number)
{
	uint64_t base = (near - scaled) / STEP * STEP, reach = HOLES;
	struct sysinfo memory;

	if (!sysinfo(&memory))
		reach += (uint64_t)memory.totalram * memory.mem_unit;
	for (uint64_t distance = 0; distance <= reach; distance += STEP) {
		uint32_t found = 0;

		if (!run(program, scaled + base + distance, number, &found) && found)
			return base + distance;
		if (!run(program, scaled + base - distance, number, &found) && found)
			return base - distance;
	}
	return 0;
}

static uint64_t find_with_pipe(struct calibrate *skeleton, const int pipe_fds[2])
{
	uint64_t number = 0, scaled;
	uint32_t unused;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number) ||
	    write(pipe_fds[1], &number, sizeof(number)) != sizeof(number))
		return 0;
	if (run(bpf_program__fd(skeleton->progs.netcap_find_page), pipe_fds[0], 0, &unused) ||
	    !skeleton->bss->calibrate_page || !skeleton->bss->calibrate_page_size)
		return 0;
	scaled = skeleton->bss->calibrate_page / skeleton->bss->calibrate_page_size *
		 (uint64_t)sysconf(_SC_PAGESIZE);
	return search(bpf_program__fd(skeleton->progs.netcap_try_address), scaled,
		      skeleton->bss->calibrate_task, number);
}

uint64_t pagemap_find(char *why, size_t size)
{
	struct calibrate *skeleton = calibrate__open_and_load();
	int pipe_fds[2] = { -1, -1 };
	uint64_t constant = 0;

	if (!skeleton) {
		snprintf(why, size, "the kernel does not run the search for it: %s",
			 strerror(errno));
		return 0;
	}
	if (!pipe2(pipe_fds, O_CLOEXEC))
		constant = find_with_pipe(skeleton, pipe_fds);
	if (!constant)
		snprintf(why, size, "the kernel's linear map was not found");
	if (pipe_fds[0] >= 0)
		close(pipe_fds[0]);
	if (pipe_fds[1] >= 0)
		close(pipe_fds[1]);
	calibrate__destroy(skeleton);
	return constant;
}
