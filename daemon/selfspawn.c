/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "daemon/selfspawn.h"

int selfspawn(const char *executable, const char *argument, int fd, pid_t *pid)
{
	char *argv[] = { (char *)"netcapd", (char *)argument, NULL };
	char *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	if (!err)
		err = posix_spawn(pid, executable ? executable : "/proc/self/exe", &actions, &attributes, argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		*pid = 0;
	return -err;
}
