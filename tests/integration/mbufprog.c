/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process whose functions get packets of DPDK. Commands on standard input (paced.h); each prints
 * "sent PACKETS BYTES":
 *
 *     one N SIZE [RATE]      N packets of SIZE bytes to one(), RATE a second (0: at once)
 *     burst N SIZE [MAX]     N packets to burst(), an array of at most MAX at a time (32)
 *     receive N SIZE [MAX]   receive() fills an array and returns its length, until it had N
 *     probe N SIZE           to the USDT probe netcapdpdk:one       probes N SIZE [MAX]   to netcapdpdk:burst
 *     lie N COUNT            burst() of N packets at the end of readable memory, which says that it has COUNT
 *     wild N                 burst() of N packets with NULL and a wild pointer behind each; N packets are good
 *     absent                 one() with a packet whose bytes are in a page that was never touched
 *     mix N SIZE [RATE]      N times, each with a packet of its own: one(), burst(), receive(), both probes
 *     hot N SIZE             the same packet N times to one() as fast as it goes; prints "took NANOSECONDS"
 *     hotburst N SIZE        an array of 32, N / 32 times, to burst()
 *     hotprobe N SIZE        the same packet N times to netcapdpdk:one
 *
 * What the next packets are like; these print "set":
 *
 *     segments N             in N pieces                            port N      received at this port
 *     vlan TCI               a tag that the device took off: RX_VLAN, RX_VLAN_STRIPPED
 *     qinq INNER OUTER       two of them                            txvlan TCI  one that the device shall add
 *     plain                  none of that
 */
#include "paced.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#define BURST       32
#define BURST_MAX   512
#define SEGMENTS    16
#define MBUFS       8191
#define DATA        2176 /* bytes of an mbuf for headroom and packet */

uint16_t one(struct rte_mbuf *m);
uint16_t burst(struct rte_mbuf **packets, uint16_t n);
uint16_t receive(void *queue, struct rte_mbuf **packets, uint16_t n);

/* What is received at a queue: so many packets, of that size. */
struct queue {
	unsigned long left;
	size_t size;
};

static struct rte_mempool *pool;
static struct {
	unsigned long segments;
	uint16_t port, tci, outer;
	uint64_t flags;
} like = {.segments = 1};

__attribute__((noinline)) uint16_t one(struct rte_mbuf *m)
{
	__asm__ volatile("" : : "r"(m) : "memory");
	return 1;
}

__attribute__((noinline)) uint16_t burst(struct rte_mbuf **packets, uint16_t n)
{
	__asm__ volatile("" : : "r"(packets) : "memory");
	return n;
}

static __attribute__((noinline)) void probe(struct rte_mbuf *m)
{
	DTRACE_PROBE1(netcapdpdk, one, m);
}

static __attribute__((noinline)) void probe_burst(struct rte_mbuf **packets, uint16_t n)
{
	DTRACE_PROBE2(netcapdpdk, burst, packets, n);
}

static void die(const char *what)
{
	fprintf(stderr, "mbufprog: %s\n", what);
	exit(1);
}

static struct rte_mbuf *piece(const unsigned char *bytes, size_t size)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	char *to = m ? rte_pktmbuf_append(m, (uint16_t)size) : NULL;

	if (!to)
		die("there are no mbufs left, or the packet is too long for one");
	memcpy(to, bytes, size);
	return m;
}

/* The next packet, in pieces of the same length but the last. */
static struct rte_mbuf *make(size_t size)
{
	unsigned char bytes[PACED_MAX];
	size_t part = size / like.segments;
	struct rte_mbuf *m;

	paced_packet(bytes, size);
	m = piece(bytes, like.segments == 1 ? size : part);
	for (unsigned long i = 1; i < like.segments; i++)
		if (rte_pktmbuf_chain(m, piece(bytes + i * part, i + 1 < like.segments ? part : size - i * part)))
			die("the packet has too many pieces");
	m->port = like.port;
	m->ol_flags |= like.flags;
	m->vlan_tci = like.tci;
	m->vlan_tci_outer = like.outer;
	return m;
}

__attribute__((noinline)) uint16_t receive(void *queue, struct rte_mbuf **packets, uint16_t n)
{
	struct queue *q = queue;
	uint16_t got = 0;

	for (; got < n && q->left; q->left--)
		packets[got++] = make(q->size);
	__asm__ volatile("" : : "r"(packets) : "memory");
	return got;
}

static size_t bounded(unsigned long size)
{
	size_t max = like.segments * (DATA - RTE_PKTMBUF_HEADROOM);

	max = max > PACED_MAX ? PACED_MAX : max;
	return size < PACED_MIN ? PACED_MIN : size > max ? max : size;
}

