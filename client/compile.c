/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bpf/user_abi.h"
#include "exitcode.h"
#include "limitedrun.h"
#include "message.h"
#include "text.h"

#define CALLER_FILTER "netcap-filter" /* names of files that are none, by which the compiler's words are known */
#define CALLER_ACTION "netcap-action"
#define SHOWN_BYTES   16384           /* of the compiler's words */

static const char prelude[] =
#include "kernel.inc"
	;

/* Names of functions, the first ones get the context, the others an argument. */
static const char *const filters[] = {"xcap_user_filter", "xcap_ext_filter", "xcap_skb_filter", NULL};
static const char *const actions[] = {"xcap_user_action", "xcap_ext_action", "xcap_skb_action", NULL};

static const struct usersource_name *choose(const struct usersource *s, const char *const *names)
{
	const struct usersource_name *found = NULL;

	for (; !found && *names; names++)
		found = usersource_find(&s->functions, *names);
	return found;
}

static const char *suffix_of(const struct usersource_name *function)
{
	return strncmp(function->text, "xcap_user_", 10) ? NETCAP_USER_SUFFIX : "";
}

/* ---- what the compiler gets ---- */

/* So that the source may have types of its own that the kernel has, too; those of the kernel get another name. */
static void put_renames(const struct compile *c, FILE *out, bool back)
{
	for (size_t i = 0; i < c->source.types.count; i++) {
		const char *name = c->source.types.items[i].text;

		if (back)
			fprintf(out, "#undef %s\n", name);
		else
			fprintf(out, "#define %s %s___kernel\n", name, name);
	}
}

