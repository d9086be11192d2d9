/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base64.h"
#include "daemon/comments.h"
#include "daemon/filterdump.h"
#include "daemon/filtertext.h"
#include "daemon/jsonmake.h"
#include "daemon/report.h"
#include "daemon/stream.h"

struct json_object *report_point(const struct probe *p, const struct counters *c)
{
	struct json_object *o = json_object_new_object();
	bool works = p->error == PROBE_OK;
	bool ok = jsonmake_text(o, "name", p->text) &&
		  jsonmake_text(o, "hook", works ? template_hook_name(p->hook) : NULL) &&
		  jsonmake_number(o, "argument", works ? p->skb + 1 : 0) &&
		  (works || jsonmake_text(o, "reason", p->why ? p->why : "")) &&
		  jsonmake_text(o, "note", works ? p->note : NULL) &&
		  (!c || jsonmake_add(o, "counters", counters_to_json(c))) &&
		  (c || jsonmake_text(o, "because", works ? p->because : NULL));

	return jsonmake_whole(o, ok);
}

struct json_object *report_event(const struct netcap_record *r, const struct meta *m, const char *journey,
				 uint64_t time_ns, uint32_t snaplen, uint8_t *scratch)
{
	struct json_object *o = json_object_new_object();
	uint32_t cap_len, wire_len;
	const uint8_t *data = stream_bytes(r, snaplen, scratch, &cap_len, &wire_len);
	char *base64 = base64_encode(data, cap_len);
	char comment[META_TEXT_MAX];
	bool ok;

	if (comments_format(m, comment, sizeof(comment)) < 0)
		comment[0] = 0;
	ok = base64 && jsonmake_number(o, "time", time_ns) &&
	     jsonmake_number(o, "link", stream_link(r)) && jsonmake_number(o, "length", wire_len) &&
	     jsonmake_text(o, "meta", comment) && jsonmake_text(o, "journey", journey) &&
	     jsonmake_text(o, "data", base64);
	free(base64);
	return jsonmake_whole(o, ok);
}

static struct json_object *program(const char *start, const struct filter_classic *classic,
				   const char *ebpf)
{
	struct json_object *o = json_object_new_object();
	char *cbpf = filtertext_classic_text(classic);
	bool ok = cbpf && jsonmake_text(o, "start", start) && jsonmake_text(o, "cbpf", cbpf) &&
		  jsonmake_text(o, "ebpf", ebpf);

	free(cbpf);
	return jsonmake_whole(o, ok);
}

struct json_object *report_programs(const struct filter_programs *classic,
				    const struct filter_code *code, size_t base)
{
	struct json_object *list = json_object_new_array();
	char *ebpf = filterdump_code(code, base); /* one program serves both starts */
	bool ok = ebpf && jsonmake_append(list, program("ethernet", &classic->ethernet, ebpf)) &&
		  jsonmake_append(list, program("raw", &classic->raw, ebpf));

	free(ebpf);
	return jsonmake_whole(list, ok);
}

/* The instructions, each behind the line of the source that it comes from. */
static char *user_text(const struct usercode *user, const struct usercode_program *p)
{
	const struct usercode_line *last = NULL;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (uint32_t i = 0; f && i < p->count; i++) {
		const struct usercode_line *line = usercode_line(user, p, i);

		if (line && (!last || line->line != last->line || line->file != last->file))
			fprintf(f, "; %u: %s\n", line->line, user->strings + line->text);
		last = line;
		filterdump_insn(f, &p->insns[i], i);
		if (p->insns[i].src_reg == BPF_PSEUDO_MAP_VALUE &&
		    p->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			i++; /* said already */
	}
	if (f && !fclose(f))
		return text;
	free(text);
	return NULL;
}

struct json_object *report_user(const struct usercode *user)
{
	const struct usercode_program *programs[] = { &user->filter, &user->action };
	static const char *const names[] = { "filter", "action" };
	struct json_object *list = json_object_new_array();
	bool ok = list;

	for (int i = 0; i < 2 && ok; i++) {
		struct json_object *o;
		char *text;

		if (!programs[i]->count)
			continue;
		text = user_text(user, programs[i]);
		o = json_object_new_object();
		ok = text && jsonmake_text(o, "name", names[i]) && jsonmake_text(o, "ebpf", text);
		ok = jsonmake_append(list, jsonmake_whole(o, ok)) && ok;
		free(text);
	}
	return jsonmake_whole(list, ok);
}

struct json_object *report_error(const char *field, const char *message)
{
	struct json_object *o = json_object_new_object();
	bool ok = jsonmake_text(o, "field", field) && jsonmake_text(o, "message", message);

	return jsonmake_whole(o, ok);
}
