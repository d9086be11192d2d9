/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/selfusage.h"

uint64_t selfusage_resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (f && fscanf(f, "%*s %llu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static uint64_t nanoseconds(const struct timeval *t)
{
	return (t->tv_sec * 1000000ULL + t->tv_usec) * 1000;
}

static uint64_t count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 3; /* ".", "..", and the one that reads them */
}

void selfusage_read(struct selfusage *u)
{
	struct rusage usage = {};

	getrusage(RUSAGE_SELF, &usage);
	*u = (struct selfusage){
	    .cpu = nanoseconds(&usage.ru_utime) + nanoseconds(&usage.ru_stime),
	    .resident = selfusage_resident(),
	    .descriptors = count_descriptors(),
	};
}
