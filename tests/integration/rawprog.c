/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process whose functions get packets as a pointer and a length. Commands on standard input (paced.h); each prints
 * "sent PACKETS BYTES":
 *
 *     take N SIZE [RATE]     N packets of SIZE bytes to take(), RATE a second (0: at once)
 *     lib N SIZE             to lib_take() of the shared library     libprobe N SIZE   to its probe netcaplib:shared
 *     cpp N SIZE             to net::Stack::take(), as C++ names it
 *     twin N SIZE            to two static functions twin(), N to each
 *     probe N SIZE           to the USDT probe netcapraw:packet
 *     guarded N SIZE         to netcapraw:guarded, which has a semaphore: prints how many passed it
 *     threads T N SIZE       T threads call take() N times each; their names are packets0 and so on
 *     edge SIZE LEN          SIZE bytes in front of a page that cannot be read, with LEN as their length
 *     wild ADDRESS LEN       to take(), whatever is there            absent LEN        a page that was never touched
 *     hot N SIZE             the same packet N times to take() as fast as it goes; prints "took NANOSECONDS"
 *     hotlib N SIZE          the same to lib_take()            hotprobe N SIZE        the same to netcapraw:packet
 */
#include "paced.h"
#include "rawlib.h"
#include "rawmore.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/sdt.h>

#define THREADS 16

typedef size_t taker(const void *data, size_t len);

taker take;
size_t cpp_take(const void *data, size_t len) __asm__("_ZN3net5Stack4takeEPKvm");

/* Uses a register of its caller's, as most functions do, and so it begins with a push. */
__attribute__((noinline)) size_t take(const void *data, size_t len)
{
	__asm__ volatile("" : : "r"(data) : "memory", "rbx");
	return len;
}

__attribute__((noinline)) size_t cpp_take(const void *data, size_t len)
{
	__asm__ volatile("" : : "r"(data) : "memory");
	return len;
}

static __attribute__((noinline)) size_t twin(const void *data, size_t len)
{
	__asm__ volatile("" : : "r"(data) : "memory");
	return len;
}

static size_t both_twins(const void *data, size_t len)
{
	twin(data, len);
	rawmore_twin(data, len);
	return len;
}

static size_t probe(const void *data, size_t len)
{
	DTRACE_PROBE2(netcapraw, packet, data, len);
	return len;
}

static size_t bounded(unsigned long size)
{
	return size < PACED_MIN ? PACED_MIN : size > PACED_MAX ? PACED_MAX : size;
}

static void send_to(taker *to, const unsigned long *numbers)
{
	unsigned char packet[PACED_MAX];
	size_t size = bounded(numbers[1]), bytes = 0;
	uint64_t start = paced_now_ns();

	for (unsigned long i = 0; i < numbers[0]; i++) {
		paced_wait(start, i, numbers[2]);
		paced_packet(packet, size);
		bytes += to(packet, size);
	}
	printf("sent %lu %zu\n", numbers[0], bytes);
}

static void run_take(const unsigned long *numbers)
{
	send_to(take, numbers);
}

static void run_lib(const unsigned long *numbers)
{
	send_to(lib_take, numbers);
}

static void run_libprobe(const unsigned long *numbers)
{
	send_to(lib_probe, numbers);
}

static void run_cpp(const unsigned long *numbers)
{
	send_to(cpp_take, numbers);
}

static void run_twin(const unsigned long *numbers)
{
	send_to(both_twins, numbers);
}

static void run_probe(const unsigned long *numbers)
{
	send_to(probe, numbers);
}

static void run_guarded(const unsigned long *numbers)
{
	unsigned char packet[PACED_MAX];
	size_t size = bounded(numbers[1]);
	unsigned long guarded = 0;

	for (unsigned long i = 0; i < numbers[0]; i++) {
		paced_packet(packet, size);
		guarded += rawmore_guarded(packet, size);
	}
	printf("sent %lu %zu\n", guarded, guarded * size);
}

struct taking {
	pthread_t thread;
	unsigned long number, count;
	size_t size;
};

static void *take_in_thread(void *argument)
{
	struct taking *t = argument;
	unsigned char packet[PACED_MAX];
	char name[16];

	snprintf(name, sizeof(name), "packets%lu", t->number % THREADS);
	pthread_setname_np(pthread_self(), name);
	paced_packet(packet, t->size);
	for (unsigned long i = 0; i < t->count; i++)
		take(packet, t->size);
	return NULL;
}

static void run_threads(const unsigned long *numbers)
{
	struct taking all[THREADS];
	unsigned long n = numbers[0] < THREADS ? numbers[0] : THREADS;

	for (unsigned long i = 0; i < n; i++) {
		all[i] = (struct taking){.number = i, .count = numbers[1], .size = bounded(numbers[2])};
		if (pthread_create(&all[i].thread, NULL, take_in_thread, &all[i]))
			n = i;
	}
	for (unsigned long i = 0; i < n; i++)
		pthread_join(all[i].thread, NULL);
	printf("sent %lu %lu\n", n * numbers[1], n * numbers[1] * bounded(numbers[2]));
}

static void run_edge(const unsigned long *numbers)
{
	size_t size = bounded(numbers[0]);
	unsigned char *packet = paced_edge(size);

	paced_packet(packet, size);
	printf("sent 1 %zu\n", take(packet, numbers[1]));
}

static void run_wild(const unsigned long *numbers)
{
	printf("sent 1 %zu\n", take((const void *)numbers[0], numbers[1])); // NOLINT: it is never read here
}

static void run_absent(const unsigned long *numbers)
{
	printf("sent 1 %zu\n", take(paced_absent(), numbers[0]));
}

static void hot(taker *to, const unsigned long *numbers)
{
	unsigned char packet[PACED_MAX];
	size_t size = bounded(numbers[1]);
	uint64_t start;

	paced_packet(packet, size);
	start = paced_now_ns();
	for (unsigned long i = 0; i < numbers[0]; i++)
		to(packet, size);
	printf("took %" PRIu64 "\n", paced_now_ns() - start);
}

static void run_hot(const unsigned long *numbers)
{
	hot(take, numbers);
}

static void run_hotlib(const unsigned long *numbers)
{
	hot(lib_take, numbers);
}

static void run_hotprobe(const unsigned long *numbers)
{
	hot(probe, numbers);
}

static const struct paced_command commands[] = {
	{"take", 2, run_take},       {"lib", 2, run_lib},         {"libprobe", 2, run_libprobe},
	{"cpp", 2, run_cpp},         {"twin", 2, run_twin},       {"probe", 2, run_probe},
	{"guarded", 2, run_guarded}, {"threads", 3, run_threads}, {"edge", 2, run_edge},
	{"wild", 2, run_wild},       {"absent", 1, run_absent},   {"hot", 2, run_hot},
	{"hotlib", 2, run_hotlib},   {"hotprobe", 2, run_hotprobe}, {NULL, 0, NULL},
};

int main(int argc, char **argv)
{
	return paced_loop(commands, argv);
}
