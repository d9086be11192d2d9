/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/flowtext.h"

#define MACS "\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define IP(protocol, fragment) "\x45\0\0\x28\0\x01" fragment "\x40" protocol "\0\0\x0a\0\0\x01\x0a\0\0\x02"
#define IP6(next) "\x60\0\0\0\0\x08" next "\x40\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
#define WHOLE "\0\0"
#define PORTS "\x13\x88\0\x50"

/* As an array, so that the text may have NULs. */
#define CASE(link, bytes, text) { link, bytes, sizeof(bytes) - 1, text }

static const struct {
	enum netcap_link link;
	const char *bytes;
	size_t length;
	const char *text;
} cases[] = {
	CASE(NETCAP_LINK_RAW, IP("\x06", WHOLE) PORTS, "10.0.0.1:5000 > 10.0.0.2:80 tcp"),
	CASE(NETCAP_LINK_RAW, IP("\x11", WHOLE) PORTS, "10.0.0.1:5000 > 10.0.0.2:80 udp"),
	CASE(NETCAP_LINK_RAW, IP("\x84", WHOLE) PORTS, "10.0.0.1:5000 > 10.0.0.2:80 sctp"),
	CASE(NETCAP_LINK_RAW, IP("\x01", WHOLE) "\x08\0", "10.0.0.1 > 10.0.0.2 icmp type 8 code 0"),
	CASE(NETCAP_LINK_RAW, IP("\x2f", WHOLE) PORTS, "10.0.0.1 > 10.0.0.2 protocol 47"),
	/* the first fragment has the ports, later ones do not */
	CASE(NETCAP_LINK_RAW, IP("\x11", "\x20\0") PORTS, "10.0.0.1:5000 > 10.0.0.2:80 udp"),
	CASE(NETCAP_LINK_RAW, IP("\x11", "\0\x08") PORTS, "10.0.0.1 > 10.0.0.2 udp fragment"),
	/* ports that are cut off */
	CASE(NETCAP_LINK_RAW, IP("\x11", WHOLE) "\x13\x88\0", "10.0.0.1 > 10.0.0.2 udp"),
	CASE(NETCAP_LINK_RAW, IP("\x11", WHOLE), "10.0.0.1 > 10.0.0.2 udp"),
	CASE(NETCAP_LINK_RAW, IP6("\x11") PORTS "\0\0\0\0", "[2001:db8::1]:5000 > [::1]:80 udp"),
	CASE(NETCAP_LINK_RAW, IP6("\x3a") "\x87\0", "2001:db8::1 > ::1 icmpv6 type 135 code 0"),
	/* hop-by-hop options before TCP, and a fragment that is the first one, and one that is not */
	CASE(NETCAP_LINK_RAW, IP6("\0") "\x06\0\0\0\0\0\0\0" PORTS, "[2001:db8::1]:5000 > [::1]:80 tcp"),
	CASE(NETCAP_LINK_RAW, IP6("\x2c") "\x11\0\0\x01\0\0\0\0" PORTS, "[2001:db8::1]:5000 > [::1]:80 udp"),
	CASE(NETCAP_LINK_RAW, IP6("\x2c") "\x11\0\0\x08\0\0\0\0" PORTS, "2001:db8::1 > ::1 udp fragment"),
	/* an extension header that is longer than the packet */
	CASE(NETCAP_LINK_RAW, IP6("\0") "\x06\xff\0\0\0\0\0\0" PORTS, "2001:db8::1 > ::1 protocol 0"),
	CASE(NETCAP_LINK_ETHERNET, MACS "\x08\0" IP("\x06", WHOLE) PORTS, "10.0.0.1:5000 > 10.0.0.2:80 tcp"),
	CASE(NETCAP_LINK_ETHERNET, MACS "\x81\0\0\x05\x08\0" IP("\x06", WHOLE) PORTS, "10.0.0.1:5000 > 10.0.0.2:80 tcp"),
	CASE(NETCAP_LINK_ETHERNET, MACS "\x88\xa8\0\x05\x81\0\0\x05\x86\xdd" IP6("\x06") PORTS "\0\0\0\0",
	     "[2001:db8::1]:5000 > [::1]:80 tcp"),
	CASE(NETCAP_LINK_ETHERNET, MACS "\x08\x06", "arp"),
	CASE(NETCAP_LINK_ETHERNET, MACS "\x88\xcc", "ethertype 0x88cc"),
	/* not what the EtherType says, or a length in its place */
	CASE(NETCAP_LINK_ETHERNET, MACS "\x08\0" "\x65\0\0\0", "ethertype 0x0800"),
	CASE(NETCAP_LINK_ETHERNET, MACS "\0\x40", ""),
	CASE(NETCAP_LINK_ETHERNET, MACS "\x81\0\0\x05", ""),
	CASE(NETCAP_LINK_ETHERNET, MACS, ""),
	CASE(NETCAP_LINK_RAW, "\x44", "ethertype 0x0800"),
	CASE(NETCAP_LINK_RAW, "\x15\0\0\0", ""),
	CASE(NETCAP_LINK_RAW, "", ""),
	CASE(NETCAP_LINK_NONE, IP("\x06", WHOLE) PORTS, ""),
};

/* Where a read beyond the end is one that a sanitizer sees. */
static const char *text_of(enum netcap_link link, const void *bytes, size_t length, char *text, size_t size)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	flowtext_make(link, copy, length, text, size);
	free(copy);
	return text;
}

static void test_texts(void **state)
{
	char text[FLOWTEXT_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(text_of(cases[i].link, cases[i].bytes, cases[i].length, text, sizeof(text)),
				    cases[i].text);
}

/* Each case, cut off anywhere. */
static void test_cut(void **state)
{
	char text[FLOWTEXT_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t length = 0; length < cases[i].length; length++)
			text_of(cases[i].link, cases[i].bytes, length, text, sizeof(text));
}

static void test_any_bytes(void **state)
{
	static const uint8_t firsts[] = { 0x45, 0x4f, 0x60, 0x00 };
	uint8_t bytes[128];
	char text[FLOWTEXT_BYTES];

	srandom(1);
	for (int i = 0; i < 200000; i++) {
		size_t length = random() % (sizeof(bytes) + 1);

		for (size_t b = 0; b < sizeof(bytes); b++)
			bytes[b] = random() % 4 ? random() : 0;
		bytes[0] = firsts[i % 4];
		bytes[12] = i % 2 ? 0x08 : 0x86;
		bytes[13] = i % 2 ? 0x00 : 0xdd;
		memset(text, 'x', sizeof(text));
		text_of(i % 3, bytes, length, text, sizeof(text));
		assert_in_range(strlen(text), 0, sizeof(text) - 2);
	}
}

/* The longest text fits; into less it is cut. */
static void test_longest(void **state)
{
	uint8_t bytes[44];
	char text[FLOWTEXT_BYTES], small[8];

	memset(bytes, 0xff, sizeof(bytes));
	bytes[0] = 0x60;
	bytes[6] = 0x11;
	assert_string_equal(text_of(NETCAP_LINK_RAW, bytes, sizeof(bytes), text, sizeof(text)),
			    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 > "
			    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 udp");
	assert_string_equal(text_of(NETCAP_LINK_RAW, bytes, sizeof(bytes), small, sizeof(small)), "[ffff:f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
