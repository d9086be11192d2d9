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

#include <sys/stat.h>
#include <unistd.h>
#include "exitcode.h"
#include "profilepath.h"

static char top[] = "/tmp/netcap-profiles-XXXXXX";

static void make_directory(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void make_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int make_places(void **state)
{
	char list[512];

	assert_non_null(mkdtemp(top));
	make_directory("first");
	make_directory("second");
	make_file("first/both.profile", "# of the first\nip_rcv\n");
	make_file("second/both.profile", "# of the second\nip_rcv\n");
	make_file("second/alone.profile", "ip_rcv\n");
	make_file("second/damaged.profile", "ip_rcv\nip rcv\n");
	make_file("second/README", "no profile\n");
	make_file("second/.hidden.profile", "ip_rcv\n");
	make_file("second/not this.profile", "ip_rcv\n");
	make_file("second/.profile", "ip_rcv\n");
	snprintf(list, sizeof(list), "%s/first:%s/missing::%s/second", top, top, top);
	return setenv("NETCAP_PROFILES", list, 1);
}

static int remove_places(void **state)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

static void the_environment_says_where(void **state)
{
	struct profilepath path;
	char second[256];

	snprintf(second, sizeof(second), "%s/second", top);
	assert_int_equal(profilepath_init(&path), 0);
	assert_int_equal(path.count, 3);
	assert_string_equal(path.places[2].directory, second);
	assert_string_equal(path.places[2].origin, "environment");
	profilepath_clear(&path);
}

static void without_it_there_are_three_places(void **state)
{
	char *list = strdup(getenv("NETCAP_PROFILES"));
	struct profilepath path;

	unsetenv("NETCAP_PROFILES");
	setenv("XDG_CONFIG_HOME", "/x", 1);
	setenv("HOME", "/h", 1);
	assert_int_equal(profilepath_init(&path), 0);
	assert_int_equal(path.count, 3);
	assert_string_equal(path.places[0].directory, "/x/netcap/profiles");
	assert_string_equal(path.places[0].origin, "user");
	assert_string_equal(path.places[1].directory, "/etc/netcapd/profiles");
	assert_string_equal(path.places[1].origin, "system");
	assert_string_equal(path.places[2].origin, "shipped");
	profilepath_clear(&path);
	setenv("XDG_CONFIG_HOME", "relative", 1);
	assert_int_equal(profilepath_init(&path), 0);
	assert_string_equal(path.places[0].directory, "/h/.config/netcap/profiles");
	profilepath_clear(&path);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	assert_int_equal(profilepath_init(&path), 0);
	assert_int_equal(path.count, 2);
	profilepath_clear(&path);
	setenv("NETCAP_PROFILES", list, 1);
	free(list);
}

static void names_are_never_paths(void **state)
{
	static const char *const good[] = {"rx-ipv4", "a", "0", "A.b_c+d-e"};
	static const char *const bad[] = {"",   ".",   "..",  ".a", "-a",        "a/b", "../a",
					  "/a", "a b", "a\n", "a@", "\xc3\xa4", "a~"};
	char name[PROFILEPATH_NAME_BYTES + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(profilepath_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (profilepath_is_name(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	memset(name, 'a', sizeof(name));
	name[PROFILEPATH_NAME_BYTES + 1] = '\0';
	assert_false(profilepath_is_name(name));
	name[PROFILEPATH_NAME_BYTES] = '\0';
	assert_true(profilepath_is_name(name));
}

static void files_are_listed_by_name_and_place(void **state)
{
	static const char *const due[] = {"alone", "both", "both", "damaged"};
	static const size_t places[] = {2, 0, 2, 2};
	struct profilepath_files files;
	struct profilepath path;

	assert_int_equal(profilepath_init(&path), 0);
	assert_int_equal(profilepath_list(&path, &files), 0);
	assert_int_equal(files.count, 4);
	for (size_t i = 0; i < files.count; i++) {
		assert_string_equal(files.items[i].name, due[i]);
		assert_int_equal(files.items[i].place, places[i]);
	}
	profilepath_forget(&files);
	profilepath_clear(&path);
}

static int load(const char *name, struct profile *p, size_t *place)
{
	struct profilepath path;
	int code;

	assert_int_equal(profilepath_init(&path), 0);
	code = profilepath_load(&path, name, p, place);
	profilepath_clear(&path);
	return code;
}

static void the_first_place_wins(void **state)
{
	struct profile p;
	size_t place;

	assert_int_equal(load("both", &p, &place), EXITCODE_OK);
	assert_string_equal(p.description, "of the first");
	assert_int_equal(place, 0);
	profile_clear(&p);
	assert_int_equal(load("alone", &p, &place), EXITCODE_OK);
	assert_int_equal(place, 2);
	profile_clear(&p);
}

static void what_cannot_be_used_is_refused(void **state)
{
	struct profile p;
	size_t place;

	assert_int_equal(load("damaged", &p, &place), EXITCODE_FAILED);
	profile_clear(&p);
	assert_int_equal(load("nosuch", &p, &place), EXITCODE_FAILED);
	profile_clear(&p);
	assert_int_equal(load("../second/both", &p, &place), EXITCODE_USAGE);
	profile_clear(&p);
}

/* One that hides another and is damaged is an error, and not the other one. */
static void a_damaged_file_hides_too(void **state)
{
	struct profile p;
	size_t place;

	make_file("first/alone.profile", "\n");
	assert_int_equal(load("alone", &p, &place), EXITCODE_FAILED);
	profile_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_says_where),
		cmocka_unit_test(without_it_there_are_three_places),
		cmocka_unit_test(names_are_never_paths),
		cmocka_unit_test(files_are_listed_by_name_and_place),
		cmocka_unit_test(the_first_place_wins),
		cmocka_unit_test(what_cannot_be_used_is_refused),
		cmocka_unit_test(a_damaged_file_hides_too),
	};

	return cmocka_run_group_tests(tests, make_places, remove_places);
}
