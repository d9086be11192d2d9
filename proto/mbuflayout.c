/* SPDX-License-Identifier: BSD-2-Clause */
#include "mbuflayout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "jsonstrict.h"
#include "quote.h"

const char *const mbuflayout_names[MBUFLAYOUT_FIELDS] = {
	"buf_addr", "data_off", "port", "ol_flags", "pkt_len", "data_len", "vlan_tci", "vlan_tci_outer", "next",
};

_Static_assert(sizeof(struct mbuf_layout) == MBUFLAYOUT_FIELDS * sizeof(uint16_t), "a name for each member");

uint16_t *mbuflayout_member(struct mbuf_layout *l, size_t i)
{
	return (uint16_t *)l + i;
}

static size_t find_name(const char *name, size_t len)
{
	size_t i = 0;

	while (i < MBUFLAYOUT_FIELDS && (strlen(mbuflayout_names[i]) != len || memcmp(mbuflayout_names[i], name, len)))
		i++;
	return i;
}

/* Decimal digits only, len of them. -1: it is none, or is too big. */
static int parse_offset(const char *text, size_t len)
{
	int n = 0;

	if (!len)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		n = 10 * n + text[i] - '0';
		if (n > MBUFLAYOUT_MOST)
			return -1;
	}
	return n;
}

/* One "name=offset"; seen has a bit for each member. */
static int parse_one(const char *text, size_t len, struct mbuf_layout *l, unsigned *seen, char *why, size_t size)
{
	const char *equal = memchr(text, '=', len);
	size_t name_len = equal ? (size_t)(equal - text) : len, i = find_name(text, name_len);
	struct quote q;
	int offset;

	if (i == MBUFLAYOUT_FIELDS) {
		snprintf(why, size, "the layout of mbufs has %s, which is no member of it: give buf_addr=0,data_off=16 "
			 "and so on", quote_text(&q, text, name_len));
		return -EINVAL;
	}
	offset = equal ? parse_offset(equal + 1, len - name_len - 1) : -1;
	if (offset < 0) {
		snprintf(why, size, "the layout of mbufs has %s: give the offset of %s as a decimal number up to %d",
			 quote_text(&q, text, len), mbuflayout_names[i], MBUFLAYOUT_MOST);
		return -EINVAL;
	}
	if (*seen & 1u << i) {
		snprintf(why, size, "the layout of mbufs has %s twice: give it once", mbuflayout_names[i]);
		return -EINVAL;
	}
	*seen |= 1u << i;
	*mbuflayout_member(l, i) = offset;
	return 0;
}

/* Do the BPF programs see all of it? */
static int check_head(struct mbuf_layout *l, char *why, size_t size)
{
	static const uint8_t sizes[MBUFLAYOUT_FIELDS] = { 8, 2, 2, 8, 4, 2, 2, 2, 0 };

	for (size_t i = 0; i < MBUFLAYOUT_FIELDS; i++) {
		if (!sizes[i] || *mbuflayout_member(l, i) + sizes[i] <= MBUFLAYOUT_HEAD)
			continue;
		snprintf(why, size, "the layout of mbufs has %s at %u: only next may be behind the first %d bytes, where all versions "
			 "of DPDK until now have the others", mbuflayout_names[i], *mbuflayout_member(l, i), MBUFLAYOUT_HEAD);
		return -EINVAL;
	}
	return 0;
}

int mbuflayout_parse(const char *text, struct mbuf_layout *l, char *why, size_t size)
{
	unsigned seen = 0;
	size_t len;

	*l = (struct mbuf_layout){ 0 };
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (parse_one(text, len, l, &seen, why, size))
			return -EINVAL;
		if (!text[len])
			break;
	}
	for (size_t i = 0; i < MBUFLAYOUT_FIELDS; i++) {
		if (seen & 1u << i)
			continue;
		snprintf(why, size, "the layout of mbufs has no %s: give the offsets of all %d members",
			 mbuflayout_names[i], MBUFLAYOUT_FIELDS);
		return -EINVAL;
	}
	return check_head(l, why, size);
}

int mbuflayout_from_json(struct mbuf_layout *l, struct json_object *object, char *why, size_t size)
{
	struct jsonstrict_field fields[MBUFLAYOUT_FIELDS + 1] = { { 0 } };
	int64_t offsets[MBUFLAYOUT_FIELDS] = { 0 };
	const char *field;
	int err;

	*l = (struct mbuf_layout){ 0 };
	for (size_t i = 0; i < MBUFLAYOUT_FIELDS; i++)
		fields[i] = (struct jsonstrict_field){ .name = mbuflayout_names[i], .type = JSONSTRICT_INTEGER,
						       .offset = i * sizeof(*offsets), .required = true,
						       .max = MBUFLAYOUT_MOST };
	err = jsonstrict_read(object, fields, offsets, &field, why, size);
	for (size_t i = 0; !err && i < MBUFLAYOUT_FIELDS; i++)
		*mbuflayout_member(l, i) = offsets[i];
	return err ? err : check_head(l, why, size);
}

struct json_object *mbuflayout_to_json(const struct mbuf_layout *l)
{
	struct json_object *object = json_object_new_object();
	struct mbuf_layout copy = *l;

	for (size_t i = 0; object && i < MBUFLAYOUT_FIELDS; i++) {
		struct json_object *value = json_object_new_int(*mbuflayout_member(&copy, i));

		if (!value || json_object_object_add(object, mbuflayout_names[i], value)) {
			json_object_put(value);
			json_object_put(object);
			return NULL;
		}
	}
	return object;
}
