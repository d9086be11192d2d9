/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/*
 * The promise of client/tcpdump.c: each call gives exactly its own packet's text. Held against
 * tcpdump itself, which prints the same packets from a file in one go.
 */
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pcapng.h"
#include "tcpdump.h"

#define PACKETS 20000
#define PORT    20000 /* the source port of packet n is this plus n */

static char tcpdump_path[4096];

/* UDP over IPv4, at times longer than several pages; the payload begins with the packet's number.
 */
static uint32_t make_packet(uint8_t *p, uint32_t link, uint32_t n)
{
	static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	uint32_t payload = n % 100 ? 20 + n * 7919 % 300 : 12000 + n % 9000, len = 0;
	uint16_t port = (uint16_t)(PORT + n), total = (uint16_t)(28 + payload);
	uint8_t ip[28] = {0x45, 0, total >> 8, total & 255, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1,
			  127, 0, 0, 1, port >> 8, port & 255, 35, 40, (total - 20) >> 8,
			  (total - 20) & 255};

	if (link == PCAPNG_LINK_ETHERNET) {
		memcpy(p, ethernet, sizeof(ethernet));
		len = sizeof(ethernet);
	}
	memcpy(p + len, ip, sizeof(ip));
	len += sizeof(ip);
	for (uint32_t i = 0; i < payload; i++)
		p[len + i] = (uint8_t)((n + i) % 11 ? 'a' + i % 26 : '\n');
	sprintf((char *)p + len, "<%05u>", n);
	return len + payload;
}

/* All of it as tcpdump prints it from a file. */
static char *reference(uint32_t link, const char *const *flags)
{
	char path[] = "/tmp/netcap-tcpdump-XXXXXX", command[512];
	const char *words[16] = {"tcpdump", "-t", "-l", "-r", path};
	int fd = mkstemp(path), out[2], status, n = 5;
	uint8_t packet[32768];
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);
	struct buf b;
	ssize_t got;
	pid_t pid;

	buf_init(&b, 0);
	pcap_put_header(&b, link, 262144);
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint32_t len = make_packet(packet, link, i);

		pcap_put_packet(&b, i * 1000000ULL, len, len, packet);
	}
	assert_int_equal(write(fd, buf_head(&b), buf_len(&b)), buf_len(&b));
	buf_clear(&b);
	close(fd);
	assert_int_equal(pipe(out), 0);
	for (int i = 0; flags[i]; i++)
		words[n++] = flags[i];
	pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		freopen("/dev/null", "w", stderr);
		close(out[0]);
		execv(tcpdump_path, (char *const *)words);
		_exit(127);
	}
	close(out[1]);
	while ((got = read(out[0], command, sizeof(command))) > 0)
		fwrite(command, 1, (size_t)got, memory);
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink(path);
	fclose(memory);
	return text;
}

/* How often needle stands in the len bytes of text. */
static int occurrences(const char *text, size_t len, const char *needle)
{
	int n = 0;

	for (const char *at = text; (at = memmem(at, len - (size_t)(at - text), needle,
						 strlen(needle))); at++)
		n++;
	return n;
}

/* by_payload: packet n shows itself by its payload with these flags, else by its port. */
static void check(uint32_t link, const char *const *flags, bool by_payload)
{
	char why[256] = "", *expected = reference(link, flags), *text = NULL, name[32];
	const char *at = expected;
	size_t size;
	FILE *memory = open_memstream(&text, &size);
	struct tcpdump *t = tcpdump_start(tcpdump_path, flags, link, why, sizeof(why));
	uint8_t packet[32768];

	assert_string_equal(why, "");
	assert_non_null(t);
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint32_t len = make_packet(packet, link, i);

		fseek(memory, 0, SEEK_SET);
		assert_int_equal(tcpdump_packet(t, i * 1000000ULL, len, len, packet, memory), 0);
		fflush(memory);
		/* The very bytes that come next in the reference, and they are this packet's. */
		assert_true(size > 0 && text[size - 1] == '\n');
		assert_memory_equal(text, at, size);
		if (by_payload)
			snprintf(name, sizeof(name), "<%05u>", i);
		else
			snprintf(name, sizeof(name), "127.0.0.1.%u >", PORT + i);
		assert_int_equal(occurrences(text, size, name), 1);
		at += size;
	}
	assert_string_equal(at, "");
	tcpdump_free(t);
	fclose(memory);
	free(text);
	free(expected);
}

static void ascii(void **state)
{
	static const char *const flags[] = {"-A", NULL};

	check(PCAPNG_LINK_ETHERNET, flags, true);
	check(PCAPNG_LINK_RAW, flags, true);
}

static void verbose_with_a_dump(void **state)
{
	static const char *const flags[] = {"-nnvvXX", NULL};

	check(PCAPNG_LINK_ETHERNET, flags, false);
	check(PCAPNG_LINK_RAW, flags, false);
}

static void link_headers(void **state)
{
	static const char *const flags[] = {"-e", "-nn", NULL};

	check(PCAPNG_LINK_ETHERNET, flags, false);
	check(PCAPNG_LINK_RAW, flags, false);
}

static void flags_that_tcpdump_refuses_show_at_once(void **state)
{
	static const char *const flags[] = {"-T", "no-such-type", NULL};
	char why[256] = "";

	assert_null(tcpdump_start(tcpdump_path, flags, PCAPNG_LINK_RAW, why, sizeof(why)));
	assert_non_null(strstr(why, "no-such-type"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii),
		cmocka_unit_test(verbose_with_a_dump),
		cmocka_unit_test(link_headers),
		cmocka_unit_test(flags_that_tcpdump_refuses_show_at_once),
	};

	if (tcpdump_find(tcpdump_path, sizeof(tcpdump_path))) {
		printf("1..0 # SKIP tcpdump is not installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
