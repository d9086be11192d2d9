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

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>
#include "target.h"
#include "userpoint.h"

/* target_pie runs, target_probes too. */
static struct target running, probes;
static struct usertarget by_pid, by_path, probes_by_pid;

static int start(void **state)
{
	char why[USERTARGET_WHY];

	target_start(&running, TARGET("target_pie"));
	target_start(&probes, TARGET("target_probes"));
	return usertarget_open_process(&by_pid, running.pid, why, sizeof(why)) ||
	       usertarget_open_process(&probes_by_pid, probes.pid, why, sizeof(why)) ||
	       usertarget_open_file(&by_path, TARGET("target_pie"), why, sizeof(why));
}

static int end(void **state)
{
	usertarget_close(&by_pid);
	usertarget_close(&by_path);
	usertarget_close(&probes_by_pid);
	target_end(&running);
	target_end(&probes);
	return 0;
}

static struct userpoint_places found(struct usertarget *t, struct userpoint point)
{
	struct userpoint_places places;
	char why[USERTARGET_WHY];

	if (userpoint_find(t, &point, &places, why, sizeof(why)))
		fail_msg("%s: %s", point.name, why);
	return places;
}

static void refused(struct usertarget *t, struct userpoint point, int err, const char *sentence)
{
	struct userpoint_places places;
	char why[USERTARGET_WHY] = "";

	assert_int_equal(userpoint_find(t, &point, &places, why, sizeof(why)), err);
	if (!strstr(why, sentence))
		fail_msg("%s: %s", point.name, why);
	assert_int_equal(places.count, 0);
	assert_null(places.items);
}

