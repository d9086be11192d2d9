/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The arguments of trace points in user space, and where a packet is that they lead to. */
#ifndef NETCAP_PROCESS_BPF_H
#define NETCAP_PROCESS_BPF_H

#include "context.bpf.h"
#include "packet.bpf.h"

/*
 * The context, as global functions may have it: before Linux 6.3 the kernel takes no other type for it than a structure that is
 * called as its own typedef (d384dce281ed).
 */
struct bpf_user_pt_regs_t {
};

#define MBUF_NO_PORT          0xffff

#define PROCESS_STACK 19 /* rsp */

/* One of struct pt_regs (arch/x86/include/asm/ptrace.h), by its place there. */
static __always_inline __u64 process_register(const void *ctx, __u8 place)
{
	__u64 value = 0;

	switch (place) {
		ARGUMENT_CASE(0, 0) /* r15 */
		ARGUMENT_CASE(1, 8)
		ARGUMENT_CASE(2, 16)
		ARGUMENT_CASE(3, 24) /* r12 */
		ARGUMENT_CASE(4, 32) /* rbp */
		ARGUMENT_CASE(5, 40) /* rbx */
		ARGUMENT_CASE(6, 48) /* r11 */
		ARGUMENT_CASE(7, 56)
		ARGUMENT_CASE(8, 64)
		ARGUMENT_CASE(9, 72)  /* r8 */
		ARGUMENT_CASE(10, 80) /* rax */
		ARGUMENT_CASE(11, 88) /* rcx */
		ARGUMENT_CASE(12, 96) /* rdx */
		ARGUMENT_CASE(13, 104) /* rsi */
		ARGUMENT_CASE(14, 112) /* rdi */
		ARGUMENT_CASE(16, 128) /* rip */
		ARGUMENT_CASE(19, 152) /* rsp */
	}
	return value;
}

/* An argument. Its description is constant in each copy, so that little of this remains. */
static __always_inline __u64 process_value(const void *ctx, const struct netcap_value *v)
{
	__u64 value = v->offset, bits = 64 - 8 * v->size;

	if (v->kind == NETCAP_VALUE_REGISTER) {
		value = process_register(ctx, v->reg) >> v->shift;
	} else if (v->kind == NETCAP_VALUE_MEMORY) {
		__u64 at = process_register(ctx, v->reg) + v->offset;

		if (v->scale)
			at += process_register(ctx, v->index) * v->scale;
		value = 0;
		bpf_probe_read_user(&value, v->size & 15, (const void *)at);
	}
	return v->is_signed ? (__u64)((__s64)(value << bits) >> bits) : value << bits >> bits;
}

/* The argument that a member of the constants describes. */
#define PROCESS_VALUE(ctx, member)                              \
	({                                                      \
		const struct netcap_value description = {       \
			.offset = CONFIG(member.offset),        \
			.kind = CONFIG(member.kind),            \
			.size = CONFIG(member.size),            \
			.is_signed = CONFIG(member.is_signed),  \
			.reg = CONFIG(member.reg),              \
			.index = CONFIG(member.index),          \
			.scale = CONFIG(member.scale),          \
			.shift = CONFIG(member.shift),          \
		};                                              \
                                                                \
		process_value(ctx, &description);               \
	})

/* The beginning of an mbuf, which has all members that are needed but next: one read is enough. */
struct process_mbuf {
	__u64 words[NETCAP_MBUF_HEAD / sizeof(__u64)];
};

#define PROCESS_HEAD(type, head, member) (*(const type *)((const char *)(head) + CONFIG(mbuf.member)))

/* The tag that is beside an mbuf's bytes, as in struct netcap_packet. */
static __always_inline __u32 process_vlan(const struct process_mbuf *m)
{
	__u64 flags = PROCESS_HEAD(__u64, m, ol_flags);

	if (flags & (MBUF_RX_QINQ_STRIPPED | MBUF_TX_QINQ))
		return ETH_P_8021AD << 16 | PROCESS_HEAD(__u16, m, vlan_tci_outer);
	if (flags & (MBUF_RX_VLAN_STRIPPED | MBUF_TX_VLAN))
		return ETH_P_8021Q << 16 | PROCESS_HEAD(__u16, m, vlan_tci);
	return 0;
}

/*
 * Fills pkt, all but window; *direct is the address of byte 0. length: of plain bytes. False: there is no mbuf to be
 * read.
 */
static __always_inline bool process_locate(__u64 address, __u32 length, struct netcap_packet *pkt, const void **direct)
{
	__u32 vlan = 0, inner_tag = 0, linear = length;
	__u64 data = address;

	if (CONFIG(process) != NETCAP_PROCESS_BYTES) {
		struct process_mbuf m;

		if (bpf_probe_read_user(&m, sizeof(m), (const void *)address))
			return false;
		data = PROCESS_HEAD(__u64, &m, buf_addr) + PROCESS_HEAD(__u16, &m, data_off);
		length = PROCESS_HEAD(__u32, &m, pkt_len);
		linear = PROCESS_HEAD(__u16, &m, data_len);
		vlan = process_vlan(&m);
		if (process_has_two_tags(PROCESS_HEAD(__u64, &m, ol_flags)))
			inner_tag = ETH_P_8021Q << 16 | PROCESS_HEAD(__u16, &m, vlan_tci);
	}
	linear = linear > NETCAP_PROCESS_LONGEST ? NETCAP_PROCESS_LONGEST : linear;
	VERIFIER_FORGET(length);
	VERIFIER_FORGET(linear);
	VERIFIER_FORGET(vlan);
	VERIFIER_FORGET(inner_tag);
	VERIFIER_MEET();
	pkt->inner_tag = inner_tag;
	pkt->source = address;
	pkt->start = 0;
	pkt->wire_len = length + packet_tag_len(vlan) + packet_tag_len(inner_tag);
	pkt->linear = linear;
	pkt->limit = linear;
	pkt->vlan = vlan;
	pkt->link = NETCAP_LINK_ETHERNET;
	pkt->tunnels = 0;
	*direct = (const void *)data;
	return true;
}

/* "port7" for an mbuf that has one, else nothing. */
static __always_inline void process_device(__u32 port, char name[NETCAP_DEV_LEN])
{
	__u32 digits = 1, rest = port;

	__builtin_memset(name, 0, NETCAP_DEV_LEN);
	if (port == MBUF_NO_PORT)
		return;
	__builtin_memcpy(name, "port", 4);
	for (__u32 power = 10; power <= 10000; power *= 10)
		digits += port >= power;
	for (int i = 4; i >= 0; i--) {
		if (i < digits)
			name[4 + i] = '0' + rest % 10;
		rest /= i < digits ? 10 : 1;
	}
}

static __always_inline __u32 process_netns(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
}

static __always_inline __u32 process_port(__u64 address)
{
	return CONFIG(process) == NETCAP_PROCESS_BYTES ? MBUF_NO_PORT : PROCESS_MBUF(__u16, address, port);
}

#endif
