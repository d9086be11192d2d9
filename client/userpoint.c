/* SPDX-License-Identifier: BSD-2-Clause */
#include "userpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfsymbol.h"
#include "quote.h"
#include "usdt.h"

#define LISTED	8 /* files in a sentence */
#define NEAREST 3

static int __attribute__((format(printf, 4, 5))) refuse(int err, char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return err;
}

static void __attribute__((format(printf, 3, 4))) append(char *why, size_t size, const char *format, ...)
{
	size_t n = strnlen(why, size);
	va_list args;

	va_start(args, format);
	vsnprintf(why + n, size - n, format, args);
	va_end(args);
}

/* ---- places ---- */

static struct userpoint_place *add_place(struct userpoint_places *places, const struct usertarget_file *file)
{
	struct userpoint_place *items = reallocarray(places->items, places->count + 1, sizeof(*items)), *p;

	if (!items)
		return NULL;
	places->items = items;
	p = &items[places->count];
	*p = (struct userpoint_place){ .fd = fcntl(file->elf.fd, F_DUPFD_CLOEXEC, 3), .path = strdup(file->path) };
	places->count++;
	return p->fd >= 0 && p->path ? p : NULL;
}

void userpoint_clear(struct userpoint_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		if (places->items[i].fd >= 0)
			close(places->items[i].fd);
		free(places->items[i].path);
	}
	free(places->items);
	*places = (struct userpoint_places){ 0 };
}

static int add_function(const struct userpoint *point, const struct usertarget_file *file,
			const struct elfsymbol *symbol, struct userpoint_places *places, char *why, size_t size)
{
	struct userpoint_place *p = add_place(places, file);

	if (!p)
		return refuse(-ENOMEM, why, size, "out of memory or of file descriptors");
	p->offset = symbol->offset;
	p->is_return = point->kind == USERPOINT_RETURN;
	while (p->arg_count < USERPOINT_ARGS && point->args[p->arg_count]) {
		sdtarg_of_function(point->args[p->arg_count], p->args[p->arg_count]);
		p->arg_count++;
	}
	return 0;
}

static int add_usdt(const struct userpoint *point, const struct usertarget_file *file, const struct usdt_places *found,
		    struct userpoint_places *places, char *why, size_t size)
{
	int err = 0;

	for (size_t i = 0; !err && i < found->count; i++) {
		struct userpoint_place *p = add_place(places, file);

		if (!p)
			return refuse(-ENOMEM, why, size, "out of memory or of file descriptors");
		p->offset = found->items[i].offset;
		p->semaphore = found->items[i].semaphore;
		while (!err && p->arg_count < USERPOINT_ARGS && point->args[p->arg_count]) {
			err = usdt_argument(&found->items[i], point->args[p->arg_count], p->args[p->arg_count], why,
					    size);
			p->arg_count++;
		}
	}
	return err;
}

/* ---- one file ---- */

/*
 * The kernel takes what is on top of the stack for the return address, and puts another one there. In the middle of a
 * function that is something else, and the process would go on with a wrong value.
 */
static int check_return(const struct userpoint *point, const struct elfsymbol *symbol, char *why, size_t size)
{
	struct quote q;

	if (point->kind != USERPOINT_RETURN || !symbol->into)
		return 0;
	return refuse(-EINVAL, why, size, "%s is in the middle of a function, and its return is found only from where it begins: "
		      "give its name alone", quote_text(&q, point->name, strlen(point->name)));
}

/* -ENOENT: it is not in this file. Places that were added before an error stay for the caller to clear. */
static int find_in(struct usertarget *t, struct usertarget_file *file, const struct userpoint *point,
		   struct userpoint_places *places, char *why, size_t size)
{
	const struct elffile *debug = usertarget_debug(t, file);
	struct usdt_places *found;
	struct elfsymbol symbol;
	int err;

