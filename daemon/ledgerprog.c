/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf/ledger.h" /* the skeletons need its types */
#include "bpf/ledger_cast.skel.h"
#include "bpf/ledger_plain.skel.h"
#include "daemon/btftype.h"
#include "daemon/ledgerprog.h"
#include "daemon/tracepoint.h"

#define BATCH       256  /* rows in one call to the kernel */
#define TABLE_ROWS  4096 /* twice what the kernel has, so that one looks at few; a power of 2 */
#define GENERATIONS 2
#define GRACE_NS    1000000000ULL /* after which no program works on rows of the generation before */

/* What a row of the kernel had when it was read last. */
struct seen {
	struct ledger_key key;
	uint64_t packets; /* 0: this entry is free */
	uint64_t bytes;
};

struct ledgerprog {
	struct bpf_object *object; /* owned */
	struct bpf_link *link;     /* owned */
	struct ring_buffer *wake;  /* owned */
	struct ring_buffer *samples; /* owned */
	const struct ledgerprog_callbacks *callbacks; /* while samples are read, */
	void *arg;                                    /* and what goes with them */
	struct ledger_control *control; /* mapped; owned */
	int drops, overflow, program;   /* the object's descriptors */
	int cpus;
	struct ledger_key *keys;     /* owned: of one batch */
	struct ledger_value *values; /* owned: of one batch, each row with one per CPU */
	struct ledger_overflow *overflows; /* owned: one per CPU */
	struct seen *seen[GENERATIONS]; /* owned; TABLE_ROWS each */
	unsigned rows[GENERATIONS]; /* in the kernel, at the last reading */
	uint64_t turned;            /* when the present generation began, 0: there is no other */
	uint64_t overflow_packets, overflow_bytes, missed; /* at the last reading */
};

/* The objects that are made of the one source, best first. */
enum variant { CAST, PLAIN, VARIANTS };

static const void *(*const variants[VARIANTS])(size_t *size) = {
	[CAST] = ledger_cast__elf_bytes, /* with bpf_rdonly_cast() (Linux 6.2) */
	[PLAIN] = ledger_plain__elf_bytes,
};

/* ---- the program ---- */

/* The number of a reason that means that there was no drop, or ~0. */
static uint32_t reason_number(const struct kernel *k, const char *name)
{
	for (size_t i = 0; i < k->reason_count; i++)
		if (k->reasons[i] && !strcmp(k->reasons[i], name))
			return i;
	return ~0U;
}

static int configure(const struct kernel *k, const struct bpf_object *object, char *why, size_t size)
{
	static const char *const sockets[] = { "sock", NULL };
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.config");
	struct ledger_config config;
	struct tracepoint tp;
	int r = tracepoint_find(k->tracepoints, "skb", "kfree_skb", &tp, why, size);

	if (r)
		return r;
	config = (struct ledger_config){
		.has_reason = tp.reason == 2,
		.not_dropped = reason_number(k, "NOT_DROPPED_YET"),
		.consumed = reason_number(k, "CONSUMED"),
		.has_sock = tracepoint_pointer(k->btf, &tp, sockets) == 3,
	};
	return map ? bpf_map__set_initial_value(map, &config, sizeof(config)) : -ENOENT;
}

static int load(struct ledgerprog *p, const struct kernel *k, const void *(*elf_bytes)(size_t *size), char *why,
		size_t size)
{
	/* the path leaves modules' types out: see template.c */
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "netcap",
		    .btf_custom_path = "/sys/kernel/btf/vmlinux");
	size_t bytes;
	const void *elf = elf_bytes(&bytes);
	int r;

	p->object = bpf_object__open_mem(elf, bytes, &options);
	r = p->object ? configure(k, p->object, why, size) : -errno;
	if (!r)
		r = bpf_object__load(p->object);
	if (!r)
		return 0;
	bpf_object__close(p->object);
	p->object = NULL;
	return r;
}

static int map_fd(const struct ledgerprog *p, const char *name)
{
	return bpf_object__find_map_fd_by_name(p->object, name);
}

static int map_control(struct ledgerprog *p)
{
	void *page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			  map_fd(p, ".data.control"), 0);

	if (page == MAP_FAILED)
		return -errno;
	p->control = page;
	return 0;
}

static int on_wake(void *context, void *data, size_t len)
{
	return 0;
}

