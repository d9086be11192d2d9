/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "daemon/perfprobe.h"

#define PMU_TYPE "/sys/bus/event_source/devices/kprobe/type"

int perfprobe_pmu(void)
{
	FILE *f = fopen(PMU_TYPE, "re");
	int type = -ENOENT;

	if (f && fscanf(f, "%d", &type) != 1)
		type = -ENOENT;
	if (f)
		fclose(f);
	return type;
}

int perfprobe_open(int pmu, const char *name, uint64_t address)
{
	struct perf_event_attr attributes = {
		.type = pmu,
		.size = sizeof(attributes),
		.config1 = (uintptr_t)name,
		.config2 = address,
	};
	int fd;

	if (pmu < 0)
		return pmu;
	fd = syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
