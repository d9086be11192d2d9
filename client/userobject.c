/* SPDX-License-Identifier: BSD-2-Clause */
#include "userobject.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base64.h"
#include "bpf/user_abi.h"
#include "compile.h"
#include "daemon/userbits.h"
#include "daemon/userelf.h"
#include "daemon/userlayout.h"
#include "exitcode.h"
#include "limitedrun.h"
#include "message.h"

/* A directory of this process's own, while it works. */
struct workshop {
	struct btfheader headers;
	char directory[PATH_MAX];
	char objects[2][PATH_MAX]; /* that were compiled */
	char linked[PATH_MAX];
};

static int open_workshop(struct workshop *w, const char *btf)
{
	if (btfheader_open(&w->headers, btf ? btf : BTFHEADER_KERNEL))
		return EXITCODE_FAILED;
	snprintf(w->directory, sizeof(w->directory), "%.*s/work-XXXXXX", PATH_MAX - 64, w->headers.directory);
	if (!mkdtemp(w->directory)) {
		message("no directory for the compiler can be made in %s: %s.", w->headers.directory, strerror(errno));
		return EXITCODE_FAILED;
	}
	snprintf(w->objects[0], PATH_MAX, "%.*s/1.o", PATH_MAX - 16, w->directory);
	snprintf(w->objects[1], PATH_MAX, "%.*s/2.o", PATH_MAX - 16, w->directory);
	snprintf(w->linked, PATH_MAX, "%.*s/linked.o", PATH_MAX - 16, w->directory);
	return EXITCODE_OK;
}

/* A compiler that was stopped leaves files of names of its own. */
static void close_workshop(struct workshop *w)
{
	DIR *d = *w->directory ? opendir(w->directory) : NULL;
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
	if (*w->directory)
		rmdir(w->directory);
}

/* ---- libbpf's words ---- */

static char said[512];

static int keep(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !*said) {
		vsnprintf(said, sizeof(said), format, args);
		said[strcspn(said, "\n")] = '\0';
	}
	return 0;
}

/* One object of several, without what the compiler leaves for debuggers. 0 or an exit code. */
static int link_objects(const char *const *paths, size_t count, const char *out)
{
	struct bpf_linker *linker;
	int err = 0;

	*said = '\0';
	libbpf_set_print(keep);
	linker = bpf_linker__new(out, NULL);
	if (!linker)
		err = -errno;
	for (size_t i = 0; !err && i < count; i++)
		err = bpf_linker__add_file(linker, paths[i], NULL);
	if (!err)
		err = bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	if (!err)
		return EXITCODE_OK;
	if (count > 1)
		message("%s and %s cannot be used together: %s%s%s.", paths[0], paths[1], strerror(-err),
			*said ? "; " : "", said);
	else
		message("%s cannot be linked: %s%s%s.", paths[0], strerror(-err), *said ? "; " : "", said);
	return EXITCODE_FAILED;
}

/* ---- what was compiled ---- */

/* most: bytes, of one that is as the compiler left it, or of one for the daemon. */
static int read_object(const char *path, size_t most, uint8_t **bytes, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	*len = 0;
	*bytes = malloc(most + 1);
	while (fd >= 0 && *bytes && *len <= most && (n = read(fd, *bytes + *len, most + 1 - *len)) > 0)
		*len += n;
	if (fd >= 0)
		close(fd);
	if (fd < 0 || !*bytes || n < 0) {
		message("%s cannot be read: %s.", path, strerror(errno));
		return EXITCODE_FAILED;
	}
	if (*len <= most)
		return EXITCODE_OK;
	message("%s has more than %zu bytes, the most that the daemon takes: use fewer of the kernel's types.", path,
		most);
	return EXITCODE_FAILED;
}

static int check_types(const struct compile *c, const char *object, const struct userelf *elf, char *why, size_t size)
{
	struct userlayout *layout = calloc(1, sizeof(*layout));
	struct btf *btf = btf__parse_elf(object, NULL);
	struct strpool strings = {0};
	int err = layout && btf ? 0 : -ENOMEM;

	if (!err)
		err = userbits_check(btf, elf->ext, elf->ext_bytes, why, size);
	if (!err && c->action)
		err = userlayout_make(btf, "netcap_user_action", elf->formats, layout, &strings, why, size);
	strpool_clear(&strings);
	btf__free(btf);
	free(layout);
	return err;
}

/* The daemon would say it, too, but only when the object is used. */
static int check_object(const struct compile *c, const char *object)
{
	struct userelf elf = {0};
	char why[512] = "out of memory";
	uint8_t *bytes;
	size_t len, path = strlen(c->path);
	int code = read_object(object, LIMITEDRUN_FILE, &bytes, &len), err;

	if (code == EXITCODE_OK) {
		err = userelf_read(bytes, len, &elf, why, sizeof(why));
		if (!err)
			err = check_types(c, object, &elf, why, sizeof(why));
		if (err && !strncmp(why, c->path, path) && why[path] == ':')
			message("%s.", why);
		else if (err)
			message("%s: %s.", c->path, why);
		code = err ? EXITCODE_FAILED : EXITCODE_OK;
	}
	userelf_clear(&elf);
	free(bytes);
	return code;
}

/* ---- files ---- */