static uint16_t burst_of(unsigned long left, unsigned long max)
{
	if (!max)
		max = BURST;
	if (max > BURST_MAX)
		max = BURST_MAX;
	return (uint16_t)(left < max ? left : max);
}

static void free_all(struct rte_mbuf **packets, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_pktmbuf_free(packets[i]);
}

static void run_one(const unsigned long *numbers)
{
	size_t size = bounded(numbers[1]);
	uint64_t start = paced_now_ns();

	for (unsigned long i = 0; i < numbers[0]; i++) {
		struct rte_mbuf *m;

		paced_wait(start, i, numbers[2]);
		m = make(size);
		one(m);
		rte_pktmbuf_free(m);
	}
	printf("sent %lu %zu\n", numbers[0], numbers[0] * size);
}

static void run_probe(const unsigned long *numbers)
{
	size_t size = bounded(numbers[1]);

	for (unsigned long i = 0; i < numbers[0]; i++) {
		struct rte_mbuf *m = make(size);

		probe(m);
		rte_pktmbuf_free(m);
	}
	printf("sent %lu %zu\n", numbers[0], numbers[0] * size);
}

static void in_bursts(const unsigned long *numbers, bool at_probe)
{
	struct rte_mbuf *packets[BURST_MAX];
	size_t size = bounded(numbers[1]);
	uint16_t n;

	for (unsigned long left = numbers[0]; left; left -= n) {
		n = burst_of(left, numbers[2]);
		for (uint16_t i = 0; i < n; i++)
			packets[i] = make(size);
		if (at_probe)
			probe_burst(packets, n);
		else
			burst(packets, n);
		free_all(packets, n);
	}
	printf("sent %lu %zu\n", numbers[0], numbers[0] * size);
}

static void run_burst(const unsigned long *numbers)
{
	in_bursts(numbers, false);
}

static void run_probes(const unsigned long *numbers)
{
	in_bursts(numbers, true);
}

static void run_receive(const unsigned long *numbers)
{
	struct rte_mbuf *packets[BURST_MAX];
	struct queue queue = {numbers[0], bounded(numbers[1])};
	unsigned long got = 0;
	uint16_t n;

	/* as a receiving loop does, it asks once more than there is */
	while ((n = receive(&queue, packets, burst_of(BURST_MAX, numbers[2])))) {
		free_all(packets, n);
		got += n;
	}
	printf("sent %lu %zu\n", got, got * queue.size);
}

static void run_lie(const unsigned long *numbers)
{
	unsigned long n = numbers[0] < BURST_MAX ? numbers[0] : BURST_MAX;
	struct rte_mbuf **packets = paced_edge(n * sizeof(*packets));

	for (unsigned long i = 0; i < n; i++)
		packets[i] = make(PACED_MIN);
	burst(packets, (uint16_t)numbers[1]);
	free_all(packets, (unsigned)n);
	printf("sent %lu %lu\n", n, n * PACED_MIN);
}

static void run_wild(const unsigned long *numbers)
{
	struct rte_mbuf *packets[BURST_MAX];
	unsigned long n = numbers[0] < BURST_MAX / 3 ? numbers[0] : BURST_MAX / 3;

	for (unsigned long i = 0; i < n; i++) {
		packets[3 * i] = make(PACED_MIN);
		packets[3 * i + 1] = NULL;
		packets[3 * i + 2] = (struct rte_mbuf *)0xdead0000dead0000ul; // NOLINT: it is never read here
	}
	burst(packets, (uint16_t)(3 * n));
	for (unsigned long i = 0; i < n; i++)
		rte_pktmbuf_free(packets[3 * i]);
	printf("sent %lu %lu\n", n, n * PACED_MIN);
}

static void run_absent(const unsigned long *numbers)
{
	struct rte_mbuf *m = make(PACED_MIN);
	void *bytes = m->buf_addr;

	m->buf_addr = paced_absent();
	one(m);
	m->buf_addr = bytes;
	rte_pktmbuf_free(m);
	printf("sent 1 %d\n", PACED_MIN);
}

static void run_mix(const unsigned long *numbers)
{
	size_t size = bounded(numbers[1]);
	uint64_t start = paced_now_ns();

	for (unsigned long i = 0; i < numbers[0]; i++) {
		struct queue queue = {1, size};
		struct rte_mbuf *m[4];

		paced_wait(start, i, numbers[2]);
		for (int k = 0; k < 4; k++)
			m[k] = make(size);
		one(m[0]);
		burst(&m[1], 1);
		probe(m[2]);
		probe_burst(&m[3], 1);
		free_all(m, 4);
		free_all(m, receive(&queue, m, 4));
	}
	printf("sent %lu %zu\n", numbers[0], numbers[0] * size);
}

