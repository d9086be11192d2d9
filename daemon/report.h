/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a session as the objects of the interface file. All return NULL when out of memory. */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>
#include <json-c/json.h>

#include "bpf/record.h"
#include "counters.h"
#include "daemon/filter.h"
#include "daemon/probe.h"
#include "daemon/usercode.h"
#include "meta.h"

/* A SessionPoint. c may be NULL (not attached yet). */
struct json_object *report_point(const struct probe *p, const struct counters *c);
/* An Event; scratch as for stream_bytes(). journey: the packet's way as text, or NULL. */
struct json_object *report_event(const struct netcap_record *r, const struct meta *m, const char *journey,
				 uint64_t time_ns, uint32_t snaplen, uint8_t *scratch);
/* The Programs of a filter: classic and translated, for both starts. */
struct json_object *report_programs(const struct filter_programs *classic,
				    const struct filter_code *code, size_t base);
/* The UserPrograms of the user's code. */
struct json_object *report_user(const struct usercode *user);
/* {"field":F,"message":M} */
struct json_object *report_error(const char *field, const char *message);

#endif
