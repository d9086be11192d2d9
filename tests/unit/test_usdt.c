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

#include <unistd.h>
#include "target.h"
#include "usdt.h"

static struct usdt_places places;

static int find(struct elffile *f, const char *provider, const char *name, char *why, size_t size)
{
	why[0] = '\0';
	return usdt_find(f, provider, name, &places, why, size);
}

static uint8_t byte_at(const struct elffile *f, uint64_t offset)
{
	uint8_t byte = 0;

	assert_int_equal(pread(f->fd, &byte, 1, (off_t)offset), 1);
	return byte;
}

static void all_places_of_a_probe_are_found(void **state)
{
	static const struct {
		const char *provider, *name;
		size_t count;
	} cases[] = { { "net", "packet", 2 }, { NULL, "packet", 2 }, { "net", "twice", 2 }, { "net", "shared", 1 },
		      { "disk", "shared", 1 }, { NULL, "odd", 1 } };
	struct elffile f;
	char why[512];

	target_open(&f, TARGET("target_probes"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(find(&f, cases[i].provider, cases[i].name, why, sizeof(why)), 0);
		assert_int_equal(places.count, cases[i].count);
		for (size_t j = 0; j < places.count; j++) {
			assert_int_equal(byte_at(&f, places.items[j].offset), 0x90); /* nop */
			assert_true(places.items[j].semaphore);
			assert_int_equal(byte_at(&f, places.items[j].semaphore), 0);
		}
	}
	elffile_close(&f);
}

static void semaphores_are_the_programs_variables(void **state)
{
	uint64_t address = target_address(TARGET("target_probes"), "net_packet_semaphore"), offset;
	struct elffile f;
	char why[512];

	target_open(&f, TARGET("target_probes"));
	assert_true(elffile_offset(&f, address, false, &offset));
	assert_int_equal(find(&f, "net", "packet", why, sizeof(why)), 0);
	assert_int_equal(places.items[0].semaphore, offset);
	assert_int_equal(places.items[1].semaphore, offset);
	elffile_close(&f);
}

static void arguments_are_those_of_each_place(void **state)
{
	char text[SDTARG_TEXT_BYTES], why[512];
	struct sdtarg pointer, length;
	struct elffile f;
	bool seen[2] = { false };

	target_open(&f, TARGET("target_probes"));
	assert_int_equal(find(&f, "net", "packet", why, sizeof(why)), 0);
	for (size_t i = 0; i < places.count; i++) {
		assert_int_equal(usdt_argument(&places.items[i], 1, text, why, sizeof(why)), 0);
		assert_int_equal(sdtarg_parse(text, &pointer, why, sizeof(why)), 0);
		assert_true(pointer.size == 8 && pointer.kind != SDTARG_CONSTANT);
		assert_int_equal(usdt_argument(&places.items[i], 2, text, why, sizeof(why)), 0);
		assert_int_equal(sdtarg_parse(text, &length, why, sizeof(why)), 0);
		assert_int_equal(length.kind, SDTARG_CONSTANT);
		seen[length.offset == 64] = true;
		assert_true(length.offset == 8 || length.offset == 64);
	}
	assert_true(seen[0] && seen[1]);
	elffile_close(&f);
}

static void arguments_of_unusual_forms(void **state)
{
	char text[SDTARG_TEXT_BYTES], why[512];
	struct sdtarg a;
	struct elffile f;

	target_open(&f, TARGET("target_probes"));
	assert_int_equal(find(&f, "net", "odd", why, sizeof(why)), 0);
	assert_int_equal(usdt_argument(&places.items[0], 1, text, why, sizeof(why)), 0);
	assert_int_equal(sdtarg_parse(text, &a, why, sizeof(why)), 0);
	assert_true(a.size == 2 && a.is_signed && a.kind == SDTARG_MEMORY);
	assert_int_equal(usdt_argument(&places.items[0], 2, text, why, sizeof(why)), 0);
	assert_int_equal(sdtarg_parse(text, &a, why, sizeof(why)), 0);
	assert_true(a.size == 1 && a.is_signed);
	assert_int_equal(usdt_argument(&places.items[0], 3, text, why, sizeof(why)), 0);
	assert_string_equal(text, "-4@$-5");
	assert_int_equal(usdt_argument(&places.items[0], 4, text, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "is a floating-point number"));
	assert_int_equal(usdt_argument(&places.items[0], 5, text, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "the USDT probe \"odd\" has 4 arguments, and argument 5 is asked for"));
	assert_int_equal(find(&f, "net", "none", why, sizeof(why)), 0);
	assert_int_equal(usdt_argument(&places.items[0], 1, text, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "has 0 arguments"));
	elffile_close(&f);
}

static void long_arguments_are_refused(void **state)
{
	struct usdt_place place = { .name = "long", .args = "8@%rax  4@a_symbol_of_a_hostile_program_that_is_much_"
							     "longer_than_any_other(%rip) 8@%rbx " };
	char text[SDTARG_TEXT_BYTES], why[512];

	assert_int_equal(usdt_argument(&place, 1, text, why, sizeof(why)), 0);
	assert_int_equal(usdt_argument(&place, 2, text, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "argument 2 of the USDT probe \"long\" is longer"));
	assert_int_equal(usdt_argument(&place, 3, text, why, sizeof(why)), 0);
	assert_string_equal(text, "8@%rbx");
	assert_int_equal(usdt_argument(&place, 4, text, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "has 3 arguments"));
}

static void what_is_not_found_is_said_in_a_sentence(void **state)
{
	struct elffile f;
	char why[512];

	target_open(&f, TARGET("target_probes"));
	assert_int_equal(find(&f, NULL, "shared", why, sizeof(why)), -ENOTUNIQ);
	assert_non_null(strstr(why, "have the USDT probe \"shared\": \"net\", \"disk\"; give one, as in "
				    "usdt:PROVIDER:PROBE"));
	assert_int_equal(find(&f, "disk", "packet", why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "has no USDT probe \"packet\" of provider \"disk\"; there are \"packet\""));
	assert_int_equal(find(&f, NULL, "packets", why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "has no USDT probe \"packets\"; there are \"packet\""));
	elffile_close(&f);
	target_open(&f, TARGET("target_pie"));
	assert_int_equal(find(&f, NULL, "packet", why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "target_pie has no USDT probes"));
	elffile_close(&f);
}

/* ---- damaged and moved notes: of a copy in memory ---- */

static Elf_Data *notes(struct elffile *f)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	assert_int_equal(elf_getshdrstrndx(f->elf, &names), 0);
	while ((section = elf_nextscn(f->elf, section)))
		if (gelf_getshdr(section, &header) &&
		    !strcmp(elf_strptr(f->elf, names, header.sh_name), ".note.stapsdt"))
			return elf_getdata(section, NULL);
	fail();
	return NULL;
}

