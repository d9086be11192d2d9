/* SPDX-License-Identifier: BSD-2-Clause */
/* A program with USDT probes: with semaphores, at several places, of two providers, with arguments of all kinds. */
#define SDT_USE_VARIADIC
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#include <stdio.h>

/* sys/sdt.h looks for one of each probe */
#define SEMAPHORE(name) unsigned short name __attribute__((section(".probes"), used))
SEMAPHORE(net_packet_semaphore);
SEMAPHORE(net_twice_semaphore);
SEMAPHORE(net_shared_semaphore);
SEMAPHORE(disk_shared_semaphore);
SEMAPHORE(net_odd_semaphore);
SEMAPHORE(net_none_semaphore);

static char table[64];

static __attribute__((noinline)) void several(int n)
{
	if (n & 1)
		STAP_PROBE1(net, twice, n);
	else
		STAP_PROBE1(net, twice, -n);
	STAP_PROBE(net, shared);
	STAP_PROBE(disk, shared);
	STAP_PROBE(net, none);
}

int main(int argc, char **argv)
{
	volatile short on_stack = (short)argc;
	double real = argc;
	int c;

	while ((c = getchar()) != EOF) {
		if (net_packet_semaphore)
			STAP_PROBE2(net, packet, table, sizeof(table));
		else
			STAP_PROBE2(net, packet, argv[0], 8ul);
		STAP_PROBE4(net, odd, on_stack, (signed char)c, -5, real);
		several(c);
	}
	return 0;
}
