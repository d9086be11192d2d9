/* SPDX-License-Identifier: BSD-2-Clause */
#include "netns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "message.h"
#include "text.h"

#define NAMED_DIR "/run/netns"
#define OWN_PATH  "/proc/self/ns/net"

/* What a look for a device found. Fits into one atomic write to a pipe. */
struct finding {
	enum { FOUND, NOT_FOUND, COULD_NOT_LOOK } result;
	char name[IF_NAMESIZE]; /* FOUND: the real name */
	char devices[2048];     /* NOT_FOUND: those that exist */
};

/* Opens a namespace file. 0 or negative errno; -EINVAL: something else than a network namespace. */
static int open_path(struct netns *n, const char *path)
{
	struct stat st;
	int err;

	n->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (n->fd < 0)
		return -errno;
	if (ioctl(n->fd, NS_GET_NSTYPE) == CLONE_NEWNET && !fstat(n->fd, &st)) {
		n->inode = (uint32_t)st.st_ino;
		return 0;
	}
	err = -EINVAL;
	netns_clear(n);
	return err;
}

static bool has_inode(const char *path, uint32_t inode)
{
	struct stat st;

	return !stat(path, &st) && st.st_ino == inode;
}

/* Looks for dir/ENTRY+suffix with this inode number among the entries of dir. */
static bool search(struct netns *n, const char *dir, const char *suffix, bool only_numbers)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	bool found = false;
	char path[512];

	while (d && !found && (entry = readdir(d))) {
		if (only_numbers && !isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", dir, entry->d_name, suffix);
		found = has_inode(path, n->inode) && !open_path(n, path);
	}
	if (d)
		closedir(d);
	return found;
}

static int find_number(struct netns *n, const char *text)
{
	uint64_t inode;

	if (!text_number(text, UINT32_MAX, false, &inode) || !inode) {
		message("--netns %s: an inode number of a network namespace is from 1 to %u.", text,
			UINT32_MAX);
		return -1;
	}
	n->inode = (uint32_t)inode;
	/* Namespaces may live only in a descriptor or a mount elsewhere: not found is no proof. */
	if (!search(n, NAMED_DIR, "", false) && !search(n, "/proc", "/ns/net", true))
		message("no process and no name of \"ip netns list\" that this user may look at "
			"belongs to network namespace %s; it is taken as given.",
			text);
	return 0;
}

int netns_find(struct netns *n, const char *text)
{
	char path[512];
	int err;

	*n = (struct netns){.fd = -1};
	if (text && text[0] && !text[strspn(text, "0123456789")])
		return find_number(n, text);
	if (!text)
		snprintf(path, sizeof(path), "%s", OWN_PATH);
	else
		snprintf(path, sizeof(path), "%s%s", strchr(text, '/') ? "" : NAMED_DIR "/", text);
	err = open_path(n, path);
	if (!err)
		return 0;
	if (!text)
		message("this process's own network namespace (%s) cannot be opened: %s.", path,
			strerror(-err));
	else if (err == -EINVAL)
		message("--netns %s: %s is no network namespace.", text, path);
	else if (err == -ENOENT)
		message("--netns %s: there is no network namespace %s; \"ip netns list\" names "
			"them.",
			text, path);
	else
		message("--netns %s: %s cannot be opened: %s.", text, path, strerror(-err));
	return -1;
}

/* In the namespace that this process is in now. */
static void look(struct finding *f, const char *device)
{
	struct if_nameindex *all;
	unsigned index = if_nametoindex(device);
	size_t n = 0;

	f->result = NOT_FOUND;
	if (index && if_indextoname(index, f->name)) {
		f->result = FOUND;
		return;
	}
	all = if_nameindex();
	for (struct if_nameindex *i = all; i && i->if_name && n < sizeof(f->devices); i++)
		n += (size_t)snprintf(f->devices + n, sizeof(f->devices) - n, "%s%s", n ? ", " : "",
				      i->if_name);
	if_freenameindex(all);
}

/* The same from a child that enters the namespace, so that this process stays where it is. */
static void look_elsewhere(struct finding *f, int fd, const char *device)
{
	int pipe_fds[2], status;
	pid_t pid;

	f->result = COULD_NOT_LOOK;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (!setns(fd, CLONE_NEWNET))
			look(f, device);
		_exit(write(pipe_fds[1], f, sizeof(*f)) != (ssize_t)sizeof(*f));
	}
	close(pipe_fds[1]);
	if (pid > 0) {
		if (read(pipe_fds[0], f, sizeof(*f)) != (ssize_t)sizeof(*f))
			f->result = COULD_NOT_LOOK;
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(pipe_fds[0]);
}

int netns_check_device(const struct netns *n, const char *device, char *name)
{
	struct finding f = {.result = COULD_NOT_LOOK};

	if (has_inode(OWN_PATH, n->inode))
		look(&f, device);
	else if (n->fd >= 0)
		look_elsewhere(&f, n->fd, device);
	if (f.result == NOT_FOUND) {
		message("-i %s: there is no such device in network namespace %u; there are: %s.",
			device, n->inode, f.devices);
		return -1;
	}
	snprintf(name, IF_NAMESIZE, "%s", f.result == FOUND ? f.name : device);
	return 0;
}

void netns_clear(struct netns *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
