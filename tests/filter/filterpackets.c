/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tests/filter/filterpackets.h"

#define MAX_DEPTH 3 /* tunnels in tunnels */

struct writer {
	struct filterrand *r;
	uint8_t *bytes;
	uint32_t len;
	int depth;
};

static void put8(struct writer *w, uint32_t value)
{
	if (w->len < FILTERPACKETS_MAX)
		w->bytes[w->len++] = (uint8_t)value;
}

static void put16(struct writer *w, uint32_t value)
{
	put8(w, value >> 8);
	put8(w, value);
}

static void put32(struct writer *w, uint32_t value)
{
	put16(w, value >> 16);
	put16(w, value);
}

static void put_bytes(struct writer *w, const void *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		put8(w, ((const uint8_t *)bytes)[i]);
}

static void put_noise(struct writer *w, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		put8(w, filterrand_below(w->r, 256));
}

static void put_payload(struct writer *w)
{
	static const char *const texts[] = {"GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n",
					    "SSH-2.0-x\r\n"};

	if (filterrand_one_in(w->r, 3)) {
		const char *text = FILTERRAND_PICK(w->r, texts);

		put_bytes(w, text, (uint32_t)strlen(text));
	}
	put_noise(w, filterrand_one_in(w->r, 20) ? 1500 : filterrand_below(w->r, 64));
}

/* ---- transport ---- */

static void put_ethernet(struct writer *w);
static void put_ip4(struct writer *w);
static void put_ip6(struct writer *w);

static uint32_t pick_port(struct writer *w)
{
	static const uint16_t ports[] = {22, 53, 80, 80, 443, 4789, 6081, 9000, 9001};

	return filterrand_one_in(w->r, 6) ? filterrand_below(w->r, 65536)
					  : FILTERRAND_PICK(w->r, ports);
}

static void put_tcp(struct writer *w)
{
	static const uint8_t flags[] = {0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x29, 0xc2};
	uint32_t words = filterrand_one_in(w->r, 3) ? 5 + filterrand_below(w->r, 11) : 5;

	put16(w, pick_port(w));
	put16(w, pick_port(w));
	put32(w, filterrand_u32(w->r));
	put32(w, filterrand_u32(w->r));
	put8(w, words << 4);
	put8(w, FILTERRAND_PICK(w->r, flags));
	put16(w, filterrand_below(w->r, 65536));
	put32(w, filterrand_u32(w->r));
	put_noise(w, (words - 5) * 4);
	put_payload(w);
}

static void put_vxlan(struct writer *w)
{
	put32(w, 0x08000000);
	put32(w, filterrand_below(w->r, 4) << 8);
	put_ethernet(w);
}

static void put_geneve(struct writer *w)
{
	uint32_t options = filterrand_below(w->r, 4);

	put8(w, options);
	put8(w, 0);
	put16(w, filterrand_one_in(w->r, 3) ? 0x0800 : 0x6558);
	put32(w, filterrand_below(w->r, 4) << 8);
	put_noise(w, options * 4);
	if (w->bytes[w->len - options * 4 - 6] == 0x08)
		put_ip4(w);
	else
		put_ethernet(w);
}

static void put_udp(struct writer *w)
{
	uint32_t port = pick_port(w);

	put16(w, pick_port(w));
	put16(w, port);
	put32(w, filterrand_u32(w->r));
	if (w->depth < MAX_DEPTH && port == 4789)
		put_vxlan(w);
	else if (w->depth < MAX_DEPTH && port == 6081)
		put_geneve(w);
	else
		put_payload(w);
}

static void put_icmp(struct writer *w)
{
	static const uint8_t types[] = {0, 3, 8, 8, 11, 128, 133, 135, 136};

	put8(w, FILTERRAND_PICK(w->r, types));
	put8(w, filterrand_below(w->r, 4));
	put_noise(w, 6);
	put_payload(w);
}

static void put_gre(struct writer *w)
{
	put16(w, 0);
	put16(w, filterrand_one_in(w->r, 2) ? 0x0800 : 0x6558);
	if (w->bytes[w->len - 2] == 0x08)
		put_ip4(w);
	else
		put_ethernet(w);
}

static void put_transport(struct writer *w, uint32_t protocol)
{
	bool deep = w->depth >= MAX_DEPTH;

	switch (protocol) {
	case 6:
		put_tcp(w);
		break;
	case 17:
		put_udp(w);
		break;
	case 1:
	case 58:
		put_icmp(w);
		break;
	case 4:
		deep ? put_payload(w) : put_ip4(w);
		break;
	case 41:
		deep ? put_payload(w) : put_ip6(w);
		break;
	case 47:
		deep ? put_payload(w) : put_gre(w);
		break;
	case 132:
		put16(w, pick_port(w));
		put16(w, pick_port(w));
		put_payload(w);
		break;
	default:
		put_payload(w);
	}
}

