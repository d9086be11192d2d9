/* SPDX-License-Identifier: BSD-2-Clause */
#include "profilepath.h"

#include <dirent.h>
#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
#include "daemon/nearest.h"
#include "exitcode.h"
#include "message.h"
#include "quote.h"

#define SYSTEM_DIRECTORY "/etc/netcapd/profiles"
#define VARIABLE         "NETCAP_PROFILES"
#define NEAREST          3

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static int out_of_memory(void)
{
	message("out of memory.");
	return EXITCODE_FAILED;
}

/* ---- places ---- */

/* Takes over the directory. NULL: out of memory. */
static int add_place(struct profilepath *path, char *directory, const char *origin)
{
	if (!directory)
		return -ENOMEM;
	if (path->count == PROFILEPATH_MOST)
		free(directory);
	else
		path->places[path->count++] = (struct profilepath_place){directory, origin};
	return 0;
}

/* What the environment says, in place of all others. */
static int add_given(struct profilepath *path, const char *list)
{
	char *copy = strdup(list), *rest = copy, *directory;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (directory = strsep(&rest, ":")))
		if (*directory)
			err = add_place(path, strdup(directory), "environment");
	free(copy);
	return err;
}

/* As the XDG Base Directory Specification has it: a relative path counts as none. */
static int add_user(struct profilepath *path)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *directory;

	if (config && *config == '/')
		return add_place(path, asprintf(&directory, "%s/netcap/profiles", config) < 0 ? NULL : directory,
				 "user");
	if (home && *home == '/')
		return add_place(path,
				 asprintf(&directory, "%s/.config/netcap/profiles", home) < 0 ? NULL : directory,
				 "user");
	return 0;
}

/* Beside this program in the build tree, or where they are installed. */
static int add_shipped(struct profilepath *path)
{
	char self[PATH_MAX], *directory;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	if (asprintf(&directory, "%s/profiles", self) < 0)
		return -ENOMEM;
	if (n > 0 && !access(directory, X_OK))
		return add_place(path, directory, "shipped");
	free(directory);
	return add_place(path, strdup(NETCAPD_DATADIR "/netcapd/profiles"), "shipped");
}

int profilepath_init(struct profilepath *path)
{
	bool secure = getauxval(AT_SECURE);
	const char *given = secure ? NULL : getenv(VARIABLE);
	int err;

	*path = (struct profilepath){0};
	if (given && *given)
		return add_given(path, given);
	err = secure ? 0 : add_user(path);
	if (!err)
		err = add_place(path, strdup(SYSTEM_DIRECTORY), "system");
	return err ? err : add_shipped(path);
}

void profilepath_clear(struct profilepath *path)
{
	for (size_t i = 0; i < path->count; i++)
		free(path->places[i].directory);
	*path = (struct profilepath){0};
}

char *profilepath_file(const struct profilepath *path, size_t place, const char *name)
{
	char *file;

	return asprintf(&file, "%s/%s" PROFILEPATH_SUFFIX, path->places[place].directory, name) < 0 ? NULL : file;
}

bool profilepath_is_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= PROFILEPATH_NAME_BYTES && strchr(LETTERS DIGITS, *name) &&
	       strspn(name, LETTERS DIGITS "._+-") == len;
}

/* ---- files ---- */

static int add_file(struct profilepath_files *files, const char *entry, size_t place)
{
	const size_t suffix = strlen(PROFILEPATH_SUFFIX), len = strlen(entry);
	struct profilepath_file *items;
	char *name;

	if (len <= suffix || strcmp(entry + len - suffix, PROFILEPATH_SUFFIX))
		return 0;
	name = strndup(entry, len - suffix);
	if (!name)
		return -ENOMEM;
	if (!profilepath_is_name(name)) {
		free(name);
		return 0;
	}
	items = realloc(files->items, (files->count + 1) * sizeof(*items));
	if (!items) {
		free(name);
		return -ENOMEM;
	}
	files->items = items;
	items[files->count++] = (struct profilepath_file){name, place};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct profilepath_file *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

int profilepath_list(const struct profilepath *path, struct profilepath_files *files)
{
	int err = 0;

	*files = (struct profilepath_files){0};
	for (size_t i = 0; !err && i < path->count; i++) {
		DIR *directory = opendir(path->places[i].directory);
		struct dirent *entry;

		while (directory && !err && (entry = readdir(directory)))
			err = add_file(files, entry->d_name, i);
		if (directory)
			closedir(directory);
	}
	if (files->count)
		qsort(files->items, files->count, sizeof(*files->items), compare);
	return err;
}

void profilepath_forget(struct profilepath_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->items[i].name);
	free(files->items);
	*files = (struct profilepath_files){0};
}

/* ---- one of them ---- */

/* "A, B and C" or with "or". */
static void join(char *text, size_t size, const char *const *words, size_t count, const char *last)
{
	size_t n = 0;

	*text = '\0';
	for (size_t i = 0; i < count && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%s%s%s", !i ? "" : i + 1 < count ? ", " : " ",
				      i && i + 1 == count ? last : "", i && i + 1 == count ? " " : "", words[i]);
}

static int complain_unknown(const struct profilepath *path, const char *name)
{
	const char *directories[PROFILEPATH_MOST];
	char near[NEAREST * (PROFILEPATH_NAME_BYTES + 8)], where[PROFILEPATH_MOST * 300];
	struct profilepath_files files;
	struct nearest best;

	nearest_init(&best, NEAREST);
	if (profilepath_list(path, &files)) {
		profilepath_forget(&files);
		return out_of_memory();
	}
	for (size_t i = 0; i < files.count; i++)
		if (!i || strcmp(files.items[i].name, files.items[i - 1].name))
			nearest_offer(&best, name, files.items[i].name);
	join(near, sizeof(near), best.names, best.count, "or");
	for (size_t i = 0; i < path->count; i++)
		directories[i] = path->places[i].directory;
	join(where, sizeof(where), directories, path->count, "and");
	message("there is no profile %s: %s%s%s%s" PROFILEPATH_SUFFIX " is looked for in %s.", name,
		best.count ? "did you mean " : "", near, best.count ? "? " : "", name, where);
	profilepath_forget(&files);
	return EXITCODE_FAILED;
}

static int complain(const char *file, unsigned line, const char *why, int err)
{
	if (err == -ENOMEM)
		return out_of_memory();
	if (line)
		message("the profile %s, line %u, cannot be used: %s.", file, line, why);
	else
		message("the profile %s cannot be used: %s.", file, *why ? why : strerror(-err));
	return EXITCODE_FAILED;
}

int profilepath_load(const struct profilepath *path, const char *name, struct profile *p, size_t *place)
{
	char why[600];
	struct quote q;
	unsigned line;

	*p = (struct profile){0};
	if (!profilepath_is_name(name)) {
		message("%s cannot be the name of a profile, which has letters, digits, \".\", \"_\", \"+\" and "
			"\"-\", %d at most, and begins with a letter or digit; netcapctl profile lists them.",
			quote_text(&q, name, strlen(name)), PROFILEPATH_NAME_BYTES);
		return EXITCODE_USAGE;
	}
	for (*place = 0; *place < path->count; (*place)++) {
		char *file = profilepath_file(path, *place, name);
		int err = file ? profile_read(p, file, &line, why, sizeof(why)) : -ENOMEM, code = EXITCODE_OK;

		if (err && err != -ENOENT && err != -ENOTDIR)
			code = complain(file, line, why, err);
		free(file);
		if (err != -ENOENT && err != -ENOTDIR)
			return code;
	}
	return complain_unknown(path, name);
}
