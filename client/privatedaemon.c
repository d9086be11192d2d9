/* SPDX-License-Identifier: BSD-2-Clause */
#include "privatedaemon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "message.h"
#include "signals.h"

#define CAPABILITY_BPF 39 /* CAP_BPF: headers older than Linux 5.8 lack the name */
#define PATIENCE_MS    2000

bool privatedaemon_allowed(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{0}};

	if (geteuid() == 0)
		return true;
	if (syscall(SYS_capget, &header, sets))
		return false;
	return sets[CAPABILITY_BPF / 32].effective & (1U << CAPABILITY_BPF % 32);
}

/* The binary: beside this one, in the build tree's ../daemon, or where it is installed. */
static int find_binary(char *path, size_t size)
{
	static const char *const places[] = {"netcapd", "../daemon/netcapd"};
	const char *given = getauxval(AT_SECURE) ? NULL : getenv("NETCAPD_BIN");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (given) {
		snprintf(path, size, "%s", given);
		return access(path, X_OK) ? -errno : 0;
	}
	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; n > 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		if ((size_t)snprintf(path, size, "%s/%s", self, places[i]) < size &&
		    !access(path, X_OK))
			return 0;
	}
	snprintf(path, size, "%s/netcapd", NETCAPD_SBINDIR);
	return access(path, X_OK) ? -errno : 0;
}

static void run_child(const char *path, int fd, pid_t parent)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	signals_reset_in_child(false);
	/* Out of the terminal's foreground group: the client takes Ctrl-C, and ends the session. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* Descriptors that this process inherited would stay open as long as the daemon. */
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
	if (getppid() != parent || fcntl(fd, F_SETFD, 0))
		_exit(126);
	execl(path, "netcapd", "--private", number, (char *)NULL);
	dprintf(2, "netcapctl: %s could not be run: %s.\n", path, strerror(errno));
	_exit(127);
}

int privatedaemon_start(pid_t *pid)
{
	pid_t parent = getpid();
	char path[PATH_MAX];
	int pair[2], err = find_binary(path, sizeof(path));

	if (err) {
		message("no service runs, and its program cannot be run from %s either (%s): "
			"install netcapd, or set NETCAPD_BIN to where it is.",
			path, strerror(-err));
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		message("no socket pair for a private daemon: %s.", strerror(errno));
		return -1;
	}
	fflush(NULL);
	*pid = fork();
	if (*pid == 0)
		run_child(path, pair[1], parent);
	close(pair[1]);
	if (*pid < 0) {
		message("no process for a private daemon: %s.", strerror(errno));
		close(pair[0]);
		return -1;
	}
	return pair[0];
}

void privatedaemon_wait(pid_t pid)
{
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	int status;

	if (p.fd >= 0) {
		if (poll(&p, 1, PATIENCE_MS) == 0) {
			/* on kernels without kprobe.multi a thousand functions take minutes */
			message("the kernel is still detaching from the trace points; it goes on "
				"in the background.");
			kill(pid, SIGKILL);
			close(p.fd);
			return;
		}
		close(p.fd);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}
