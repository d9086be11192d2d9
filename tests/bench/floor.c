/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel takes for a session before there is a capture program: floor [TIMES]
 *
 * Prints a line for each time: microseconds to make a ring of netcapd's default size, to load a program of two instructions
 * for the tracepoint net:netif_receive_skb, and to load one with as many additions as a capture program has instructions, in
 * a row, without a branch or an access to memory, which is the least that so many can take.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "reference.h"

#define POINT "netif_receive_skb"
#define LONG  1000 /* instructions */

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Closes what was made, and returns how long that took; -1: it was not. */
static int64_t took(int fd, uint64_t began)
{
	int64_t us = now_us() - began;

	if (fd < 0)
		return -1;
	close(fd);
	return us;
}

static int64_t make_ring(void)
{
	uint64_t began = now_us();

	return took(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "floor_ring", 0, 0, REFERENCE_RING_BYTES, NULL), began);
}

static int64_t load_program(uint32_t type_id, unsigned additions)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP, .attach_btf_id = type_id);
	struct bpf_insn insns[LONG] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}};
	uint64_t began;

	for (unsigned i = 1; i <= additions; i++)
		insns[i] = (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = 1};
	insns[additions + 1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	began = now_us();
	return took(bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", insns, additions + 2, &options), began);
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 1;
	int type_id = libbpf_find_vmlinux_btf_id(POINT, BPF_TRACE_RAW_TP);

	if (type_id < 0) {
		fprintf(stderr, "floor: the kernel has no type of tracepoint %s: %s\n", POINT, strerror(-type_id));
		return 1;
	}
	while (times-- > 0) {
		int64_t ring = make_ring(), least = load_program(type_id, 0), additions = load_program(type_id, LONG - 2);

		if (ring < 0 || least < 0 || additions < 0) {
			fprintf(stderr, "floor: the kernel took no ring or no program: %s\n", strerror(errno));
			return 1;
		}
		printf("%lld %lld %lld\n", (long long)ring, (long long)least, (long long)additions);
	}
	return 0;
}
