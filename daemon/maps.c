/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "daemon/maps.h"
#include "daemon/quota.h"
#include "daemon/sitetable.h"

#define MAPS_EDGES       8192 /* times between trace points that the kernel keeps apart */
#define MAPS_LRU_SPARE   4096
#define MAPS_ENTRY_BYTES 80   /* of a hash, beside its value */

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static uint32_t ring_size(uint64_t bytes)
{
	uint64_t size = page_size();

	while (size < bytes)
		size *= 2;
	return size;
}

int maps_make_shared(struct template_maps *maps, uint32_t points, uint64_t ring_bytes)
{
	LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE);

	maps->control = bpf_map_create(BPF_MAP_TYPE_ARRAY, "netcap_control", sizeof(uint32_t),
				       sizeof(struct netcap_control), 1, &mapped);
	if (maps->control < 0)
		return -errno;
	maps->counters = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "netcap_counters",
					sizeof(uint32_t), sizeof(struct netcap_counters), points,
					NULL);
	if (maps->counters < 0)
		return -errno;
	maps->made = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "netcap_made", sizeof(uint32_t),
				    NETCAP_MADE_BYTES, NETCAP_MADE_SLOTS, NULL);
	if (maps->made < 0)
		return -errno;
	maps->ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "netcap_ring", 0, 0,
				    ring_size(ring_bytes), NULL);
	return maps->ring < 0 ? -errno : 0;
}

int maps_make_sites(struct template_maps *maps, const uint64_t *addresses, const __u64 *words, size_t count)
{
	struct netcap_site_bucket *buckets = sitetable_make(addresses, words, count, &maps->sites_bits);
	uint32_t size, r = 0;

	if (!buckets)
		return -ENOMEM;
	if (maps->sites >= 0)
		close(maps->sites);
	size = 1u << maps->sites_bits;
	maps->sites = bpf_map_create(BPF_MAP_TYPE_ARRAY, "netcap_sites", sizeof(uint32_t),
				     sizeof(*buckets), size, NULL);
	for (uint32_t i = 0; maps->sites >= 0 && !r && i < size; i++)
		if (buckets[i].addresses[0])
			r = bpf_map_update_elem(maps->sites, &i, &buckets[i], BPF_ANY);
	free(buckets);
	return maps->sites < 0 || r ? -errno : 0;
}

int maps_make_calls(struct template_maps *maps)
{
	maps->calls = bpf_map_create(BPF_MAP_TYPE_HASH, "netcap_calls", sizeof(uint64_t),
				     sizeof(uint8_t), NETCAP_CALLS_MOST, NULL);
	return maps->calls < 0 ? -errno : 0;
}

int maps_make_entered(struct template_maps *maps)
{
	maps->entered = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "netcap_entered", sizeof(struct netcap_entered),
				       sizeof(uint64_t), NETCAP_PROCESS_CALLS, NULL);
	return maps->entered < 0 ? -errno : 0;
}

static int fill_tickets(int fd)
{
	int r = 0;

	for (uint64_t number = 1; !r && number <= NETCAP_TRACK_TICKETS; number++)
		r = bpf_map_update_elem(fd, NULL, &number, BPF_ANY);
	return r ? -errno : 0;
}

int maps_make_track(struct template_maps *maps, uint32_t size, bool ends)
{
	maps->track = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "netcap_track", sizeof(uint64_t),
				     sizeof(struct netcap_trace), size, NULL);
	if (maps->track < 0)
		return -errno;
	if (ends)
		maps->lives = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "netcap_lives", sizeof(uint64_t),
					     sizeof(uint64_t), size, NULL);
	if (ends && maps->lives < 0)
		return -errno;
	maps->tickets = bpf_map_create(BPF_MAP_TYPE_QUEUE, "netcap_tickets", 0, sizeof(uint64_t),
				       NETCAP_TRACK_TICKETS, NULL);
	return maps->tickets < 0 ? -errno : fill_tickets(maps->tickets);
}

/* An LRU map forgets before it is full, by up to some hundred entries for each CPU; and packets have several sk_buffs. */
static uint32_t maps_gather_entries(const struct spec *spec)
{
	return 2 * spec->gather_size + MAPS_LRU_SPARE;
}