static bool is_object(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char magic[4] = "";
	bool is = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && !memcmp(magic, ELFMAG, SELFMAG);

	if (fd >= 0)
		close(fd);
	return is;
}

static int compile_to(struct workshop *w, const char *path, const struct compile_wish *wish, const char *object,
		      FILE *show)
{
	struct compile c;
	int code = compile_open(&c, path, wish);

	if (code == EXITCODE_OK && show)
		compile_show(&c, show);
	if (code == EXITCODE_OK)
		code = compile_run(&c, &w->headers, object);
	if (code == EXITCODE_OK)
		code = check_object(&c, object);
	compile_clear(&c);
	return code;
}

static int put_into_spec(struct spec *spec, const char *path)
{
	uint8_t *bytes;
	size_t len;
	int code = read_object(path, NETCAP_USER_OBJECT, &bytes, &len);

	if (code == EXITCODE_OK) {
		free(spec->user_code);
		spec->user_code = base64_encode(bytes, len);
		if (!spec->user_code) {
			message("out of memory.");
			code = EXITCODE_FAILED;
		}
	}
	free(bytes);
	return code;
}

/* The object of one file: the file itself, or what is compiled. */
static int make_one(struct workshop *w, const char *path, const struct compile_wish *wish, size_t *count,
		    const char *objects[2], FILE *show)
{
	int code;

	if (is_object(path)) {
		objects[(*count)++] = path;
		return EXITCODE_OK;
	}
	if (!*w->directory) {
		code = open_workshop(w, NULL);
		if (code != EXITCODE_OK)
			return code;
	}
	code = compile_to(w, path, wish, w->objects[*count], show);
	if (code == EXITCODE_OK) {
		objects[*count] = w->objects[*count];
		(*count)++;
	}
	return code;
}

static int make_all(struct workshop *w, const struct options *o, const char *objects[2], size_t *count, FILE *show)
{
	bool same = o->user_filter && o->user_action && !strcmp(o->user_filter, o->user_action);
	int code = EXITCODE_OK;

	if (o->user_filter)
		code = make_one(w, o->user_filter, &(struct compile_wish){true, same}, count, objects, show);
	if (code == EXITCODE_OK && o->user_action && !same)
		code = make_one(w, o->user_action, &(struct compile_wish){false, true}, count, objects, show);
	return code;
}

int userobject_make(struct options *o, FILE *show)
{
	struct workshop w = {.directory = ""};
	const char *objects[2];
	size_t count = 0;
	int code;

	if (!o->user_filter && !o->user_action)
		return EXITCODE_OK;
	code = make_all(&w, o, objects, &count, show);
	/* objects that are as they came need no linker, and no directory */
	if (code == EXITCODE_OK && (count > 1 || *w.directory)) {
		if (!*w.directory)
			code = open_workshop(&w, NULL);
		if (code == EXITCODE_OK)
			code = link_objects(objects, count, w.linked);
		objects[0] = w.linked;
	}
	if (code == EXITCODE_OK)
		code = put_into_spec(&o->spec, objects[0]);
	close_workshop(&w);
	o->spec.user_filter = o->user_filter != NULL;
	o->spec.user_action = o->user_action != NULL;
	return code;
}

/* So that no half of an object is left where somebody looks for it. */
static int move_to(const char *from, const char *out)
{
	char temporary[PATH_MAX];
	uint8_t *bytes;
	size_t len;
	int code = read_object(from, NETCAP_USER_OBJECT, &bytes, &len), fd = -1;

	if (code == EXITCODE_OK) {
		snprintf(temporary, sizeof(temporary), "%.*s.XXXXXX", PATH_MAX - 16, out);
		fd = mkostemp(temporary, O_CLOEXEC);
		if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fchmod(fd, 0644) || rename(temporary, out)) {
			message("%s cannot be written: %s.", out, strerror(errno));
			code = EXITCODE_FAILED;
		}
		if (fd >= 0)
			close(fd);
		if (fd >= 0 && code != EXITCODE_OK)
			unlink(temporary);
	}
	free(bytes);
	return code;
}

/* What is there is replaced: a device, a pipe or a link would be lost, and so would the source. */
static int check_out(const char *source, const char *out)
{
	struct stat to, from;

	if (lstat(out, &to))
		return EXITCODE_OK; /* nothing is there, or move_to() says what is wrong */
	if (!S_ISREG(to.st_mode)) {
		message("%s is no regular file: -o replaces files only.", out);
		return EXITCODE_FAILED;
	}
	if (!stat(source, &from) && from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
		message("%s is the source itself, which -o would replace: give the object another name.", out);
		return EXITCODE_FAILED;
	}
	return EXITCODE_OK;
}

int userobject_compile(const char *source, const char *out, const char *btf)
{
	struct workshop w = {.directory = ""};
	const char *object = w.objects[0];
	int code = check_out(source, out);

	if (code != EXITCODE_OK)
		return code;
	code = open_workshop(&w, btf);
	if (code == EXITCODE_OK)
		code = compile_to(&w, source, &(struct compile_wish){false, false}, w.objects[0], NULL);
	if (code == EXITCODE_OK)
		code = link_objects(&object, 1, w.linked);
	if (code == EXITCODE_OK)
		code = move_to(w.linked, out);
	close_workshop(&w);
	return code;
}
