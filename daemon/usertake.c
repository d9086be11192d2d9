/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf/user_abi.h"
#include "daemon/userbits.h"
#include "daemon/userconstants.h"
#include "daemon/userdata.h"
#include "daemon/userelf.h"
#include "daemon/userflow.h"
#include "daemon/userlayout.h"
#include "daemon/userloads.h"
#include "daemon/usertake.h"
#include "daemon/usertrial.h"
#include "daemon/usertypes.h"

#define WHY_BYTES      768
#define SECTION_PREFIX "netcap/"

/* A program as libbpf relocated it. */
struct found {
	struct bpf_insn *insns; /* owned */
	uint32_t count;
	uint32_t starts[USERCODE_FUNCTIONS];
	uint32_t functions;
	struct usercode_line *lines; /* owned */
	uint32_t line_count;
	bool argument;
	struct userloads loads; /* owned */
};

struct work {
	struct userchild_request request;
	const char *types;      /* a file with the kernel's */
	struct bpf_object *bpf; /* owned */
	struct btf *btf;        /* the object's; bpf has it */
	struct userelf elf;     /* owned */
	struct found filter, action;
	struct userconstants constants;
	struct userlayout layout;
	struct strpool strings;
	char *log; /* owned, or NULL */
	char why[WHY_BYTES];
};

static struct work work; /* libbpf's callbacks for words have no other way to it */

static int __attribute__((format(printf, 1, 2))) refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(work.why, sizeof(work.why), format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_section(const char *section, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(section, name, len) && (!section[len] || !strcmp(section + len, NETCAP_USER_SUFFIX));
}

static struct found *found_of(const struct bpf_program *p)
{
	const char *section = bpf_program__section_name(p);

	if (is_section(section, NETCAP_USER_FILTER))
		return &work.filter;
	return is_section(section, NETCAP_USER_ACTION) ? &work.action : NULL;
}

/* ---- what libbpf makes of it ---- */

static int copy_lines(struct found *f, const struct bpf_prog_load_opts *opts)
{
	const uint8_t *at = opts->line_info;

	if (!opts->line_info_cnt || opts->line_info_rec_size < sizeof(struct bpf_line_info))
		return 0;
	f->lines = calloc(opts->line_info_cnt, sizeof(*f->lines));
	if (!f->lines)
		return -ENOMEM;
	for (uint32_t i = 0; i < opts->line_info_cnt; i++, at += opts->line_info_rec_size) {
		const struct bpf_line_info *info = (const void *)at;
		const char *file = btf__name_by_offset(work.btf, info->file_name_off);
		const char *text = btf__name_by_offset(work.btf, info->line_off);

		if (info->insn_off >= f->count || (i && info->insn_off < f->lines[f->line_count - 1].insn))
			continue;
		while (text && (*text == ' ' || *text == '\t'))
			text++;
		f->lines[f->line_count++] = (struct usercode_line){
			.insn = info->insn_off,
			.file = strpool_add(&work.strings, file ? file : ""),
			.text = strpool_add(&work.strings, text ? text : ""),
			.line = BPF_LINE_INFO_LINE_NUM(info->line_col),
		};
	}
	return 0;
}

static int find_starts(struct found *f)
{
	int r = userflow_starts(f->insns, f->count, f->starts, USERCODE_FUNCTIONS, &f->functions);

	if (r == -E2BIG)
		return refuse("the code has more than %d functions that the compiler did not put into others: make them "
			      "static inline", USERCODE_FUNCTIONS);
	return r ? refuse("the object is damaged: a call leads out of the program") : 0;
}

/*
 * Called where libbpf has relocated a program and would load it. Its instructions are taken, and two others loaded:
 * the user's own are loaded as a part of capture programs.
 */
static int on_load(struct bpf_program *p, struct bpf_prog_load_opts *opts, long cookie)
{
	struct bpf_insn nothing[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	struct found *f = found_of(p);
	int r = 0;

	if (f && !f->insns) {
		f->count = bpf_program__insn_cnt(p);
		f->insns = calloc(f->count, sizeof(*f->insns));
		f->argument = strstr(bpf_program__section_name(p), NETCAP_USER_SUFFIX) != NULL;
		if (!f->insns)
			return -ENOMEM;
		memcpy(f->insns, bpf_program__insns(p), f->count * sizeof(*f->insns));
		r = find_starts(f);
		if (!r)
			r = copy_lines(f, opts);
	}
	opts->func_info_cnt = opts->line_info_cnt = 0;
	return r ? r : bpf_program__set_insns(p, nothing, 2);
}

static int no_log(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

/* What libbpf says last of an error is the nearest to a reason that there is. */
static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !work.why[0])
		vsnprintf(work.why, sizeof(work.why), format, args);
	return 0;
}

static int damaged(const char *what, int error)
{
	char said[WHY_BYTES / 2], why[64];

	libbpf_strerror(error, why, sizeof(why));
	snprintf(said, sizeof(said), "%.*s", (int)sizeof(said) - 1, work.why);
	said[strcspn(said, "\n")] = '\0';
	return refuse("the object cannot be %s: %s%s%s", what, why, *said ? "; " : "", said);
}

/* Data that nothing refers to makes maps, too, and libbpf wants to have them: userconstants.c looks at what is used. */
static int check_maps(const struct work *w)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, w->bpf) {
		if (!bpf_map__is_internal(map))
			return refuse("the object has a map: user code has none; use local variables");
		if (bpf_map__value_size(map) > USERCODE_DATA)
			return refuse("the object has more than %d bytes of data outside of its functions: use smaller "
				      "tables", USERCODE_DATA);
	}
	return 0;
}