static void took(uint64_t start)
{
	printf("took %" PRIu64 "\n", paced_now_ns() - start);
}

static void run_hot(const unsigned long *numbers)
{
	struct rte_mbuf *m = make(bounded(numbers[1]));
	uint64_t start = paced_now_ns();

	for (unsigned long i = 0; i < numbers[0]; i++)
		one(m);
	took(start);
	rte_pktmbuf_free(m);
}

static void run_hotprobe(const unsigned long *numbers)
{
	struct rte_mbuf *m = make(bounded(numbers[1]));
	uint64_t start = paced_now_ns();

	for (unsigned long i = 0; i < numbers[0]; i++)
		probe(m);
	took(start);
	rte_pktmbuf_free(m);
}

static void run_hotburst(const unsigned long *numbers)
{
	struct rte_mbuf *packets[BURST];
	uint64_t start;

	for (unsigned i = 0; i < BURST; i++)
		packets[i] = make(bounded(numbers[1]));
	start = paced_now_ns();
	for (unsigned long i = 0; i < numbers[0] / BURST; i++)
		burst(packets, BURST);
	took(start);
	free_all(packets, BURST);
}

static void set_tags(uint64_t flags, unsigned long tci, unsigned long outer)
{
	like.flags = flags;
	like.tci = (uint16_t)tci;
	like.outer = (uint16_t)outer;
	puts("set");
}

static void run_segments(const unsigned long *numbers)
{
	like.segments = !numbers[0] ? 1 : numbers[0] > SEGMENTS ? SEGMENTS : numbers[0];
	puts("set");
}

static void run_port(const unsigned long *numbers)
{
	like.port = (uint16_t)numbers[0];
	puts("set");
}

static void run_vlan(const unsigned long *numbers)
{
	set_tags(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED, numbers[0], 0);
}

static void run_qinq(const unsigned long *numbers)
{
	set_tags(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ |
			 RTE_MBUF_F_RX_QINQ_STRIPPED,
		 numbers[0], numbers[1]);
}

static void run_txvlan(const unsigned long *numbers)
{
	set_tags(RTE_MBUF_F_TX_VLAN, numbers[0], 0);
}

static void run_plain(const unsigned long *numbers)
{
	like.segments = 1;
	like.port = 0;
	set_tags(0, 0, 0);
}

static const struct paced_command commands[] = {
	{"one", 2, run_one},           {"burst", 2, run_burst},       {"receive", 2, run_receive},
	{"probe", 2, run_probe},       {"probes", 2, run_probes},     {"lie", 2, run_lie},
	{"wild", 1, run_wild},         {"absent", 0, run_absent},     {"mix", 2, run_mix},
	{"hot", 2, run_hot},           {"hotprobe", 2, run_hotprobe}, {"hotburst", 2, run_hotburst},
	{"segments", 1, run_segments}, {"port", 1, run_port},         {"vlan", 1, run_vlan},
	{"qinq", 2, run_qinq},         {"txvlan", 1, run_txvlan},     {"plain", 0, run_plain},
	{NULL, 0, NULL},
};

/* DPDK without huge pages, devices or files, on the first of the processors that this process may use. */
static void start_dpdk(char *name)
{
	char cpu[16], prefix[32];
	char *argv[] = {name,    (char[]){"--no-huge"}, (char[]){"--no-pci"}, (char[]){"--no-telemetry"},
			(char[]){"--no-shconf"}, (char[]){"-m"}, (char[]){"64"}, (char[]){"--log-level=4"},
			(char[]){"-l"}, cpu, prefix};
	cpu_set_t allowed;
	int first = 0;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &allowed))
		first++;
	snprintf(cpu, sizeof(cpu), "%d", first);
	snprintf(prefix, sizeof(prefix), "--file-prefix=mbufprog%d", getpid());
	if (rte_eal_init(sizeof(argv) / sizeof(*argv), argv) < 0)
		die("DPDK does not start");
	sched_setaffinity(0, sizeof(allowed), &allowed);
	pool = rte_pktmbuf_pool_create("packets", MBUFS, 0, 0, DATA, SOCKET_ID_ANY);
	if (!pool)
		die("there is no memory for mbufs");
}

int main(int argc, char **argv)
{
	int r;

	start_dpdk(argv[0]);
	r = paced_loop(commands, argv);
	rte_eal_cleanup();
	return r;
}
