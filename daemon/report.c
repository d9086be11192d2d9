/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "daemon/filterdump.h"
#include "daemon/filtertext.h"
#include "daemon/report.h"
#include "daemon/stream.h"
#include "pcapng.h"

/* Adds a member; value NULL means that there was no memory for it, and empties *object. */
static void add(struct json_object **object, const char *name, struct json_object *value)
{
	if (*object && value && !json_object_object_add(*object, name, value))
		return;
	json_object_put(value);
	json_object_put(*object);
	*object = NULL;
}

static void add_text(struct json_object **object, const char *name, const char *text)
{
	add(object, name, json_object_new_string(text));
}

static void add_number(struct json_object **object, const char *name, uint64_t number)
{
	add(object, name, json_object_new_int64(number));
}

struct json_object *report_point(const struct probe *p, const struct counters *c)
{
	struct json_object *o = json_object_new_object();

	add_text(&o, "name", p->text);
	add_text(&o, "hook", template_hook_name(p->hook));
	add_number(&o, "argument", p->error == PROBE_OK ? p->skb + 1 : 0);
	if (p->error != PROBE_OK)
		add_text(&o, "reason", p->why ? p->why : "");
	if (c)
		add(&o, "counters", counters_to_json(c));
	return o;
}

struct json_object *report_event(const struct netcap_record *r, const struct meta *m,
				 uint64_t time_ns, uint32_t snaplen, uint8_t *scratch)
{
	static const int links[] = { PCAPNG_LINK_ETHERNET, PCAPNG_LINK_RAW, PCAPNG_LINK_USER0 };
	struct json_object *o = json_object_new_object();
	uint32_t cap_len, wire_len;
	const uint8_t *data = stream_bytes(r, snaplen, scratch, &cap_len, &wire_len);
	char *base64 = base64_encode(data, cap_len);
	char comment[META_TEXT_MAX];

	if (stream_comment(m, comment, sizeof(comment)) < 0)
		comment[0] = 0;
	add_number(&o, "time", time_ns);
	add_number(&o, "link", links[r->link <= NETCAP_LINK_NONE ? r->link : NETCAP_LINK_NONE]);
	add_number(&o, "length", wire_len);
	add_text(&o, "meta", comment);
	add(&o, "data", base64 ? json_object_new_string(base64) : NULL);
	free(base64);
	return o;
}

static struct json_object *program(const char *start, const struct filter_classic *classic,
				   const char *ebpf)
{
	struct json_object *o = json_object_new_object();
	char *cbpf = filtertext_classic_text(classic);

	add_text(&o, "start", start);
	add(&o, "cbpf", cbpf ? json_object_new_string(cbpf) : NULL);
	add_text(&o, "ebpf", ebpf);
	free(cbpf);
	return o;
}

struct json_object *report_programs(const struct filter_programs *classic,
				    const struct filter_code *code, size_t base)
{
	struct json_object *list = json_object_new_array(), *ethernet = NULL, *raw = NULL;
	char *ebpf = filterdump_code(code, base);

	if (ebpf) {
		/* one program serves both starts */
		ethernet = program("ethernet", &classic->ethernet, ebpf);
		raw = program("raw", &classic->raw, ebpf);
	}
	free(ebpf);
	if (list && ethernet && raw && !json_object_array_add(list, ethernet)) {
		ethernet = NULL;
		if (!json_object_array_add(list, raw))
			return list;
	}
	json_object_put(ethernet);
	json_object_put(raw);
	json_object_put(list);
	return NULL;
}

struct json_object *report_error(const char *field, const char *message)
{
	struct json_object *o = json_object_new_object();

	add_text(&o, "field", field);
	add_text(&o, "message", message);
	return o;
}