static uint32_t pick_protocol(struct writer *w)
{
	static const uint8_t protocols[] = {6,  6,  6, 6, 17, 17, 17, 17, 1,  1,   1,   58,
					    58, 58, 2, 4, 9,  41, 47, 50, 51, 103, 112, 132};

	return FILTERRAND_PICK(w->r, protocols);
}

/* ---- network ---- */

static void put_address4(struct writer *w)
{
	static const uint32_t addresses[] = {0x0a000001, 0x0a000002, 0x0a0000fe, 0xc0a80101,
					     0xc0a80201, 0x7f000001, 0xe0000001, 0xefffff01,
					     0xffffffff, 0xac100563};

	put32(w,
	      filterrand_one_in(w->r, 8) ? filterrand_u32(w->r) : FILTERRAND_PICK(w->r, addresses));
}

static void put_ip4(struct writer *w)
{
	uint32_t words = filterrand_one_in(w->r, 4) ? 5 + filterrand_below(w->r, 11) : 5;
	uint32_t protocol = pick_protocol(w), fragment = 0;

	w->depth++;
	if (filterrand_one_in(w->r, 6))
		fragment = filterrand_below(w->r, 2) << 13 | filterrand_below(w->r, 3);
	if (filterrand_one_in(w->r, 3))
		fragment |= 0x4000;
	/* now and then a header length that lies */
	put8(w, 0x40 | (filterrand_one_in(w->r, 24) ? filterrand_below(w->r, 16) : words));
	put8(w, filterrand_below(w->r, 256));
	put16(w, filterrand_below(w->r, 1500));
	put16(w, filterrand_below(w->r, 65536));
	put16(w, fragment);
	put8(w, 1 + filterrand_below(w->r, 255));
	put8(w, protocol);
	put16(w, filterrand_below(w->r, 65536));
	put_address4(w);
	put_address4(w);
	put_noise(w, (words - 5) * 4);
	put_transport(w, protocol);
}

static void put_address6(struct writer *w)
{
	static const uint8_t addresses[][16] = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1},
						{0x20, 0x01, 0x0d, 0xb8, [15] = 2},
						{0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1},
						{0xfe, 0x80, [15] = 1},
						{0xff, 0x02, [15] = 1},
						{[15] = 1}};

	put_bytes(w, FILTERRAND_PICK(w->r, addresses), 16);
}

/* next: what follows all extension headers. */
static void put_extensions(struct writer *w, const uint8_t *chain, int count, uint32_t next)
{
	for (int i = 0; i < count; i++) {
		put8(w, i + 1 < count ? chain[i + 1] : next);
		if (chain[i] == 44) {
			put8(w, 0);
			put16(w, filterrand_below(w->r, 3) << 3);
			put32(w, filterrand_u32(w->r));
		} else {
			uint32_t units = filterrand_below(w->r, 2);

			put8(w, units);
			put_noise(w, 6 + units * 8);
		}
	}
}

static void put_ip6(struct writer *w)
{
	static const uint8_t kinds[] = {0, 43, 44, 60};
	uint32_t protocol = pick_protocol(w);
	uint8_t chain[3];
	int count = filterrand_one_in(w->r, 3) ? 1 + (int)filterrand_below(w->r, 3) : 0;

	w->depth++;
	for (int i = 0; i < count; i++)
		chain[i] = FILTERRAND_PICK(w->r, kinds);
	put32(w, 0x60000000 | filterrand_below(w->r, 1 << 28));
	put16(w, filterrand_below(w->r, 1500));
	put8(w, count ? chain[0] : protocol);
	put8(w, 64);
	put_address6(w);
	put_address6(w);
	put_extensions(w, chain, count, protocol);
	put_transport(w, protocol);
}

static void put_arp(struct writer *w)
{
	put16(w, 1);
	put16(w, 0x0800);
	put16(w, 0x0604);
	put16(w, 1 + filterrand_below(w->r, 4));
	put_noise(w, 6);
	put_address4(w);
	put_noise(w, 6);
	put_address4(w);
}

/* ---- link ---- */

static void put_mac(struct writer *w)
{
	static const uint8_t addresses[][6] = {
	    {2, 0, 0, 0, 0, 1},       {2, 0, 0, 0, 0, 2},    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	    {1, 0x80, 0xc2, 0, 0, 0}, {1, 0, 0x5e, 0, 0, 1}, {0xaa, 0, 4, 0, 1, 4}};

	put_bytes(w, FILTERRAND_PICK(w->r, addresses), 6);
}

