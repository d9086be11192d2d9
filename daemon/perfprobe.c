/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "daemon/perfprobe.h"

#define DEVICES "/sys/bus/event_source/devices/"
/* Of attr.config for uprobes, as the files in DEVICES "uprobe/format" say. */
#define UPROBE_IS_RETURN       1
#define UPROBE_SEMAPHORE_SHIFT 32

static int pmu_type(const char *path)
{
	FILE *f = fopen(path, "re");
	int type = -ENOENT;

	if (f && fscanf(f, "%d", &type) != 1)
		type = -ENOENT;
	if (f)
		fclose(f);
	return type;
}

int perfprobe_pmu(void)
{
	return pmu_type(DEVICES "kprobe/type");
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

int perfprobe_open_user(const struct perfprobe_user *place)
{
	char path[32];
	struct perf_event_attr attributes = {
		.type = pmu_type(DEVICES "uprobe/type"),
		.size = sizeof(attributes),
		.config = place->semaphore << UPROBE_SEMAPHORE_SHIFT | (place->is_return ? UPROBE_IS_RETURN : 0),
		.config1 = (uintptr_t)path,
		.config2 = place->offset,
	};
	bool all = !place->pid;
	int fd;

	if ((int)attributes.type < 0)
		return (int)attributes.type;
	/* the file itself, whatever its path is by now, and in whichever mount namespace it has one */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", place->fd);
	fd = syscall(SYS_perf_event_open, &attributes, all ? -1 : place->pid, all ? 0 : -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