static bool count_one(void *arg, const struct usdt_place *place)
{
	++*(size_t *)arg;
	return false;
}

#define NOTE_HEADER 20 /* with the owner */

static size_t count_with(size_t at, const void *bytes, size_t len)
{
	struct elffile f;
	size_t count = 0;
	Elf_Data *data;

	target_open(&f, TARGET("target_probes"));
	data = notes(&f);
	assert_in_range(at + len, 0, data->d_size);
	memcpy((uint8_t *)data->d_buf + at, bytes, len);
	usdt_each(&f, count_one, &count);
	elffile_close(&f);
	return count;
}

static void damaged_notes_are_left_out(void **state)
{
	static const uint64_t nowhere = 0xffffffff00000000;
	uint64_t data = target_address(TARGET("target_probes"), "net_packet_semaphore");

	assert_int_equal(count_with(0, "", 0), 8);
	assert_int_equal(count_with(0, "\x08\0\0\0\xff\xff\xff\xff", 8), 0); /* longer than the section */
	assert_int_equal(count_with(4, "\x08\0\0\0", 4), 0);		     /* the next is read in its middle */
	assert_int_equal(count_with(8, "\x04\0\0\0", 4), 7);		     /* another type */
	assert_int_equal(count_with(12, "Stapsdt", 7), 7);
	assert_int_equal(count_with(NOTE_HEADER, &nowhere, 8), 7);
	assert_int_equal(count_with(NOTE_HEADER, &data, 8), 7); /* not code */
	assert_int_equal(count_with(NOTE_HEADER + 16, &nowhere, 8), 7);
	assert_int_equal(count_with(NOTE_HEADER + 24, "\0", 1), 7); /* no provider */
	assert_int_equal(count_with(NOTE_HEADER + 28, "\0", 1), 7); /* no name */
}

static void prelinked_notes_are_adjusted(void **state)
{
	struct usdt_place before;
	struct elffile f;
	uint64_t *addresses;
	char why[512];

	target_open(&f, TARGET("target_probes"));
	assert_int_equal(find(&f, "net", "odd", why, sizeof(why)), 0);
	before = places.items[0];
	/* as if all had been linked 64 KiB lower; the addresses stand in front of the texts */
	addresses = (uint64_t *)(uintptr_t)(before.provider - 24);
	for (int i = 0; i < 3; i++)
		addresses[i] -= 0x10000;
	assert_int_equal(find(&f, "net", "odd", why, sizeof(why)), 0);
	assert_int_equal(places.items[0].offset, before.offset);
	assert_int_equal(places.items[0].semaphore, before.semaphore);
	addresses[2] = 0; /* none stays none */
	assert_int_equal(find(&f, "net", "odd", why, sizeof(why)), 0);
	assert_int_equal(places.items[0].semaphore, 0);
	elffile_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_places_of_a_probe_are_found),
		cmocka_unit_test(semaphores_are_the_programs_variables),
		cmocka_unit_test(arguments_are_those_of_each_place),
		cmocka_unit_test(arguments_of_unusual_forms),
		cmocka_unit_test(long_arguments_are_refused),
		cmocka_unit_test(what_is_not_found_is_said_in_a_sentence),
		cmocka_unit_test(damaged_notes_are_left_out),
		cmocka_unit_test(prelinked_notes_are_adjusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