/* IEEE 802.2: spanning tree, IS-IS, IPX, NetBEUI, SNAP, or supervisory and unnumbered frames. */
static void put_llc(struct writer *w)
{
	static const uint16_t saps[] = {0x4242, 0xfefe, 0xe0e0, 0xf0f0, 0xaaaa, 0x0606, 0xffff};
	static const uint8_t controls[] = {0x03, 0x01, 0x05, 0x09, 0x00, 0xe3,
					   0x7f, 0xaf, 0x43, 0x0f, 0x6f};
	static const uint16_t snap_types[] = {0x809b, 0x80f3, 0x0800, 0x8137};
	uint32_t sap = FILTERRAND_PICK(w->r, saps);

	put16(w, 3 + filterrand_below(w->r, 1400));
	put16(w, sap);
	put8(w, FILTERRAND_PICK(w->r, controls));
	if (sap == 0xaaaa) {
		put8(w, 0);
		put16(w, filterrand_one_in(w->r, 2) ? 0x0007 : 0);
		if (w->bytes[w->len - 1])
			w->bytes[w->len - 2] = 8;
		put16(w, FILTERRAND_PICK(w->r, snap_types));
	} else if (sap == 0xfefe) {
		static const uint8_t kinds[] = {15, 16, 17, 18, 20, 24, 25, 26, 27};

		put8(w, 0x81 + filterrand_below(w->r, 3));
		put_noise(w, 3);
		put8(w, FILTERRAND_PICK(w->r, kinds));
	}
	put_payload(w);
}

static void put_mpls(struct writer *w)
{
	uint32_t labels = 1 + filterrand_below(w->r, 3);

	while (labels--)
		put32(w, (16 + filterrand_below(w->r, 4)) << 12 | (labels == 0) << 8 | 64);
	filterrand_one_in(w->r, 3) ? put_ip6(w) : put_ip4(w);
}

static void put_pppoe(struct writer *w, bool session)
{
	put16(w, 0x1100);
	put16(w, 1 + filterrand_below(w->r, 3));
	put16(w, filterrand_below(w->r, 1400));
	if (!session) {
		put_noise(w, 16);
		return;
	}
	if (filterrand_one_in(w->r, 3)) {
		put16(w, 0x0057);
		put_ip6(w);
	} else {
		put16(w, 0x0021);
		put_ip4(w);
	}
}

static void put_type(struct writer *w, uint32_t type)
{
	put16(w, type);
	switch (type) {
	case 0x0800:
		put_ip4(w);
		break;
	case 0x86dd:
		put_ip6(w);
		break;
	case 0x0806:
	case 0x8035:
		put_arp(w);
		break;
	case 0x8847:
	case 0x8848:
		put_mpls(w);
		break;
	case 0x8863:
	case 0x8864:
		put_pppoe(w, type == 0x8864);
		break;
	default:
		put_payload(w);
	}
}

static void put_ethernet(struct writer *w)
{
	static const uint16_t tags[] = {0x8100, 0x88a8, 0x9100};
	static const uint16_t types[] = {0x0800, 0x0800, 0x0800, 0x0800, 0x86dd, 0x86dd, 0x86dd,
					 0x0806, 0x8035, 0x8847, 0x8848, 0x8863, 0x8864, 0x809b,
					 0x80f3, 0x6003, 0x6004, 0x6001, 0x6002, 0x8137, 0x88cc};
	uint32_t count = filterrand_one_in(w->r, 4) ? 1 + filterrand_below(w->r, 3) : 0;

	w->depth++;
	put_mac(w);
	put_mac(w);
	while (count--) {
		put16(w, FILTERRAND_PICK(w->r, tags));
		put16(w, filterrand_below(w->r, 8) << 13 | filterrand_below(w->r, 4) * 100);
	}
	if (filterrand_one_in(w->r, 10))
		put_llc(w);
	else
		put_type(w, FILTERRAND_PICK(w->r, types));
}

uint32_t filterpackets_make(struct filterrand *r, uint8_t *bytes)
{
	struct writer w = {.r = r, .bytes = bytes};

	if (filterrand_one_in(r, 16))
		put_noise(&w, filterrand_below(r, 200));
	else
		put_ethernet(&w);
	if (w.len && filterrand_one_in(r, 4))
		w.len = filterrand_below(r, w.len < 120 ? w.len : 120);
	return w.len;
}
