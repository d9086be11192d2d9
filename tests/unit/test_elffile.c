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
#include <sys/stat.h>
#include <unistd.h>
#include "elffile.h"
#include "target.h"

static void addresses_are_where_the_loader_puts_them(void **state)
{
	static const char *const paths[] = { TARGET("target_pie"), TARGET("target_fixed"),
					     TARGET("libtarget_shared.so") };
	static const char *const names[] = { "target_function", "target_function", "both_shared" };

	for (size_t i = 0; i < 3; i++) {
		uint64_t address = target_address(paths[i], names[i]), offset, again;
		uint8_t code[4];
		struct elffile f;

		target_open(&f, paths[i]);
		assert_true(elffile_offset(&f, address, true, &offset));
		assert_true(elffile_offset(&f, address, false, &again) && again == offset);
		assert_int_equal(pread(f.fd, code, sizeof(code), (off_t)offset), sizeof(code));
		assert_true(offset < f.size && memcmp(code, "\0\0\0\0", 4));
		assert_false(elffile_offset(&f, 0xffffffffffffff00, false, &offset));
		assert_false(elffile_offset(&f, address + (1 << 30), true, &offset));
		elffile_close(&f);
	}
}

static void data_is_not_code(void **state)
{
	uint64_t address = target_address(TARGET("target_pie"), "target_data"), offset;
	struct elffile f;
	int value = 0;

	target_open(&f, TARGET("target_pie"));
	assert_false(elffile_offset(&f, address, true, &offset));
	assert_true(elffile_offset(&f, address, false, &offset));
	assert_int_equal(pread(f.fd, &value, sizeof(value), (off_t)offset), sizeof(value));
	assert_int_equal(value, 7);
	elffile_close(&f);
}

static void sections_are_found(void **state)
{
	struct elffile_bytes b;
	struct elffile f;
	size_t len;

	target_open(&f, TARGET("target_pie"));
	assert_true(elffile_section(&f, ".text", &b) && b.size > 0 && b.address > 0);
	assert_false(elffile_section(&f, ".bss", &b)); /* has no bytes in the file */
	assert_false(elffile_section(&f, ".nothing", &b));
	assert_non_null(elffile_build_id(&f, &len));
	assert_int_equal(len, 20);
	elffile_close(&f);
	target_open(&f, TARGET("target_fixed"));
	assert_null(elffile_build_id(&f, &len));
	elffile_close(&f);
}

/* Each is target_pie with some bytes changed. */
static void other_files_are_refused_in_a_sentence(void **state)
{
	static const struct {
		int64_t offset;
		const char *bytes;
		size_t len;
		const char *why;
	} cases[] = {
		{ 0, "#!/b", 4, "is no ELF file: give a program" },
		{ EI_CLASS, "\x01", 1, "is a 32-bit program" },
		{ EI_CLASS, "\x03", 1, "is no ELF file" },
		{ EI_DATA, "\x02", 1, "is for another machine" },
		{ offsetof(Elf64_Ehdr, e_machine), "\xb7\x00", 2, "is for another machine (ELF number 183)" },
		{ offsetof(Elf64_Ehdr, e_type), "\x01\x00", 2, "neither a program nor a shared object (ELF type 1)" },
		{ offsetof(Elf64_Ehdr, e_type), "\x04\x00", 2, "neither a program nor a shared object (ELF type 4)" },
		{ offsetof(Elf64_Ehdr, e_phnum), "\x00\x00", 2, "has no part that is loaded" },
		{ offsetof(Elf64_Ehdr, e_phoff), "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "has no part that is loaded" },
	};
	struct target_dir d;
	struct elffile f;
	char path[128], why[512];

	target_dir_make(&d);
	snprintf(path, sizeof(path), "%s/changed", d.path);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		target_dir_copy(&d, TARGET("target_pie"), "changed");
		target_dir_patch(&d, "changed", cases[i].offset, cases[i].bytes, cases[i].len);
		assert_int_equal(elffile_open(&f, -1, path, why, sizeof(why)), -EINVAL);
		if (!strstr(why, cases[i].why) || strncmp(why, path, strlen(path)))
			fail_msg("case %zu: %s", i, why);
		assert_int_equal(f.fd, -1);
	}
	target_dir_remove(&d);
}

static void files_with_data_for_others_need_not_be_programs(void **state)
{
	struct target_dir d;
	struct elffile f;
	char why[512];

	target_dir_make(&d);
	target_dir_copy(&d, TARGET("target_pie"), "changed");
	target_dir_patch(&d, "changed", offsetof(Elf64_Ehdr, e_type), "\x01", 1); /* as those of dwz(1) */
	assert_int_equal(elffile_open(&f, d.fd, "/changed", why, sizeof(why)), -EINVAL);
	assert_int_equal(elffile_open_data(&f, d.fd, "/changed", why, sizeof(why)), 0);
	elffile_close(&f);
	target_dir_patch(&d, "changed", EI_CLASS, "\x01", 1);
	assert_int_equal(elffile_open_data(&f, d.fd, "/changed", why, sizeof(why)), -EINVAL);
	target_dir_remove(&d);
}

static void what_is_no_file_is_refused(void **state)
{
	struct target_dir d;
	struct elffile f;
	char path[128], why[512];

	target_dir_make(&d);
	assert_int_equal(elffile_open(&f, -1, d.path, why, sizeof(why)), -EISDIR);
	assert_non_null(strstr(why, "Is a directory"));
	snprintf(path, sizeof(path), "%s/pipe", d.path);
	assert_int_equal(elffile_open(&f, -1, path, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "No such file"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(elffile_open(&f, -1, path, why, sizeof(why)), -EINVAL); /* and does not wait */
	assert_non_null(strstr(why, "is no regular file"));
	unlink(path);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(elffile_open(&f, -1, path, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "is no ELF file"));
	target_dir_remove(&d);
}

static void links_do_not_lead_out_of_a_root(void **state)
{
	struct target_dir d;
	struct elffile f;
	char why[512];
	int fd;

	target_dir_make(&d);
	target_dir_copy(&d, TARGET("target_pie"), "usr/bin/program");
	assert_int_equal(symlinkat("/usr/bin/program", d.fd, "link"), 0);
	assert_int_equal(symlinkat("../../../../etc/passwd", d.fd, "outside"), 0);
	assert_int_equal(elffile_open(&f, d.fd, "/link", why, sizeof(why)), 0);
	assert_string_equal(f.path, "/link");
	elffile_close(&f);
	fd = elffile_open_path(d.fd, "/outside");
	assert_int_equal(fd, -ENOENT);
	target_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_where_the_loader_puts_them),
		cmocka_unit_test(data_is_not_code),
		cmocka_unit_test(sections_are_found),
		cmocka_unit_test(other_files_are_refused_in_a_sentence),
		cmocka_unit_test(files_with_data_for_others_need_not_be_programs),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(links_do_not_lead_out_of_a_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
