/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What user code finds beside the kernel's types: macros, which types know nothing of, helpers, and _(). Kept by
 * netcapctl as text, and included before each file that it compiles.
 */
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define likely(x)         __builtin_expect(!!(x), 1)
#define unlikely(x)       __builtin_expect(!!(x), 0)
#define READ_ONCE(x)      (*(const volatile typeof(x) *)&(x))
#undef __always_inline
#define __always_inline   inline __attribute__((always_inline))
#define memcpy(to, from, n)  __builtin_memcpy(to, from, n)
#define memset(to, byte, n)  __builtin_memset(to, byte, n)
#define memmove(to, from, n) __builtin_memmove(to, from, n)
#define SEC(name)         __attribute__((section(name), used))

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;

/* bpf-helpers(7) */
static long (*const bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = (void *)113;
static long (*const bpf_probe_read_kernel_str)(void *to, __u32 size, const void *from) = (void *)115;
static long (*const bpf_probe_read_user)(void *to, __u32 size, const void *from) = (void *)112;
static __u64 (*const bpf_ktime_get_ns)(void) = (void *)5;
static __u32 (*const bpf_get_prandom_u32)(void) = (void *)7;
static __u32 (*const bpf_get_smp_processor_id)(void) = (void *)8;
static __u64 (*const bpf_get_current_pid_tgid)(void) = (void *)14;
static __u64 (*const bpf_get_current_uid_gid)(void) = (void *)15;
static long (*const bpf_get_current_comm)(void *to, __u32 size) = (void *)16;
static __u64 (*const bpf_get_current_task)(void) = (void *)35;
static __u64 (*const bpf_get_current_cgroup_id)(void) = (void *)80;
static long (*const netcap_trace_printk)(const char *format, __u32 size, ...) = (void *)6;

#define bpf_probe_read(to, size, from)     bpf_probe_read_kernel(to, size, from)
#define bpf_probe_read_str(to, size, from) bpf_probe_read_kernel_str(to, size, from)
/* As bcc has it: without the size of the format. At most three values. */
#define bpf_trace_printk(format, values...)                                  \
	({                                                                   \
		char netcap_text[] = format;                                 \
		netcap_trace_printk(netcap_text, sizeof(netcap_text), ##values); \
	})
#define bpf_printk bpf_trace_printk

/* A value that lies in the kernel's memory; 0 if there is none. */
#define _(x)                                                                  \
	({                                                                    \
		typeof(x) netcap_value;                                       \
		bpf_probe_read_kernel(&netcap_value, sizeof(netcap_value), &(x)); \
		netcap_value;                                                 \
	})
/* As libbpf has it. Where it is, how long, and how far to shift in 64 bits: all of that may be another in each kernel. */
#define BPF_CORE_READ_BITFIELD(s, field)                                                                     \
	({                                                                                                   \
		__u64 netcap_bits = 0;                                                                       \
		bpf_probe_read_kernel(&netcap_bits, __builtin_preserve_field_info((s)->field, 1),            \
				      (const char *)(s) + __builtin_preserve_field_info((s)->field, 0));     \
		netcap_bits <<= __builtin_preserve_field_info((s)->field, 4);                                \
		__builtin_preserve_field_info((s)->field, 3) ?                                               \
			(__u64)((__s64)netcap_bits >> __builtin_preserve_field_info((s)->field, 5)) :        \
			netcap_bits >> __builtin_preserve_field_info((s)->field, 5);                         \
	})
#define BPF_CORE_READ_BITFIELD_PROBED BPF_CORE_READ_BITFIELD
#define bpf_core_field_exists(field...)  __builtin_preserve_field_info(netcap_field(field), 2)
#define bpf_core_field_size(field...)    __builtin_preserve_field_info(netcap_field(field), 1)
#define bpf_core_field_offset(field...)  __builtin_preserve_field_info(netcap_field(field), 0)
#define bpf_core_type_exists(type)       __builtin_preserve_type_info(*(typeof(type) *)0, 0)
#define bpf_core_type_size(type)         __builtin_preserve_type_info(*(typeof(type) *)0, 1)
#define bpf_core_enum_value_exists(type, value) \
	__builtin_preserve_enum_value(*(typeof(type) *)value, 0)
#define bpf_core_enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 1)
#define netcap_field1(field)             field
#define netcap_field2(type, field)       ((typeof(type) *)0)->field
#define netcap_field_n(_1, _2, name, ...) name
#define netcap_field(field...)           netcap_field_n(field, netcap_field2, netcap_field1)(field)

#define ntohs(x) __builtin_bswap16(x)
#define htons(x) __builtin_bswap16(x)
#define ntohl(x) __builtin_bswap32(x)
#define htonl(x) __builtin_bswap32(x)
#define bpf_ntohs ntohs
#define bpf_htons htons
#define bpf_ntohl ntohl
#define bpf_htonl htonl
#define be16_to_cpu ntohs
#define cpu_to_be16 htons
#define be32_to_cpu ntohl
#define cpu_to_be32 htonl
#define be64_to_cpu(x) __builtin_bswap64(x)
#define cpu_to_be64(x) __builtin_bswap64(x)

#define AF_UNSPEC 0
#define AF_UNIX   1
#define AF_INET   2
#define AF_INET6  10
#define AF_NETLINK 16
#define AF_PACKET 17
#define PF_INET   AF_INET
#define PF_INET6  AF_INET6
#define IFNAMSIZ  16
#define TASK_COMM_LEN 16
#define ETH_ALEN  6
#define ETH_HLEN  14
#define ETH_P_IP  0x0800
#define ETH_P_ARP 0x0806
#define ETH_P_8021Q 0x8100
#define ETH_P_IPV6 0x86dd
#define IP_DF     0x4000
#define IP_MF     0x2000
#define IP_OFFSET 0x1fff
#define TCPHDR_FIN 0x01
#define TCPHDR_SYN 0x02
#define TCPHDR_RST 0x04
#define TCPHDR_PSH 0x08
#define TCPHDR_ACK 0x10
#define TCPHDR_URG 0x20
#define PACKET_HOST 0
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2
#define PACKET_OTHERHOST 3
#define PACKET_OUTGOING 4
