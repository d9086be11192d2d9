/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "process.h"
#include "target.h"

static const struct process_file *file_of(const struct process *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strstr(p->files[i].path, name))
			return &p->files[i];
	fail_msg("%s is not mapped", name);
	return NULL;
}

static void a_process_has_its_program_and_libraries(void **state)
{
	static const char *const names[] = { "/target_pie", "/libtarget_shared.so", "/libtarget_other.so", "/libc." };
	struct process p;
	struct target t;
	char why[512];

	target_start(&t, TARGET("target_pie"));
	assert_int_equal(process_open(&p, t.pid, why, sizeof(why)), 0);
	assert_string_equal(p.exe, TARGET("target_pie"));
	assert_string_equal(p.files[0].path, TARGET("target_pie"));
	for (size_t i = 0; i < 4; i++) {
		const struct process_file *file = file_of(&p, names[i]);
		struct elffile f;
		struct stat st;

		assert_int_equal(process_open_file(&p, file, &f, why, sizeof(why)), 0);
		assert_int_equal(fstat(f.fd, &st), 0);
		assert_int_equal(st.st_ino, file->inode);
		assert_string_equal(f.path, file->path);
		elffile_close(&f);
	}
	process_close(&p);
	target_end(&t);
}

static void lines_of_maps_are_read(void **state)
{
	static char text[] =
		"00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/with blanks\n"
		"00651000-00652000 r--p 00051000 08:02 173521 /usr/bin/with blanks\n"
		"00652000-00655000 r-xp 00052000 08:02 173521 /usr/bin/with blanks\n"
		"7f0000000000-7f0000001000 r-xp 00000000 00:2a 99 /tmp/gone (deleted)\n"
		"7f0000001000-7f0000002000 r-xp 00000000 00:2a 98 /tmp/new\\012line\n"
		"7f0000002000-7f0000003000 rwxp 00000000 00:00 0 \n"
		"7f0000003000-7f0000004000 r-xp 00000000 00:05 4 /dev/only/read\n"
		"7f0000004000-7f0000005000 rw-p 00000000 00:05 5 /no/code\n"
		"7f0000005000-7f0000006000 r-xp 00000000 00:00 0 [vdso]\n"
		"7f0000006000-7f0000007000 r-xp 00000000 00:0f 6 anon_inode:[x]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n"
		"no line of that kind\n";
	FILE *maps = fmemopen(text, sizeof(text) - 1, "r");
	struct process p = { .root = -1 };

	assert_int_equal(process_read_maps(&p, maps), 0);
	fclose(maps);
	assert_int_equal(p.count, 4);
	assert_string_equal(p.files[0].path, "/usr/bin/with blanks");
	assert_int_equal(p.files[0].start, 0x400000);
	assert_int_equal(p.files[0].inode, 173521);
	assert_string_equal(p.files[1].path, "/tmp/gone");
	assert_true(p.files[1].is_deleted && !p.files[0].is_deleted);
	assert_string_equal(p.files[2].path, "/tmp/new\nline");
	assert_string_equal(p.files[3].path, "/dev/only/read");
	process_close(&p);
}

/* ---- files that are no longer there ---- */

struct copy {
	struct target_dir dir;
	struct target target;
	struct process process;
};

static void start_copy(struct copy *c)
{
	char path[128], why[512];

	target_dir_make(&c->dir);
	target_dir_copy(&c->dir, TARGET("target_pie"), "target_pie");
	target_dir_copy(&c->dir, TARGET("libtarget_shared.so"), "libtarget_shared.so");
	target_dir_copy(&c->dir, TARGET("libtarget_other.so"), "libtarget_other.so");
	snprintf(path, sizeof(path), "%s/target_pie", c->dir.path);
	target_start(&c->target, path);
	/* an upgrade makes a new file and gives it the old one's name */
	target_dir_copy(&c->dir, TARGET("target_fixed"), "new");
	assert_int_equal(renameat(c->dir.fd, "new", c->dir.fd, "libtarget_shared.so"), 0);
	assert_int_equal(unlinkat(c->dir.fd, "target_pie", 0), 0);
	assert_int_equal(process_open(&c->process, c->target.pid, why, sizeof(why)), 0);
}

static void end_copy(struct copy *c)
{
	process_close(&c->process);
	target_end(&c->target);
	target_dir_remove(&c->dir);
}

static void the_program_is_found_when_it_is_deleted(void **state)
{
	struct elffile f;
	struct copy c;
	char why[512];

	start_copy(&c);
	assert_true(c.process.files[0].is_deleted);
	assert_string_equal(c.process.files[0].path, c.process.exe);
	assert_int_equal(process_open_file(&c.process, &c.process.files[0], &f, why, sizeof(why)), 0);
	elffile_close(&f);
	end_copy(&c);
}