static void is_place(const struct userpoint_place *p, const char *path, const char *symbol)
{
	struct elffile f;
	uint64_t offset;
	struct stat st, own;

	assert_string_equal(p->path, path);
	target_open(&f, path);
	assert_true(elffile_offset(&f, target_address(path, symbol), true, &offset));
	assert_int_equal(p->offset, offset);
	assert_true(!fstat(f.fd, &st) && !fstat(p->fd, &own) && st.st_ino == own.st_ino);
	assert_int_equal(fcntl(p->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(p->fd, F_GETFD), FD_CLOEXEC);
	elffile_close(&f);
}

static void functions_of_the_program(void **state)
{
	struct usertarget *targets[] = { &by_pid, &by_path };

	for (size_t i = 0; i < 2; i++) {
		struct userpoint_places places = found(targets[i], (struct userpoint){ .name = "target_function",
										      .args = { 1, 7 } });

		assert_int_equal(places.count, 1);
		is_place(&places.items[0], TARGET("target_pie"), "target_function");
		assert_false(places.items[0].is_return);
		assert_int_equal(places.items[0].semaphore, 0);
		assert_int_equal(places.items[0].arg_count, 2);
		assert_string_equal(places.items[0].args[0], "8@%rdi");
		assert_string_equal(places.items[0].args[1], "8@8(%rsp)");
		userpoint_clear(&places);
	}
}

static void returns_have_the_arguments_of_the_entry(void **state)
{
	struct userpoint_places places = found(&by_pid, (struct userpoint){ .kind = USERPOINT_RETURN,
									    .name = "target_function", .args = { 2 } });

	assert_int_equal(places.count, 1);
	assert_true(places.items[0].is_return);
	assert_int_equal(places.items[0].arg_count, 1);
	assert_string_equal(places.items[0].args[0], "8@%rsi");
	userpoint_clear(&places);
}

/* There the kernel would overwrite what is no return address. */
static void returns_are_of_whole_functions(void **state)
{
	uint64_t address = target_address(TARGET("target_pie"), "target_function");
	struct userpoint_places places;
	char begin[32], middle[32];

	snprintf(begin, sizeof(begin), "0x%" PRIx64, address);
	snprintf(middle, sizeof(middle), "0x%" PRIx64, address + 1);
	refused(&by_pid, (struct userpoint){ .kind = USERPOINT_RETURN, .name = "target_function+1" }, -EINVAL,
		"in the middle of a function");
	refused(&by_pid, (struct userpoint){ .kind = USERPOINT_RETURN, .name = middle }, -EINVAL, "in the middle of a function");
	places = found(&by_pid, (struct userpoint){ .kind = USERPOINT_RETURN, .name = begin });
	is_place(&places.items[0], TARGET("target_pie"), "target_function");
	userpoint_clear(&places);
	places = found(&by_pid, (struct userpoint){ .kind = USERPOINT_RETURN, .name = "target_function+0" });
	userpoint_clear(&places);
	places = found(&by_pid, (struct userpoint){ .name = middle });
	userpoint_clear(&places);
}

static void functions_of_libraries(void **state)
{
	struct userpoint_places places = found(&by_pid, (struct userpoint){ .name = "only_shared" });

	is_place(&places.items[0], TARGET("libtarget_shared.so"), "only_shared");
	assert_int_equal(places.items[0].arg_count, 0);
	userpoint_clear(&places);
	refused(&by_pid, (struct userpoint){ .name = "both_shared" }, -ENOTUNIQ,
		"have the function \"both_shared\": " TARGET("libtarget_"));
	refused(&by_path, (struct userpoint){ .name = "only_shared" }, -ENOENT,
		"calls \"only_shared\", which is in another object");
}

static void an_object_can_be_named(void **state)
{
	static const char *const objects[] = { "libtarget_other.so", "libtarget_other", TARGET("libtarget_other.so") };
	struct userpoint_places places;
	struct target_dir d;
	char link[128];

	for (size_t i = 0; i < 3; i++) {
		places = found(&by_pid, (struct userpoint){ .name = "both_shared", .object = objects[i] });

		assert_int_equal(places.count, 1);
		is_place(&places.items[0], TARGET("libtarget_other.so"), "both_shared");
		userpoint_clear(&places);
	}
	target_dir_make(&d);
	snprintf(link, sizeof(link), "%s/link", d.path);
	assert_int_equal(symlink(TARGET("libtarget_other.so"), link), 0);
	places = found(&by_pid, (struct userpoint){ .name = "both_shared", .object = link });
	is_place(&places.items[0], TARGET("libtarget_other.so"), "both_shared");
	userpoint_clear(&places);
	target_dir_remove(&d);
	refused(&by_pid, (struct userpoint){ .name = "both_shared", .object = "libtarget" }, -ENOENT,
		"\"libtarget\" is none of the files with code of process ");
	refused(&by_pid, (struct userpoint){ .name = "only_shared", .object = "libtarget_other.so" }, -ENOENT,
		"libtarget_other.so has no function \"only_shared\"");
	refused(&by_path, (struct userpoint){ .name = "main", .object = "libc.so" }, -ENOENT,
		"\"libc.so\" is none of the files with code: " TARGET("target_pie"));
}

static void addresses_are_those_of_the_program(void **state)
{
	struct userpoint_places places;
	char address[32];

	snprintf(address, sizeof(address), "0x%lx", (unsigned long)target_address(TARGET("target_pie"), "main"));
	places = found(&by_pid, (struct userpoint){ .name = address });
	is_place(&places.items[0], TARGET("target_pie"), "main");
	userpoint_clear(&places);
	refused(&by_pid, (struct userpoint){ .name = "0x10" }, -EINVAL, "is not in the code of " TARGET("target_pie"));
}

static void probes_have_places_and_semaphores(void **state)
{
	struct userpoint_places places = found(&probes_by_pid, (struct userpoint){
		.kind = USERPOINT_USDT, .provider = "net", .name = "packet", .args = { 1, 2 } });

	assert_int_equal(places.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(places.items[i].semaphore && places.items[i].offset);
		assert_int_equal(places.items[i].arg_count, 2);
		assert_int_equal(strncmp(places.items[i].args[1], "8@$", 3), 0);
		assert_int_equal(fcntl(places.items[i].fd, F_GETFD), FD_CLOEXEC);
	}
	assert_true(places.items[0].offset != places.items[1].offset);
	assert_int_equal(places.items[0].semaphore, places.items[1].semaphore);
	userpoint_clear(&places);
	places = found(&probes_by_pid, (struct userpoint){ .kind = USERPOINT_USDT, .name = "odd", .args = { 3 } });
	assert_string_equal(places.items[0].args[0], "-4@$-5");
	userpoint_clear(&places);
}

static void what_nothing_has_is_refused(void **state)
{
	refused(&by_pid, (struct userpoint){ .name = "target_functiom" }, -ENOENT,
		"has no function \"target_functiom\", nor has a library of it; there are \"target_function\"");
	refused(&by_path, (struct userpoint){ .name = "target_functiom" }, -ENOENT, "there are \"target_function\"");
	refused(&by_pid, (struct userpoint){ .name = "target_ifunc" }, -EOPNOTSUPP, "(IFUNC)");
	refused(&by_pid, (struct userpoint){ .name = "target_twin" }, -ENOTUNIQ, "2 functions of ");
	refused(&by_path, (struct userpoint){ .kind = USERPOINT_USDT, .name = "packet" }, -ENOENT,
		"has no USDT probes");
	refused(&probes_by_pid, (struct userpoint){ .kind = USERPOINT_USDT, .name = "pocket" }, -ENOENT,
		"has no USDT probe \"pocket\", nor has a library of it; there are \"packet\"");
	refused(&probes_by_pid, (struct userpoint){ .kind = USERPOINT_USDT, .name = "shared" }, -ENOTUNIQ,
		"\"net\", \"disk\"");
	refused(&probes_by_pid, (struct userpoint){ .kind = USERPOINT_USDT, .name = "packet", .args = { 3 } }, -EINVAL,
		"has 2 arguments, and argument 3");
	refused(&probes_by_pid, (struct userpoint){ .kind = USERPOINT_USDT, .name = "odd", .args = { 4 } }, -EINVAL,
		"floating-point");
}

static void a_process_without_symbols_is_said_to_be_so(void **state)
{
	struct usertarget t;
	struct target stripped;
	char why[USERTARGET_WHY];

	assert_true(target_start_in(&stripped, NULL, TARGET("target_anonymous"), "/libc."));
	assert_int_equal(usertarget_open_process(&t, stripped.pid, why, sizeof(why)), 0);
	refused(&t, (struct userpoint){ .name = "target_function" }, -ENOENT,
		TARGET("target_anonymous") " has no symbols of its functions: install its debug symbols, or give an "
		"address");
	usertarget_close(&t);
	target_end(&stripped);
}

static void files_that_are_none_are_refused(void **state)
{
	struct usertarget t;
	char why[USERTARGET_WHY];

	assert_int_equal(usertarget_open_file(&t, "/nonexistent", why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "/nonexistent cannot be opened: No such file or directory");
	assert_int_equal(usertarget_open_file(&t, "/etc/passwd", why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "/etc/passwd is no ELF file"));
	assert_int_equal(usertarget_open_process(&t, 4194305, why, sizeof(why)), -ESRCH);
}

static void a_debug_file_of_another_build_is_mentioned(void **state)
{
	struct usertarget t;
	struct target_dir d;
	char why[USERTARGET_WHY], path[128];

	target_dir_make(&d);
	target_dir_copy(&d, TARGET("target_stripped"), "program");
	target_dir_copy(&d, TARGET("target_fixed"), "target_stripped.debug");
	snprintf(path, sizeof(path), "%s/program", d.path);
	assert_int_equal(usertarget_open_file(&t, path, why, sizeof(why)), 0);
	refused(&t, (struct userpoint){ .name = "target_function" }, -ENOENT,
		"target_stripped.debug is of another build, and was not used");
	usertarget_close(&t);
	target_dir_copy(&d, TARGET("target_stripped.debug"), "target_stripped.debug");
	assert_int_equal(usertarget_open_file(&t, path, why, sizeof(why)), 0);
	struct userpoint_places places = found(&t, (struct userpoint){ .name = "target_function" });
	assert_int_equal(places.count, 1);
	userpoint_clear(&places);
	usertarget_close(&t);
	target_dir_remove(&d);
}

/* Two files that cannot be opened: a library that was replaced, and the code of a compiler at run time. */
static void libraries_that_cannot_be_opened_are_mentioned(void **state)
{
	static const char *const paths[] = { "/memfd:jit", "/usr/lib/libgone.so" };
	struct userpoint_places places;
	char why[USERTARGET_WHY] = "";
	struct usertarget t;

	assert_int_equal(usertarget_open_process(&t, running.pid, why, sizeof(why)), 0);
	assert_in_range(t.count, 3, 100);
	for (size_t i = 1; i < t.count; i++) {
		struct process_file *mapped = &t.process.files[i];

		free(t.files[i].path);
		free(mapped->path);
		t.files[i].path = strdup(paths[i > 1]);
		mapped->path = strdup(paths[i > 1]);
		mapped->is_deleted = true;
		mapped->start++; /* so that it is not found by its mapping */
	}
	assert_int_equal(userpoint_find(&t, &(struct userpoint){ .name = "only_shared" }, &places, why, sizeof(why)),
			 -ENOENT);
	assert_non_null(strstr(why, "; /usr/lib/libgone.so was replaced or deleted since process "));
	assert_null(strstr(why, "memfd"));
	usertarget_close(&t);
}

/* As in a container: its path begins at its own root. */
static void a_process_with_another_root(void **state)
{
	struct userpoint_places places;
	struct usertarget t;
	struct target_dir d;
	struct target alone;
	char why[USERTARGET_WHY];

	target_dir_make(&d);
	target_dir_copy(&d, TARGET("target_alone"), "opt/alone");
	if (!target_start_in(&alone, d.path, "/opt/alone", "/opt/alone")) {
		target_dir_remove(&d);
		print_message("[  SKIP    ] nobody may change the root directory here\n");
		skip();
	}
	assert_int_equal(usertarget_open_process(&t, alone.pid, why, sizeof(why)), 0);
	assert_string_equal(t.files[0].path, "/opt/alone");
	assert_string_equal(t.process.exe, "/opt/alone");
	places = found(&t, (struct userpoint){ .name = "alone_function" });
	assert_string_equal(places.items[0].path, "/opt/alone");
	userpoint_clear(&places);
	usertarget_close(&t);
	target_end(&alone);
	target_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_of_the_program),
		cmocka_unit_test(returns_have_the_arguments_of_the_entry),
		cmocka_unit_test(returns_are_of_whole_functions),
		cmocka_unit_test(functions_of_libraries),
		cmocka_unit_test(an_object_can_be_named),
		cmocka_unit_test(addresses_are_those_of_the_program),
		cmocka_unit_test(probes_have_places_and_semaphores),
		cmocka_unit_test(what_nothing_has_is_refused),
		cmocka_unit_test(a_process_without_symbols_is_said_to_be_so),
		cmocka_unit_test(files_that_are_none_are_refused),
		cmocka_unit_test(a_debug_file_of_another_build_is_mentioned),
		cmocka_unit_test(libraries_that_cannot_be_opened_are_mentioned),
		cmocka_unit_test(a_process_with_another_root),
	};

	return cmocka_run_group_tests(tests, start, end);
}
