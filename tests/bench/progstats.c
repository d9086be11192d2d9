/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run-time statistics of BPF programs: progstats
 *
 * Has the kernel measure every program's run time for as long as this process lives, which makes
 * each run some tens of nanoseconds slower. For each program id read, one a line, prints "TIME
 * RUNS": the nanoseconds and the number of its runs so far. Ends with its input.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

static int print_statistics(uint32_t id)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id), error;

	if (fd < 0)
		return -1;
	error = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (error)
		return -1;
	printf("%llu %llu\n", (unsigned long long)info.run_time_ns,
	       (unsigned long long)info.run_cnt);
	return fflush(stdout);
}

int main(void)
{
	int statistics = bpf_enable_stats(BPF_STATS_RUN_TIME);
	uint32_t id;

	if (statistics < 0) {
		fprintf(stderr, "progstats: the kernel measures no run times: %s\n",
			strerror(errno));
		return 1;
	}
	while (scanf("%u", &id) == 1) {
		if (print_statistics(id)) {
			fprintf(stderr, "progstats: there is no BPF program %u: %s\n", id,
				strerror(errno));
			return 1;
		}
	}
	close(statistics);
	return 0;
}
