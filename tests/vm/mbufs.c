/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process with packets in its own memory, for tests/vm/userspace: mbufs as DPDK has them, but for DPDK, and plain bytes.
 * Each line on standard input is a letter and a number N, and is answered "done":
 *
 *     o   one() gets a chain of two mbufs, N times         b   burst() an array of N mbufs
 *     r   receive() fills an array of N mbufs              t   take() gets bytes, N times
 *     p   the USDT probe vm:packet gets bytes, N times     h   four threads call take() N times each
 *     n   nested() calls itself, N deep
 *
 * Packet number i is UDP from port 10000 + i, to port 53 if i is even, else 80, with 100 bytes of payload, of which the first
 * are the number.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if __has_include(<sys/sdt.h>)
#define _SDT_HAS_SEMAPHORES 1
unsigned short vm_packet_semaphore __attribute__((section(".probes")));
#include <sys/sdt.h>
#endif

#define MOST    512
#define BYTES   142
#define FIRST   60 /* bytes in the first mbuf of a chain */
#define THREADS 4

/* The members that netcapd reads, where DPDK 22.11 has them. Debug information says so. */
struct rte_mbuf {
	void *buf_addr;
	uint64_t buf_iova;
	uint16_t data_off;
	uint16_t refcnt;
	uint16_t nb_segs;
	uint16_t port;
	uint64_t ol_flags;
	uint32_t packet_type;
	uint32_t pkt_len;
	uint16_t data_len;
	uint16_t vlan_tci;
	uint64_t hash;
	uint16_t vlan_tci_outer;
	uint16_t buf_len;
	void *pool;
	struct rte_mbuf *next;
};

static struct rte_mbuf mbufs[MOST], seconds[MOST], *array[MOST];
static uint8_t bytes[MOST][16 + BYTES];

static __attribute__((noinline)) void one(struct rte_mbuf *m)
{
	__asm__ volatile("" : : "r"(m) : "memory", "rbx");
}

static __attribute__((noinline)) void burst(struct rte_mbuf **m, uint16_t count)
{
	__asm__ volatile("" : : "r"(m), "r"(count) : "memory", "rbx");
}

static __attribute__((noinline)) uint16_t receive(void *queue, struct rte_mbuf **m, uint16_t most)
{
	for (uint16_t i = 0; i < most; i++)
		m[i] = &mbufs[i];
	__asm__ volatile("" : : "r"(queue), "r"(m) : "memory", "rbx");
	return most;
}

/* Gets the packet with the number of its depth after those of the calls in it, of which the innermost fails. */
static __attribute__((noinline)) int nested(struct rte_mbuf **m, int depth)
{
	struct rte_mbuf *inner[1];

	*m = &mbufs[depth];
	if (depth)
		nested(inner, depth - 1);
	__asm__ volatile("" : : "r"(m), "r"(inner) : "memory", "rbx");
	return depth ? 1 : -11;
}

static __attribute__((noinline)) void take(const void *data, size_t len)
{
	__asm__ volatile("" : : "r"(data), "r"(len) : "memory", "rbx");
}

static void probe(const void *data, size_t len)
{
#ifdef DTRACE_PROBE2
	DTRACE_PROBE2(vm, packet, data, len);
#endif
}

static void put16(uint8_t *at, uint16_t value)
{
	value = htons(value);
	memcpy(at, &value, sizeof(value));
}

static void make(int i)
{
	uint8_t *p = bytes[i] + 16;

	put16(p + 12, 0x0800);
	p[14] = 0x45;
	put16(p + 16, BYTES - 14);
	p[22] = 64;
	p[23] = 17;
	memcpy(p + 26, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
	put16(p + 34, 10000 + i);
	put16(p + 36, i % 2 ? 80 : 53);
	put16(p + 38, BYTES - 34);
	memcpy(p + 42, &i, sizeof(i));
	mbufs[i] = (struct rte_mbuf){ .buf_addr = bytes[i], .data_off = 16, .nb_segs = 2, .port = 3,
				      .pkt_len = BYTES, .data_len = FIRST, .next = &seconds[i] };
	seconds[i] = (struct rte_mbuf){ .buf_addr = bytes[i], .data_off = 16 + FIRST, .data_len = BYTES - FIRST };
	array[i] = &mbufs[i];
}

static void *take_all(void *count)
{
	for (int i = 0; i < *(int *)count; i++)
		take(bytes[i] + 16, BYTES);
	return NULL;
}

static void threads(int count)
{
	pthread_t ids[THREADS];

	for (int t = 0; t < THREADS; t++)
		pthread_create(&ids[t], NULL, take_all, &count);
	for (int t = 0; t < THREADS; t++)
		pthread_join(ids[t], NULL);
}

static void obey(char command, int count)
{
	static struct rte_mbuf *received[MOST];

	if (command == 'b')
		burst(array, count);
	else if (command == 'r')
		receive(NULL, received, count);
	else if (command == 'h')
		threads(count);
	else if (command == 'n')
		nested(received, count);
	for (int i = 0; i < count; i++) {
		if (command == 'o')
			one(&mbufs[i]);
		else if (command == 't')
			take(bytes[i] + 16, BYTES);
		else if (command == 'p')
			probe(bytes[i] + 16, BYTES);
	}
}

int main(void)
{
	char command;
	int count;

	for (int i = 0; i < MOST; i++)
		make(i);
	while (scanf(" %c%d", &command, &count) == 2 && count <= MOST) {
		obey(command, count);
		puts("done");
		fflush(stdout);
	}
	return 0;
}