static int load_object(struct work *w, const void *object, size_t size)
{
	/* without a path libbpf looks through the types of modules, which takes CAP_SYS_ADMIN */
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "netcap_user", .btf_custom_path = w->types);
	struct bpf_program *p;
	int r;

	libbpf_set_print(keep_log);
	w->bpf = bpf_object__open_mem(object, size, &options);
	if (!w->bpf)
		return damaged("read", errno);
	w->btf = bpf_object__btf(w->bpf);
	if (!w->btf)
		return refuse("the object has no type information: make it with netcapctl compile");
	r = check_maps(w);
	if (!r)
		r = usertypes_check(w->btf, w->why, sizeof(w->why));
	if (!r)
		r = userbits_check(w->btf, w->elf.ext, w->elf.ext_bytes, w->why, sizeof(w->why));
	if (r)
		return r;
	bpf_object__for_each_program(p, w->bpf)
		bpf_program__set_autoload(p, found_of(p) != NULL);
	r = bpf_object__load(w->bpf);
	libbpf_set_print(no_log);
	if (r && !w->filter.insns && !w->action.insns)
		return damaged("taken by this kernel", r);
	if (r)
		return damaged("relocated", r);
	return 0;
}

/* ---- one program ---- */

/* With the place in the user's source in front, if it is known. */
static int __attribute__((format(printf, 3, 4)))
refuse_at(const struct found *f, uint32_t insn, const char *format, ...)
{
	const struct usercode_program p = { .line_count = f->line_count, .lines = f->lines };
	const struct usercode code = { .strings = work.strings.bytes };
	const struct usercode_line *line = usercode_line(&code, &p, insn);
	va_list args;
	size_t used = 0;

	if (line)
		used = snprintf(work.why, sizeof(work.why), "%s:%u: ", usertrial_file(&code, line), line->line);
	if (used >= sizeof(work.why))
		return -EINVAL;
	va_start(args, format);
	vsnprintf(work.why + used, sizeof(work.why) - used, format, args);
	va_end(args);
	return -EINVAL;
}

static int make_program(struct found *f, const char *what, bool action)
{
	enum userloads_entry entry = action ? f->argument ? USERLOADS_ACTION_ARG : USERLOADS_ACTION_CTX :
				     f->argument ? USERLOADS_FILTER_ARG : USERLOADS_FILTER_CTX;
	char why[WHY_BYTES / 2];
	uint32_t at;
	int r;

	r = userconstants_place(&work.constants, work.bpf, f->insns, f->count, &at, why, sizeof(why));
	if (!r)
		r = userloads_make(f->insns, f->count, f->starts, f->functions, entry, &f->loads, &at, why, sizeof(why));
	if (r == -EINVAL)
		return refuse_at(f, at, "the %s: %s", what, why);
	if (!r && f->loads.count > USERCODE_INSNS)
		return refuse("the %s has too many instructions: %u", what, f->loads.count);
	for (uint32_t i = 0; !r && i < f->line_count; i++)
		f->lines[i].insn = f->loads.places[f->lines[i].insn];
	for (uint32_t i = 0; !r && i < f->functions; i++)
		f->starts[i] = f->loads.places[f->starts[i]];
	return r;
}

static int make_programs(struct work *w)
{
	int r = 0;

	if (w->request.filter && !w->filter.insns)
		return refuse(
			"the object has no filter: its source needs a function xcap_user_filter or xcap_ext_filter");
	if (w->request.action && !w->action.insns)
		return refuse(
			"the object has no action: its source needs a function xcap_user_action or xcap_ext_action");
	if (w->request.filter)
		r = make_program(&w->filter, "filter", false);
	if (!r && w->request.action)
		r = make_program(&w->action, "action", true);
	if (!r && w->request.action)
		r = userlayout_make(w->btf, "netcap_user_action", w->elf.formats, &w->layout, &w->strings, w->why,
				    sizeof(w->why));
	return r;
}

/* ---- the answer ---- */