static void another_file_of_that_name_is_not_taken(void **state)
{
	struct process_file file;
	struct elffile f;
	struct copy c;
	char why[512];

	start_copy(&c);
	file = *file_of(&c.process, "libtarget_shared.so");
	file.start++; /* so that nobody finds it by its mapping, as is so without privileges */
	assert_int_equal(process_open_file(&c.process, &file, &f, why, sizeof(why)), -ESTALE);
	assert_non_null(strstr(why, "/libtarget_shared.so was replaced or deleted since process "));
	assert_non_null(strstr(why, "restart the process, or run this as root"));
	end_copy(&c);
}

static void with_privileges_the_mapped_file_is_found(void **state)
{
	const struct process_file *file;
	struct elffile_bytes b;
	struct elffile f;
	struct copy c;
	char why[512];
	int err;

	start_copy(&c);
	file = file_of(&c.process, "libtarget_shared.so");
	err = process_open_file(&c.process, file, &f, why, sizeof(why));
	if (!err) {
		struct stat st;

		assert_int_equal(fstat(f.fd, &st), 0);
		assert_int_equal(st.st_ino, file->inode);
		assert_false(elffile_section(&f, ".interp", &b)); /* the new file is a program */
		elffile_close(&f);
	} else {
		assert_int_equal(err, -ESTALE);
	}
	end_copy(&c);
}

/* ---- what is no process ---- */

static void refused(pid_t pid, int err, const char *sentence)
{
	struct process p;
	char why[512] = "";

	assert_int_equal(process_open(&p, pid, why, sizeof(why)), err);
	if (!strstr(why, sentence))
		fail_msg("%s", why);
}

static void numbers_of_nobody_are_refused(void **state)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	refused(4194305, -ESRCH, "there is no process 4194305");
	refused(0, -ESRCH, "there is no process 0");
	refused(-1, -ESRCH, "there is no process -1");
	for (int i = 0; i < 1000; i++) { /* until it is a zombie */
		struct process p;
		char why[512];

		if (process_open(&p, pid, why, sizeof(why)))
			break;
		process_close(&p);
		usleep(1000);
	}
	refused(pid, -ESRCH, "has ended");
	waitpid(pid, NULL, 0);
	refused(pid, -ESRCH, "there is no process");
}

static void *tell_number(void *arg)
{
	int *ends = arg;
	pid_t tid = gettid();
	char end;

	assert_int_equal(write(ends[1], &tid, sizeof(tid)), sizeof(tid));
	assert_int_equal(read(ends[2], &end, 1), 0);
	return NULL;
}

static void a_threads_number_is_refused_with_its_process(void **state)
{
	int out[2], in[2], ends[3];
	char sentence[128];
	pthread_t thread;
	pid_t tid;

	assert_true(!pipe(out) && !pipe(in));
	ends[1] = out[1];
	ends[2] = in[0];
	assert_int_equal(pthread_create(&thread, NULL, tell_number, ends), 0);
	assert_int_equal(read(out[0], &tid, sizeof(tid)), sizeof(tid));
	snprintf(sentence, sizeof(sentence), "%d is a thread of process %d: give %d", tid, getpid(), getpid());
	refused(tid, -EINVAL, sentence);
	close(in[1]);
	pthread_join(thread, NULL);
	close(in[0]), close(out[0]), close(out[1]);
}

static bool is_of_kernel(const char *pid)
{
	char path[300], line[256];
	bool has_memory = false, zombie = false;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		has_memory = has_memory || !strncmp(line, "VmSize", 6);
		zombie = zombie || strstr(line, "(zombie)");
	}
	if (status)
		fclose(status);
	return status && !has_memory && !zombie;
}

static void a_thread_of_the_kernel_is_refused(void **state)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t pid = 0;

	assert_non_null(dir);
	while (!pid && (entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_of_kernel(entry->d_name))
			pid = atoi(entry->d_name);
	closedir(dir);
	if (!pid) {
		print_message("[  SKIP    ] this PID namespace has no threads of the kernel\n");
		skip();
	}
	refused(pid, -EINVAL, "is a thread of the kernel");
}

static void another_users_process_is_refused(void **state)
{
	int status, ends[2];
	char why[512] = "";
	pid_t pid, target = geteuid() ? 1 : getpid();

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		struct process p;

		if (!geteuid() && setresuid(65534, 65534, 65534))
			_exit(1);
		status = process_open(&p, target, why, sizeof(why)) == -EACCES;
		_exit(!status || write(ends[1], why, sizeof(why)) != sizeof(why));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], why, sizeof(why)), sizeof(why));
	assert_non_null(strstr(why, "belongs to user 0, and this user may not look at it: run this as root or as that "
				    "user"));
	close(ends[0]), close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_has_its_program_and_libraries),
		cmocka_unit_test(lines_of_maps_are_read),
		cmocka_unit_test(the_program_is_found_when_it_is_deleted),
		cmocka_unit_test(another_file_of_that_name_is_not_taken),
		cmocka_unit_test(with_privileges_the_mapped_file_is_found),
		cmocka_unit_test(numbers_of_nobody_are_refused),
		cmocka_unit_test(a_threads_number_is_refused_with_its_process),
		cmocka_unit_test(a_thread_of_the_kernel_is_refused),
		cmocka_unit_test(another_users_process_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