	if (point->kind != USERPOINT_USDT) {
		err = elfsymbol_find(&file->elf, debug, point->name, &symbol, why, size);
		if (err == -ENOENT && file->debug_note[0])
			append(why, size, "; %s", file->debug_note);
		if (!err)
			err = check_return(point, &symbol, why, size);
		return err ? err : add_function(point, file, &symbol, places, why, size);
	}
	found = malloc(sizeof(*found));
	if (!found)
		return refuse(-ENOMEM, why, size, "out of memory");
	err = usdt_find(&file->elf, point->provider, point->name, found, why, size);
	if (!err)
		err = add_usdt(point, file, found, places, why, size);
	free(found);
	return err;
}

/* ---- which file ---- */

/* What a path leads to, in the root directory of the target; 0: nothing. */
static ino_t inode_of(const struct usertarget *t, const char *path)
{
	int fd = elffile_open_path(t->process.root, path);
	struct stat st = { .st_ino = 0 };

	if (fd < 0)
		return 0;
	if (fstat(fd, &st))
		st.st_ino = 0;
	close(fd);
	return st.st_ino;
}

/* inode: that of object, if it is a path, which may be one of symbolic links. */
static bool is_named(const struct usertarget_file *file, const char *object, ino_t inode)
{
	const char *slash = strrchr(file->path, '/'), *base = slash ? slash + 1 : file->path;
	size_t len = strlen(object);
	struct stat st;

	if (!strcmp(file->path, object))
		return true;
	if (strchr(object, '/'))
		return inode && (file->mapped ? file->mapped->inode == inode :
				 !fstat(file->elf.fd, &st) && st.st_ino == inode);
	return !strncmp(base, object, len) && (!base[len] || base[len] == '.' || base[len] == '-');
}

static void list_files(const struct usertarget *t, const bool *chosen, char *why, size_t size)
{
	size_t listed = 0;

	for (size_t i = 0; i < t->count; i++)
		if (!chosen || chosen[i])
			if (listed++ < LISTED)
				append(why, size, "%s%s", listed > 1 ? ", " : ": ", t->files[i].path);
	if (listed > LISTED)
		append(why, size, ", and %zu more", listed - LISTED);
}

static const char *what(const struct userpoint *point)
{
	return point->kind == USERPOINT_USDT ? "USDT probe" : "function";
}

/* The file that object names, as an index. */
static int choose_object(const struct usertarget *t, const struct userpoint *point, bool *chosen, size_t *index,
			 char *why, size_t size)
{
	struct quote q;
	ino_t inode = strchr(point->object, '/') ? inode_of(t, point->object) : 0;
	size_t count = 0;

	quote_text(&q, point->object, strlen(point->object));
	for (size_t i = 0; i < t->count; i++) {
		chosen[i] = is_named(&t->files[i], point->object, inode);
		if (chosen[i] && !count++)
			*index = i;
	}
	if (count == 1)
		return 0;
	if (!count) {
		refuse(0, why, size, "%s is none of the files with code", q.text);
		if (t->process.pid)
			append(why, size, " of process %d", t->process.pid);
		list_files(t, NULL, why, size);
		return -ENOENT;
	}
	refuse(0, why, size, "%s is the beginning of %zu files' names", q.text, count);
	list_files(t, chosen, why, size);
	append(why, size, "; give the path of one");
	return -ENOTUNIQ;
}

static void offer_names(struct usertarget *t, struct usertarget_file *file, const struct userpoint *point,
			struct nearest *best)
{
	if (file->state != USERTARGET_OPEN)
		return;
	if (point->kind == USERPOINT_USDT)
		usdt_offer(&file->elf, point->name, best);
	else
		elfsymbol_offer(&file->elf, usertarget_debug(t, file), point->name, best);
}

/* Why it may be there nevertheless. */
static void append_doubts(const struct usertarget *t, bool is_stripped, const char *unopened, char *why, size_t size)
{
	if (is_stripped)
		append(why, size, "; %s has no symbols of its functions: install its debug symbols, or give an address",
		       t->files[0].path);
	if (t->files[0].debug_note[0])
		append(why, size, "; %s", t->files[0].debug_note);
	if (unopened[0])
		append(why, size, "; %s", unopened);
}