static void put(FILE *out, const void *bytes, size_t count)
{
	if (count)
		fwrite(bytes, 1, count, out);
}

static void put_program(FILE *out, const struct found *f)
{
	if (!f->loads.count)
		return;
	put(out, f->loads.insns, f->loads.count * sizeof(*f->loads.insns));
	put(out, f->starts, f->functions * sizeof(*f->starts));
	put(out, f->lines, f->line_count * sizeof(*f->lines));
}

static void put_code(FILE *out, const struct work *w)
{
	struct usercode_answer a = {
		.bytes = w->layout.bytes,
		.field_count = w->layout.field_count,
		.enum_count = w->layout.enum_count,
		.string_bytes = w->strings.len,
		.data_bytes = w->constants.len,
	};

	a.filter.count = w->filter.loads.count;
	a.filter.function_count = a.filter.count ? w->filter.functions : 0;
	a.filter.line_count = a.filter.count ? w->filter.line_count : 0;
	a.filter.argument = w->filter.argument;
	a.action.count = w->action.loads.count;
	a.action.function_count = a.action.count ? w->action.functions : 0;
	a.action.line_count = a.action.count ? w->action.line_count : 0;
	a.action.argument = w->action.argument;
	put(out, &a, sizeof(a));
	put(out, w->layout.enums, w->layout.enum_count * sizeof(*w->layout.enums));
	put_program(out, &w->filter);
	put_program(out, &w->action);
	put(out, w->layout.fields, w->layout.field_count * sizeof(*w->layout.fields));
	put(out, w->strings.bytes, w->strings.len);
	put(out, w->constants.bytes, w->constants.len);
}

static void put_error(FILE *out, const struct work *w, int error)
{
	size_t log = w->log ? strlen(w->log) + 1 : 0;
	const struct usercode_answer a = { .error = -error, .string_bytes = strlen(w->why) + 1 + log };

	put(out, &a, sizeof(a));
	put(out, w->why, strlen(w->why) + 1);
	put(out, w->log, log);
}

/* What would be answered, as the daemon will see it, to the verifier. */
static int try(struct work *w, const void *answer, size_t size)
{
	void *copy = malloc(size);
	struct usercode code;
	int r = copy ? 0 : -ENOMEM;

	if (!r) {
		memcpy(copy, answer, size);
		r = usercode_take(copy, size, &code);
		if (r)
			free(copy);
	}
	if (r)
		return r == -ENOMEM ? r : refuse("the object is damaged: its types make no sense");
	r = userdata_place(&code);
	if (r)
		refuse("no map for its constants: %s", strerror(-r));
	else
		r = usertrial_check(&code, w->why, sizeof(w->why), w->request.log ? &w->log : NULL);
	usercode_clear(&code);
	return r;
}

/* What is sent: the code, or why there is none. NULL: no memory. */
static char *write_answer(struct work *w, int error, size_t *size)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, size);

	if (out && !error)
		put_code(out, w);
	if (!out || fclose(out))
		error = -ENOMEM;
	if (!error)
		error = try(w, bytes, *size);
	if (error == -ENOMEM)
		refuse("no memory to take in the code");
	if (!error)
		return bytes;
	free(bytes);
	bytes = NULL;
	out = open_memstream(&bytes, size);
	if (!out)
		return NULL;
	put_error(out, w, error);
	return fclose(out) ? NULL : bytes;
}

static void clear(struct work *w)
{
	bpf_object__close(w->bpf);
	for (int i = 0; i < 2; i++) {
		struct found *f = i ? &w->action : &w->filter;

		free(f->insns);
		free(f->lines);
		userloads_clear(&f->loads);
	}
	strpool_clear(&w->strings);
	userelf_clear(&w->elf);
	free(w->log);
}

/* For good: libbpf 1.1 uses its list of handlers after it was freed if the only one is taken back. */
static int register_handler(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .prog_prepare_load_fn = on_load);
	static bool is_registered;

	if (!is_registered && libbpf_register_prog_handler(SECTION_PREFIX, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &handler) < 0)
		return -ENOMEM;
	is_registered = true;
	return 0;
}

char *usertake_answer(const struct userchild_request *request, const void *object, size_t size, const char *types,
		      size_t *answer_size)
{
	char *answer;
	int r;

	memset(&work, 0, sizeof(work));
	work.request = *request;
	work.types = types;
	libbpf_set_print(no_log);
	strpool_add(&work.strings, "");
	r = register_handler();
	if (!r)
		r = userelf_read(object, size, &work.elf, work.why, sizeof(work.why));
	if (!r)
		r = load_object(&work, object, size);
	if (!r)
		r = make_programs(&work);
	if (!r)
		r = work.strings.error;
	answer = write_answer(&work, r, answer_size);
	clear(&work);
	return answer;
}