static void put_literal(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void put_line(FILE *out, unsigned line, const char *path)
{
	fprintf(out, "#line %u \"", line);
	put_literal(out, path);
	fputs("\"\n", out);
}

/*
 * What calls the user's functions, in the line where the user's is: clang says that line of instructions of which it has
 * lost where they come from, as it does with some loads that are relocated.
 */
static void put_callers(const struct compile *c, FILE *out)
{
	fputs("\n", out);
	if (c->filter) {
		put_line(out, c->filter->line, c->path);
		fprintf(out,
			"SEC(\"" NETCAP_USER_FILTER
			"%s\") int netcap_user_filter(void *first, __u64 packet, __u32 point)\n", suffix_of(c->filter));
		put_line(out, c->filter->line, CALLER_FILTER);
		fprintf(out, "{ return %s(first, (void *)packet, point); }\n", c->filter->text);
	}
	if (c->action) {
		put_line(out, c->action->line, c->path);
		fprintf(out,
			"SEC(\"" NETCAP_USER_ACTION
			"%s\") int netcap_user_action(void *first, __u64 packet, __u32 length, "
			"struct xcap_user_extend *user, __u32 point)\n", suffix_of(c->action));
		put_line(out, c->action->line, CALLER_ACTION);
		fprintf(out,
			"{ __builtin_memset(user, 0, sizeof(*user)); "
			"return %s(first, (void *)packet, length, user, point); }\n", c->action->text);
	}
	if (c->action && c->source.formats && *c->source.formats) {
		fputs("const char netcap_formats[] SEC(\"" NETCAP_USER_FORMATS "\") = \"", out);
		put_literal(out, c->source.formats);
		fputs("\";\n", out);
	}
}

static void put_source(const struct compile *c, FILE *out)
{
	put_line(out, 1, c->path);
	fwrite(c->source.text, 1, c->source.len, out);
}

/*
 * Else clang puts tables of 4, 8, 16 or 32 bytes into sections of their own, .rodata.cst16, and says in the types that
 * they are in .rodata: libbpf and the kernel look there.
 */
static void put_kept(FILE *out, bool end)
{
	fputs(end ? "\n#pragma clang attribute pop\n" :
		    "#pragma clang attribute push (__attribute__((annotate(\"netcap\"))), "
		    "apply_to = variable(is_global))\n", out);
}

static int make_unit(struct compile *c, const struct btfheader *h)
{
	size_t size;
	FILE *out = open_memstream(&c->unit, &size);

	if (!out)
		return -ENOMEM;
	put_renames(c, out, false);
	fprintf(out, "#include \"%s\"\n", h->types);
	put_renames(c, out, true);
	fputs("#line 1 \"netcap-prelude\"\n", out);
	fputs(prelude, out);
	put_kept(out, false);
	put_source(c, out);
	put_kept(out, true);
	put_callers(c, out);
	return fclose(out) ? -ENOMEM : 0;
}

void compile_show(const struct compile *c, FILE *out)
{
	fputs("/* the kernel's types, and what client/include/kernel.h has, come first */\n", out);
	put_source(c, out);
	put_callers(c, out);
}

/* ---- words ---- */

/* The names that were meant, or what is there instead. */
static int complain_missing(const struct compile *c, const char *what, const char *const *names)
{
	const struct usersource_names *functions = &c->source.functions;
	char has[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < functions->count && used + 160 < sizeof(has); i++)
		used += snprintf(has + used, sizeof(has) - used, "%s%s (line %u)", i ? ", " : "",
				 functions->items[i].text, functions->items[i].line);
	message("%s has no %s: name it %s or %s; it %s%s.", c->path, what, names[0], names[1],
		used ? "has the functions " : "has no function at all", has);
	return EXITCODE_FAILED;
}

static int complain_signature(const struct compile *c, bool action)
{
	const struct usersource_name *f = action ? c->action : c->filter;
	const char *first = strcmp(suffix_of(f), "") ? "ext" : "ctx";

	if (action)
		message("%s:%u: %s has not the parameters and the result of an action: write static inline int %s(void "
			"*%s, void *pkt, u32 pkt_len, struct xcap_user_extend *user, u16 trace_index).",
			c->path, f->line, f->text, f->text, first);
	else
		message("%s:%u: %s has not the parameters and the result of a filter: write static inline int %s(void "
			"*%s, void *pkt, u16 trace_index).",
			c->path, f->line, f->text, f->text, first);
	return EXITCODE_FAILED;
}

/* Does the compiler say something of one of the callers? Then a function is not as they call it. */
static bool is_about(const char *said, const char *caller)
{
	const char *at = said;

	while ((at = strstr(at, caller))) {
		const char *end = strchr(at, '\n'), *error = strstr(at, ": error: ");

		if (error && (!end || error < end))
			return true;
		at += strlen(caller);
	}
	return false;
}

/* Its own words, with the user's file and lines. */
static void show_words(const struct limitedrun *r)
{
	char *words = strndup(r->said, SHOWN_BYTES);

	fflush(stdout);
	if (words)
		text_print_lines(stderr, words);
	free(words);
	if (r->len > SHOWN_BYTES)
		fputs("\n(the compiler said more)\n", stderr);
}

static void complain_size(const struct compile *c)
{
	message("what the compiler makes of %s has more than %lu MiB, and it was stopped: are there large tables in it?",
		c->path, LIMITEDRUN_FILE >> 20);
}

static int judge_done(const struct compile *c, const struct limitedrun *r)
{
	if (r->status == 0) {
		show_words(r); /* warnings */
		return EXITCODE_OK;
	}
	if (strstr(r->said, "stack limit of 512 bytes")) {
		message("the variables of the functions in %s take more than 512 bytes, all that a BPF program has: "
			"use smaller or fewer ones.",
			c->path);
		return EXITCODE_FAILED;
	}
	if (c->filter && is_about(r->said, CALLER_FILTER))
		return complain_signature(c, false);
	if (c->action && is_about(r->said, CALLER_ACTION))
		return complain_signature(c, true);
	if (strstr(r->said, "#include nested too deeply")) /* behind a line for each of the levels */
		message("%s includes itself, or one of its files does: the compiler gave up.", c->path);
	else if (strstr(r->said, "out of memory") || strstr(r->said, "bad_alloc") || strstr(r->said, "PLEASE submit"))
		message("the compiler wanted more than %lu MiB of memory for %s, and was stopped: does a macro or an "
			"include in it grow without end?",
			LIMITEDRUN_MEMORY >> 20, c->path);
	else if (strstr(r->said, "file too large") || strstr(r->said, "File too large"))
		complain_size(c);
	else
		show_words(r);
	return EXITCODE_FAILED;
}

static int judge(const struct compile *c, const struct limitedrun *r)
{
	switch (r->end) {
	case LIMITEDRUN_DONE:
		return judge_done(c, r);
	case LIMITEDRUN_MISSING:
		if (r->status == ENOENT)
			message("%s is C, and clang, which compiles it, is not installed: apt install clang; or "
				"compile it on another host with netcapctl compile, and give the object.",
				c->path);
		else
			message("clang, which compiles %s, cannot be started: %s.", c->path, strerror(r->status));
		break;
	case LIMITEDRUN_TIME:
		message("compiling %s took more than %d s, and was stopped: does it include itself, or expand a macro "
			"without end?", c->path, r->cpu_ms >= LIMITEDRUN_CPU_S * 950 ? LIMITEDRUN_CPU_S :
								LIMITEDRUN_WALL_MS / 1000);
		break;
	case LIMITEDRUN_SIGNAL:
		if (r->status == SIGXFSZ) {
			complain_size(c);
			break;
		}
		message("the compiler ended by signal %d (%s) with %s: does a macro or an include in it grow without "
			"end? It may use %lu MiB of memory, and write %lu MiB.",
			r->status, strsignal(r->status), c->path, LIMITEDRUN_MEMORY >> 20, LIMITEDRUN_FILE >> 20);
		break;
	}
	return EXITCODE_FAILED;
}

/* ---- */

int compile_open(struct compile *c, const char *path, const struct compile_wish *wish)
{
	int err;

	*c = (struct compile){.path = path, .wish = *wish};
	err = usersource_read(&c->source, path);
	if (err) {
		message("%s cannot be read: %s.", path, err == -EISDIR ? "it is no regular file" : strerror(-err));
		return EXITCODE_FAILED;
	}
	if (wish->filter || !wish->action)
		c->filter = choose(&c->source, filters);
	if (wish->action || !wish->filter)
		c->action = choose(&c->source, actions);
	if (wish->filter && !c->filter)
		return complain_missing(c, "filter", filters);
	if ((wish->action || !c->filter) && !c->action)
		return complain_missing(c, wish->action ? "action" : "filter, nor an action",
					wish->action ? actions : filters);
	if (c->action && !c->source.has_output && !memmem(c->source.text, c->source.len, "#include \"", 10)) {
		message("%s has an action, and no struct xcap_user_extend, which says what it shows: define it.", path);
		return EXITCODE_FAILED;
	}
	return EXITCODE_OK;
}

static int input_of(const struct compile *c)
{
	int fd = memfd_create("netcap-unit", MFD_CLOEXEC);
	size_t len = strlen(c->unit), done = 0;

	while (fd >= 0 && done < len) {
		ssize_t n = write(fd, c->unit + done, len - done);

		if (n <= 0) {
			close(fd);
			return -EIO;
		}
		done += n;
	}
	return fd < 0 ? -errno : lseek(fd, 0, SEEK_SET) ? -EIO : fd;
}

static int run(const struct compile *c, const struct btfheader *h, const char *object, int input)
{
	char headers[PATH_MAX + 2], *folder = strdup(c->path);
	const char *argv[] = {
		"clang", "-target", "bpf", "-mcpu=v2", "-O2", "-g", "-std=gnu11", "-x", "c", "-nostdinc", "-ffreestanding",
		"-fdebug-compilation-dir=.", "-fno-jump-tables", "-fno-delete-null-pointer-checks",
		"-fno-crash-diagnostics", "-fno-color-diagnostics", "-ferror-limit=20", "-Wall", "-Wno-unused-function",
		"-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Wno-macro-redefined",
		"-Wno-builtin-macro-redefined", "-Wno-format", "-Wno-address-of-packed-member",
		"-Wno-pragma-clang-attribute",
		"-Werror=int-conversion", "-Werror=incompatible-pointer-types", "-Werror=implicit-function-declaration",
		"-iquote", folder ? dirname(folder) : ".", headers, "-o", object, "-c", "-", NULL,
	};
	struct limitedrun r;
	int code = EXITCODE_FAILED;

	snprintf(headers, sizeof(headers), "-I%s", h->headers);
	if (!folder || limitedrun(&r, (char *const *)argv, input))
		message("out of memory.");
	else
		code = judge(c, &r);
	if (folder)
		limitedrun_clear(&r);
	free(folder);
	return code;
}

int compile_run(struct compile *c, const struct btfheader *h, const char *object)
{
	int input = -1, code = EXITCODE_FAILED;

	if (btfheader_add(h, &c->source))
		return EXITCODE_FAILED;
	if (!make_unit(c, h))
		input = input_of(c);
	if (input < 0) {
		message("out of memory.");
		return EXITCODE_FAILED;
	}
	code = run(c, h, object, input);
	close(input);
	return code;
}

void compile_clear(struct compile *c)
{
	usersource_clear(&c->source);
	free(c->unit);
	c->unit = NULL;
}