static int refuse_none(struct usertarget *t, const struct userpoint *point, const char *unopened, char *why,
		       size_t size)
{
	struct quote q, near;
	struct nearest best;
	bool is_stripped;

	refuse(0, why, size, "process %d (%s) has no %s %s, nor has a library of it", t->process.pid,
	       t->process.exe, what(point), quote_text(&q, point->name, strlen(point->name)));
	nearest_init(&best, NEAREST);
	offer_names(t, &t->files[0], point, &best);
	is_stripped = point->kind != USERPOINT_USDT && !best.count;
	for (size_t i = 1; i < t->count; i++)
		offer_names(t, &t->files[i], point, &best);
	for (size_t i = 0; i < best.count; i++)
		append(why, size, "%s%s", i ? ", " : "; there are ",
		       quote_text(&near, best.names[i], strlen(best.names[i])));
	append_doubts(t, is_stripped, unopened, why, size);
	return -ENOENT;
}

static int refuse_several(const struct usertarget *t, const struct userpoint *point, const bool *chosen, char *why,
			  size_t size)
{
	struct quote q;

	refuse(0, why, size, "several files of process %d have the %s %s", t->process.pid, what(point),
	       quote_text(&q, point->name, strlen(point->name)));
	list_files(t, chosen, why, size);
	append(why, size, "; give one in front of the name");
	return -ENOTUNIQ;
}

/* Whether a file that could not be opened may have been a library: code that is made at run time is in no real file. */
static bool is_missed(const struct usertarget_file *file, int err)
{
	static const char *const others[] = { "/memfd:", "/dev/", "/SYSV", "/anon_hugepage" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strncmp(file->path, others[i], strlen(others[i])))
			return false;
	return err == -ESTALE || err == -EACCES;
}

/* Looks into all files but the program. */
static int find_in_others(struct usertarget *t, const struct userpoint *point, bool *chosen,
			  struct userpoint_places *places, char *why, size_t size)
{
	char reason[USERTARGET_WHY], unopened[USERTARGET_WHY] = "";
	int err, result = -ENOENT;
	size_t count = 0;

	for (size_t i = 1; i < t->count; i++) {
		chosen[i] = false;
		err = usertarget_file(t, &t->files[i], reason, sizeof(reason));
		if (err) {
			if (!unopened[0] && is_missed(&t->files[i], err))
				memcpy(unopened, reason, sizeof(unopened));
			continue;
		}
		err = find_in(t, &t->files[i], point, places, reason, sizeof(reason));
		if (err == -ENOENT)
			continue;
		chosen[i] = true;
		if (!count++) {
			result = err;
			snprintf(why, size, "%s", err ? reason : "");
		}
	}
	if (count > 1)
		return refuse_several(t, point, chosen, why, size);
	return count ? result : refuse_none(t, point, unopened, why, size);
}

static int find(struct usertarget *t, const struct userpoint *point, bool *chosen, struct userpoint_places *places,
		char *why, size_t size)
{
	bool is_address = point->kind != USERPOINT_USDT && !strncmp(point->name, "0x", 2);
	size_t index = 0;
	int err = point->object ? choose_object(t, point, chosen, &index, why, size) : 0;

	if (!err)
		err = usertarget_file(t, &t->files[index], why, size);
	if (!err)
		err = find_in(t, &t->files[index], point, places, why, size);
	chosen[0] = false;
	if (err != -ENOENT || point->object || is_address || t->count == 1)
		return err;
	return find_in_others(t, point, chosen, places, why, size);
}

int userpoint_find(struct usertarget *t, const struct userpoint *point, struct userpoint_places *places, char *why,
		   size_t size)
{
	bool *chosen = calloc(t->count, sizeof(*chosen));
	int err;

	*places = (struct userpoint_places){ 0 };
	err = chosen ? find(t, point, chosen, places, why, size) : refuse(-ENOMEM, why, size, "out of memory");
	if (err)
		userpoint_clear(places);
	free(chosen);
	return err;
}
