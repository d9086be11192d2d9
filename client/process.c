/* SPDX-License-Identifier: BSD-2-Clause */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DELETED	" (deleted)"
#define KTHREAD 0x00200000 /* PF_KTHREAD of include/linux/sched.h */

static int __attribute__((format(printf, 4, 5))) refuse(int err, char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return err;
}

/* ---- what kind of process it is ---- */

struct status {
	long tgid;
	unsigned uid;
	bool has_memory; /* neither a thread of the kernel nor one that ends */
};

static int read_status(pid_t pid, struct status *s)
{
	char path[64], line[256];
	FILE *file;

	*s = (struct status){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "Tgid: %ld", &s->tgid);
		sscanf(line, "Uid: %u", &s->uid);
		s->has_memory = s->has_memory || !strncmp(line, "VmSize:", strlen("VmSize:"));
	}
	fclose(file);
	return s->tgid ? 0 : -ESRCH;
}

/* The ninth field of proc_pid_stat(5); the second is a name, which may hold anything. */
static bool is_of_kernel(pid_t pid)
{
	char path[64], line[512];
	unsigned flags = 0;
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	if (end)
		sscanf(end, ") %*c %*d %*d %*d %*d %*d %u", &flags);
	if (file)
		fclose(file);
	return flags & KTHREAD;
}

static int check(pid_t pid, char *why, size_t size)
{
	struct status s;

	if (read_status(pid, &s))
		return refuse(-ESRCH, why, size, "there is no process %d: give the number of one that runs", pid);
	if (s.tgid != pid)
		return refuse(-EINVAL, why, size, "%d is a thread of process %ld: give %ld, which traces all of its "
			      "threads", pid, s.tgid, s.tgid);
	if (!s.has_memory && !is_of_kernel(pid))
		return refuse(-ESRCH, why, size, "process %d has ended: give the number of one that runs", pid);
	if (!s.has_memory)
		return refuse(-EINVAL, why, size, "%d is a thread of the kernel, which has no code in user space: "
			      "netcapctl skb and xdp trace the kernel", pid);
	return 0;
}

static int refuse_access(pid_t pid, int err, char *why, size_t size)
{
	struct status s;

	if (err == -ENOENT || err == -ESRCH || read_status(pid, &s))
		return refuse(-ESRCH, why, size, "process %d has ended: give the number of one that runs", pid);
	if (err != -EACCES && err != -EPERM)
		return refuse(err, why, size, "process %d cannot be looked at: %s", pid, strerror(-err));
	return refuse(-EACCES, why, size, "process %d belongs to user %u, and this user may not look at it: run this "
		      "as root%s", pid, s.uid, s.uid == geteuid() ? "" : " or as that user");
}

/* ---- what it has mapped ---- */

/* The kernel writes a newline in a path as "\012" (seq_file_path()). */
static void unescape(char *path)
{
	char *out = path;

	for (const char *in = path; *in; out++) {
		if (!strncmp(in, "\\012", 4)) {
			*out = '\n';
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

static struct process_file *find(const struct process *p, const char *path, uint64_t inode)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->files[i].inode == inode && !strcmp(p->files[i].path, path))
			return &p->files[i];
	return NULL;
}

static int add(struct process *p, const struct process_file *file)
{
	struct process_file *files = reallocarray(p->files, p->count + 1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	p->files = files;
	files[p->count] = *file;
	files[p->count].path = strdup(file->path);
	return files[p->count].path ? (p->count++, 0) : -ENOMEM;
}

static int take_line(struct process *p, char *line)
{
	struct process_file file = { 0 };
	char protection[5];
	size_t len;
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64 " %n", &file.start, &file.end, protection,
		   &file.inode, &at) != 4 || !at)
		return 0;
	file.path = line + at;
	file.path[strcspn(file.path, "\n")] = '\0';
	if (protection[2] != 'x' || !file.inode || file.path[0] != '/')
		return 0;
	len = strlen(file.path);
	if (len > strlen(DELETED) && !strcmp(file.path + len - strlen(DELETED), DELETED)) {
		file.path[len - strlen(DELETED)] = '\0';
		file.is_deleted = true;
	}
	unescape(file.path);
	return find(p, file.path, file.inode) ? 0 : add(p, &file);
}