static int on_sample(void *context, void *data, size_t len)
{
	const struct ledgerprog *p = context;

	if (len >= LEDGER_SAMPLE_RECORD)
		p->callbacks->sample(p->arg, data);
	return 0;
}

static int prepare(struct ledgerprog *p)
{
	int r = map_control(p);

	if (r)
		return r;
	p->drops = map_fd(p, "netcap_drops");
	p->overflow = map_fd(p, "netcap_overflow");
	p->cpus = libbpf_num_possible_cpus();
	if (p->cpus < 0)
		return p->cpus;
	p->wake = ring_buffer__new(map_fd(p, "netcap_wake"), on_wake, NULL, NULL);
	p->samples = ring_buffer__new(map_fd(p, "netcap_samples"), on_sample, p, NULL);
	p->keys = calloc(BATCH, sizeof(*p->keys));
	p->values = calloc(BATCH * p->cpus, sizeof(*p->values));
	p->overflows = calloc(p->cpus, sizeof(*p->overflows));
	for (int g = 0; g < GENERATIONS; g++)
		p->seen[g] = calloc(TABLE_ROWS, sizeof(*p->seen[g]));
	return p->wake && p->samples && p->keys && p->values && p->overflows && p->seen[0] && p->seen[1] ? 0 : -ENOMEM;
}

static int attach(struct ledgerprog *p)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(p->object, "netcap_ledger");

	p->program = bpf_program__fd(program);
	p->link = bpf_program__attach(program);
	return p->link ? 0 : -errno;
}

struct ledgerprog *ledgerprog_new(const struct kernel *k, char *why, size_t size)
{
	struct ledgerprog *p = calloc(1, sizeof(*p));
	int r = p ? -EINVAL : -ENOMEM;

	*why = '\0';
	for (int v = btftype_has_function(k->btf, "bpf_rdonly_cast") ? CAST : PLAIN; p && !p->object && v < VARIANTS; v++)
		r = load(p, k, variants[v], why, size);
	if (!r)
		r = prepare(p) ?: attach(p);
	if (!r)
		return p;
	if (!*why)
		snprintf(why, size, "the kernel does not take the program that counts drops: %s", strerror(-r));
	ledgerprog_free(p);
	errno = -r;
	return NULL;
}

void ledgerprog_free(struct ledgerprog *p)
{
	if (!p)
		return;
	bpf_link__destroy(p->link);
	ring_buffer__free(p->wake);
	ring_buffer__free(p->samples);
	if (p->control)
		munmap(p->control, sysconf(_SC_PAGESIZE));
	bpf_object__close(p->object);
	free(p->keys);
	free(p->values);
	free(p->overflows);
	for (int g = 0; g < GENERATIONS; g++)
		free(p->seen[g]);
	free(p);
}

int ledgerprog_wake_fd(const struct ledgerprog *p)
{
	return map_fd(p, "netcap_wake");
}

void ledgerprog_arm(struct ledgerprog *p, bool armed)
{
	__atomic_store_n(&p->control->armed, armed, __ATOMIC_SEQ_CST);
	if (!armed)
		ring_buffer__consume(p->wake);
}

/* ---- its counts ---- */

static uint32_t hash_of(const struct ledger_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)], hash = 0;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15;
	return hash >> 32;
}

/* The entry of a row, or a free one. There is always one: the kernel has fewer rows. */
static struct seen *find_seen(struct seen *table, const struct ledger_key *key)
{
	uint32_t i = hash_of(key) % TABLE_ROWS;

	while (table[i].packets && memcmp(&table[i].key, key, sizeof(*key)))
		i = (i + 1) % TABLE_ROWS;
	return &table[i];
}

static void sum_up(const struct ledger_value *values, int cpus, struct ledgerprog_counts *sum)
{
	*sum = (struct ledgerprog_counts){};
	for (int i = 0; i < cpus; i++) {
		sum->packets += values[i].packets;
		sum->bytes += values[i].bytes;
		if (values[i].last_ns > sum->last)
			sum->last = values[i].last_ns;
		if (values[i].device[0])
			memcpy(sum->device, values[i].device, sizeof(sum->device) - 1);
	}
}