uint64_t maps_gather_bytes(const struct spec *spec)
{
	uint64_t entries = maps_gather_entries(spec), bytes = entries * QUOTA_TRACK_BYTES;

	if (spec->slower_ns)
		bytes += entries * (sizeof(struct netcap_journey) + MAPS_ENTRY_BYTES);
	if (spec->histogram)
		bytes += entries * (offsetof(struct netcap_journey, kept) + MAPS_ENTRY_BYTES) +
			 MAPS_EDGES * (MAPS_ENTRY_BYTES + sizeof(struct netcap_edge) * libbpf_num_possible_cpus());
	return bytes;
}

/* Of a way that is only counted the kernel keeps the head. */
static int make_journeys(struct template_maps *maps, const struct spec *spec)
{
	uint32_t bytes = spec->histogram ? offsetof(struct netcap_journey, kept) : sizeof(struct netcap_journey);

	maps->journeys = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "netcap_journeys", sizeof(uint64_t), bytes,
					maps_gather_entries(spec), NULL);
	if (maps->journeys < 0)
		return -errno;
	maps->blank = bpf_map_create(BPF_MAP_TYPE_ARRAY, "netcap_blank", sizeof(uint32_t), bytes, 1, NULL);
	if (maps->blank < 0)
		return -errno;
	if (!spec->histogram)
		return 0;
	maps->edges = bpf_map_create(BPF_MAP_TYPE_PERCPU_HASH, "netcap_edges", sizeof(uint64_t),
				     sizeof(struct netcap_edge), MAPS_EDGES, NULL);
	return maps->edges < 0 ? -errno : 0;
}

int maps_make_gather(struct template_maps *maps, const struct spec *spec)
{
	int r = maps_make_track(maps, maps_gather_entries(spec), spec_gathers_by_track(spec));

	return !r && (spec->histogram || spec->slower_ns) ? make_journeys(maps, spec) : r;
}

uint64_t maps_count_track(const struct template_maps *maps)
{
	uint64_t key, count = 0;

	for (void *last = NULL; !bpf_map_get_next_key(maps->track, last, &key); last = &key)
		count++;
	return count;
}

void maps_close(struct template_maps *maps)
{
	int *const fds[] = { &maps->control, &maps->counters, &maps->ring,    &maps->made, &maps->sites,
			     &maps->calls,   &maps->track,    &maps->tickets, &maps->lives,
			     &maps->journeys, &maps->blank,   &maps->edges, &maps->entered };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

struct netcap_control *maps_map_control(const struct template_maps *maps)
{
	void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, maps->control, 0);

	return page == MAP_FAILED ? NULL : page;
}

void maps_unmap_control(struct netcap_control *control)
{
	if (control)
		munmap(control, page_size());
}

size_t maps_counter_bytes(void)
{
	int cpus = libbpf_num_possible_cpus();

	return (cpus > 0 ? cpus : 1) * sizeof(struct netcap_counters);
}

int maps_read_counters(const struct template_maps *maps, uint32_t point,
		       struct netcap_counters *scratch, struct netcap_counters *sum)
{
	size_t cpus = maps_counter_bytes() / sizeof(*scratch);

	memset(sum, 0, sizeof(*sum));
	if (bpf_map_lookup_elem(maps->counters, &point, scratch))
		return -errno;
	for (size_t i = 0; i < cpus; i++) {
		sum->filtered += scratch[i].filtered;
		sum->captured += scratch[i].captured;
		sum->lost += scratch[i].lost;
		sum->limited += scratch[i].limited;
		sum->arrived += scratch[i].arrived;
	}
	return 0;
}

int maps_wait_programs(const struct template_maps *maps)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = maps->counters);
	const uint32_t first = 0;
	int outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "netcap_wait", sizeof(first), sizeof(maps->counters), 1,
				   &options), r;

	if (outer < 0)
		return -errno;
	r = bpf_map_update_elem(outer, &first, &maps->counters, BPF_ANY) ? -errno : 0;
	close(outer);
	return r;
}