int process_read_maps(struct process *p, FILE *maps)
{
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	while (!err && getline(&line, &size, maps) > 0)
		err = take_line(p, line);
	free(line);
	return err;
}

/* Programs at fixed addresses are first anyway, but others may be anywhere. */
static void move_to_front(struct process *p, size_t i)
{
	struct process_file file = p->files[i];

	memmove(&p->files[1], &p->files[0], i * sizeof(file));
	p->files[0] = file;
}

static int read_exe(struct process *p)
{
	char path[64], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	if ((size_t)len > strlen(DELETED) && !strcmp(target + len - strlen(DELETED), DELETED))
		target[len - strlen(DELETED)] = '\0';
	p->exe = strdup(target);
	if (!p->exe)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->files[i].path, p->exe)) {
			move_to_front(p, i);
			break;
		}
	return 0;
}

/* The kernel shows paths as we see them, which is not as a process does that chroot(2) has put into a part of them. */
static void cut_root(struct process *p)
{
	char path[64], root[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/root", p->pid);
	len = readlink(path, root, sizeof(root));
	if (len <= 1 || len == sizeof(root))
		return;
	for (size_t i = 0; i <= p->count; i++) {
		char *file = i < p->count ? p->files[i].path : p->exe;

		if (!strncmp(file, root, (size_t)len) && file[len] == '/')
			memmove(file, file + len, strlen(file + len) + 1);
	}
}

static int read_maps(struct process *p)
{
	char path[64];
	FILE *maps;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/maps", p->pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	err = process_read_maps(p, maps);
	fclose(maps);
	return err ? err : p->count ? 0 : -ESRCH;
}

int process_open(struct process *p, pid_t pid, char *why, size_t size)
{
	char path[64];
	int err;

	*p = (struct process){ .pid = pid, .root = -1 };
	err = check(pid, why, size);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	p->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = p->root < 0 ? -errno : read_maps(p);
	if (!err)
		err = read_exe(p);
	if (!err) {
		cut_root(p);
		return 0;
	}
	process_close(p);
	return refuse_access(pid, err, why, size);
}

void process_close(struct process *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->files[i].path);
	free(p->files);
	free(p->exe);
	if (p->root >= 0)
		close(p->root);
	*p = (struct process){ .root = -1 };
}

/* ---- its files ---- */

/*
 * By the inode number alone: the device that maps shows is another one than stat(2) has on Btrfs and overlayfs. A path
 * outside of its root is seen from ours (d_path()).
 */
static int open_by_path(const struct process *p, const struct process_file *file)
{
	const int roots[] = { p->root, -1 };
	struct stat st;

	for (size_t i = 0; i < 2 && !file->is_deleted; i++) {
		int fd = elffile_open_path(roots[i], file->path);

		if (fd >= 0 && !fstat(fd, &st) && st.st_ino == file->inode)
			return fd;
		if (fd >= 0)
			close(fd);
		else if (fd == -EACCES)
			return fd;
	}
	return -ESTALE;
}

/* Whatever its path means by now. Of the program everyone may who may look at the process, of others only root. */
static int open_by_mapping(const struct process *p, const struct process_file *file)
{
	char path[96];

	if (file == p->files && !strcmp(file->path, p->exe))
		snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	else
		snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, p->pid, file->start, file->end);
	return elffile_open_path(-1, path);
}

int process_open_file(const struct process *p, const struct process_file *file, struct elffile *f, char *why,
		      size_t size)
{
	int by_path = open_by_path(p, file), fd = by_path < 0 ? open_by_mapping(p, file) : by_path;

	*f = (struct elffile){ .fd = -1 };
	if (fd >= 0)
		return elffile_take(f, fd, file->path, why, size);
	if (by_path == -EACCES)
		return refuse(by_path, why, size, "%s, which process %d has mapped, cannot be opened: %s", file->path,
			      p->pid, strerror(EACCES));
	return refuse(-ESTALE, why, size, "%s was replaced or deleted since process %d started it: restart the "
		      "process, or run this as root", file->path, p->pid);
}
