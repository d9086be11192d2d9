/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "daemon/confine.h"
#include "daemon/sandbox.h"

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

/* At the first of the two comes SIGXCPU, which says why the process ended. */
static int limit_cpu(int seconds)
{
	const struct rlimit both = {.rlim_cur = seconds, .rlim_max = seconds + 1};

	return setrlimit(RLIMIT_CPU, &both) ? -errno : 0;
}

/* Run as nobody: RLIMIT_NPROC does not stop root. */
static int limit_resources(const struct confine *c)
{
	int err = limit(RLIMIT_CORE, 0);

	if (!err)
		err = limit(RLIMIT_FSIZE, 0);
	if (!err)
		err = limit(RLIMIT_NPROC, 0);
	if (!err)
		err = limit(RLIMIT_NOFILE, c->files);
	if (!err && c->cpu)
		err = limit_cpu(c->cpu);
#ifndef BUILT_WITH_ASAN /* its shadow memory alone is larger than any useful limit */
	if (!err)
		err = limit(RLIMIT_AS, c->memory);
#endif
	return err;
}

static int drop_user(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) || setresgid(CONFINE_NOBODY, CONFINE_NOBODY, CONFINE_NOBODY) ||
	    setresuid(CONFINE_NOBODY, CONFINE_NOBODY, CONFINE_NOBODY))
		return -errno;
	return 0;
}

/* Needs the privileges that it drops for later programs, so it comes before drop_user(). */
static void drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* EPERM: was not root, has none to gain */
}

static int drop_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) || syscall(SYS_capget, &header, sets))
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].permitted &= keep >> 32 * i;
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

/* The parent's death signal is forgotten when the user changes, so it comes after that. */
int confine_enter(int fd, const struct confine *c)
{
	int err;

	if (fd != STDIN_FILENO && dup2(fd, STDIN_FILENO) < 0)
		return -errno;
	if (syscall(SYS_close_range, 3U, ~0U, 0U) || (c->capabilities && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)))
		return -errno;
	drop_bounding_set();
	err = drop_user();
	if (!err)
		err = drop_capabilities(c->capabilities);
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	err = limit_resources(c);
	return err ? err : sandbox_enter();
}