/* Reports what is new. Bytes may come one reading later than their packet. */
static int take_row(struct ledgerprog *p, const struct ledger_key *key, const struct ledger_value *values,
		    const struct ledgerprog_callbacks *callbacks, void *arg)
{
	struct seen *seen = find_seen(p->seen[key->generation % GENERATIONS], key);
	struct ledger_key plain = *key;
	struct ledgerprog_counts counts;
	uint64_t packets, bytes;

	sum_up(values, p->cpus, &counts);
	packets = counts.packets;
	bytes = counts.bytes;
	p->rows[key->generation % GENERATIONS]++;
	if (!packets || (packets == seen->packets && bytes == seen->bytes)) /* without packets its entry would be free */
		return 0;
	counts.packets -= seen->packets;
	counts.bytes -= seen->bytes;
	seen->key = *key;
	seen->packets = packets;
	seen->bytes = bytes;
	plain.generation = 0;
	callbacks->row(arg, &plain, &counts);
	return 1;
}

static int read_rows(struct ledgerprog *p, const struct ledgerprog_callbacks *callbacks, void *arg)
{
	uint32_t token = 0, count;
	int changed = 0, r = 0;

	memset(p->rows, 0, sizeof(p->rows));
	for (void *from = NULL; !r; from = &token) {
		count = BATCH;
		r = bpf_map_lookup_batch(p->drops, from, &token, p->keys, p->values, &count, NULL) ? -errno : 0;
		if (r && r != -ENOENT)
			return r;
		for (uint32_t i = 0; i < count; i++)
			changed += take_row(p, &p->keys[i], &p->values[i * p->cpus], callbacks, arg);
	}
	return changed;
}

/* The kernel runs no program on a CPU where it runs already (Linux 6.1): such drops are counted by it. */
static uint64_t read_missed(const struct ledgerprog *p)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(p->program, &info, &length) ? p->missed : info.recursion_misses;
}

static int read_overflow(struct ledgerprog *p, uint64_t now, const struct ledgerprog_callbacks *callbacks, void *arg)
{
	struct ledgerprog_counts counts = {};
	uint64_t packets = 0, bytes = 0, missed = read_missed(p);
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(p->overflow, &zero, p->overflows))
		return -errno;
	for (int i = 0; i < p->cpus; i++) {
		packets += p->overflows[i].packets;
		bytes += p->overflows[i].bytes;
		if (p->overflows[i].last_ns > counts.last)
			counts.last = p->overflows[i].last_ns;
	}
	if (missed != p->missed)
		counts.last = now;
	counts.packets = packets - p->overflow_packets + missed - p->missed;
	counts.bytes = bytes - p->overflow_bytes;
	p->overflow_packets = packets;
	p->overflow_bytes = bytes;
	p->missed = missed;
	if (!counts.packets && !counts.bytes)
		return 0;
	callbacks->overflow(arg, &counts);
	return 1;
}

/* Deletes the rows of the generation before, which have just been read for the last time. */
static void delete_old(struct ledgerprog *p)
{
	uint32_t old = !p->control->generation;

	for (size_t i = 0; i < TABLE_ROWS; i++)
		if (p->seen[old][i].packets)
			bpf_map_delete_elem(p->drops, &p->seen[old][i].key);
	memset(p->seen[old], 0, TABLE_ROWS * sizeof(*p->seen[old]));
	p->turned = 0;
}

static void turn(struct ledgerprog *p, uint64_t now)
{
	uint32_t present = p->control->generation;

	if (p->turned && now > p->turned + GRACE_NS) {
		delete_old(p);
	} else if (!p->turned && p->rows[present] >= LEDGER_TURN_ROWS) {
		__atomic_store_n(&p->control->generation, !present, __ATOMIC_SEQ_CST);
		p->turned = now;
	}
}

/* Programs add few to the ring while it is read: LEDGER_SAMPLES a second. */
static int read_samples(struct ledgerprog *p, const struct ledgerprog_callbacks *callbacks, void *arg)
{
	int r;

	p->callbacks = callbacks;
	p->arg = arg;
	r = ring_buffer__consume(p->samples);
	return r < 0 ? r : 0;
}

int ledgerprog_read(struct ledgerprog *p, uint64_t now, const struct ledgerprog_callbacks *callbacks, void *arg)
{
	int samples = read_samples(p, callbacks, arg);
	int rows = samples < 0 ? samples : read_rows(p, callbacks, arg), overflow;

	if (rows < 0)
		return rows;
	overflow = read_overflow(p, now, callbacks, arg);
	if (overflow < 0)
		return overflow;
	turn(p, now);
	return rows + overflow;
}
