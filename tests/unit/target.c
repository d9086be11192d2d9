/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "target.h"

/* ---- running programs ---- */

/* Whether it has mapped code of a file of that name. */
static bool has_mapped(pid_t pid, const char *name)
{
	char path[64], line[512];
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		found = found || (strstr(line, " r-xp ") && strstr(line, name));
	fclose(maps);
	return found;
}

/* Until then it is a copy of this test. */
static bool has_executed(pid_t pid, const char *program)
{
	char path[64], exe[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	len = readlink(path, exe, sizeof(exe) - 1);
	if (len < (ssize_t)strlen(program))
		return false;
	exe[len] = '\0';
	return !strcmp(exe + len - strlen(program), program);
}

/* All of its libraries are there once main() waits for the end of its input: what it did before, it did not sleep for. */
static bool is_waiting(pid_t pid)
{
	char path[64], line[512] = "", *behind;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = fopen(path, "re");
	assert_non_null(stat);
	behind = fgets(line, sizeof(line), stat) ? strrchr(line, ')') : NULL;
	fclose(stat);
	return behind && behind[1] && behind[2] == 'S';
}

static bool enter(const char *root)
{
	return !root || ((!chroot(root) || (!unshare(CLONE_NEWUSER) && !chroot(root))) && !chdir("/"));
}

bool target_start_in(struct target *t, const char *root, const char *path, const char *mapped)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	t->pid = fork();
	if (t->pid == 0) {
		dup2(ends[0], STDIN_FILENO);
		unsetenv("LD_LIBRARY_PATH"); /* meson's: libraries are beside the program */
		if (enter(root))
			execl(path, path, NULL);
		_exit(127);
	}
	close(ends[0]);
	t->in = ends[1];
	for (int i = 0; i < 5000 && !(has_executed(t->pid, path) && has_mapped(t->pid, mapped) && is_waiting(t->pid)); i++) {
		if (waitpid(t->pid, NULL, WNOHANG)) {
			close(t->in);
			return false;
		}
		usleep(1000);
	}
	return true;
}

void target_start(struct target *t, const char *path)
{
	assert_true(target_start_in(t, NULL, path, "/libc."));
}

void target_end(struct target *t)
{
	close(t->in);
	assert_int_equal(waitpid(t->pid, NULL, 0), t->pid);
}

/* ---- files ---- */

void target_dir_make(struct target_dir *d)
{
	strcpy(d->path, "/tmp/netcapd-target-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
}

void target_dir_copy(const struct target_dir *d, const char *from, const char *to)
{
	char path[PATH_MAX], buffer[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", d->path, to);
	for (char *slash = strchr(path + strlen(d->path) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
		*slash = '/';
	}
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, (size_t)n), n);
	close(in);
	close(out);
}

void target_dir_patch(const struct target_dir *d, const char *file, int64_t offset, const void *bytes, size_t len)
{
	int fd = openat(d->fd, file, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	if (offset < 0)
		offset = lseek(fd, 0, SEEK_END);
	assert_int_equal(pwrite(fd, bytes, len, offset), len);
	close(fd);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void target_dir_remove(struct target_dir *d)
{
	close(d->fd);
	assert_int_equal(nftw(d->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void target_open(struct elffile *f, const char *path)
{
	char why[512];

	if (elffile_open(f, -1, path, why, sizeof(why)))
		fail_msg("%s", why);
}

uint64_t target_address(const char *path, const char *name)
{
	static uint8_t bytes[1 << 20];
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
	const Elf64_Shdr *sections;
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	assert_in_range(fread(bytes, 1, sizeof(bytes), file), sizeof(*header), sizeof(bytes) - 1);
	fclose(file);
	sections = (const Elf64_Shdr *)(bytes + header->e_shoff);
	for (int i = 0; i < header->e_shnum; i++) {
		const Elf64_Sym *symbols = (const Elf64_Sym *)(bytes + sections[i].sh_offset);
		const char *names = (const char *)bytes + sections[sections[i].sh_link].sh_offset;

		if (sections[i].sh_type != SHT_SYMTAB)
			continue;
		for (size_t j = 0; j < sections[i].sh_size / sizeof(*symbols); j++)
			if (!strcmp(names + symbols[j].st_name, name))
				return symbols[j].st_value;
	}
	return 0;
}
