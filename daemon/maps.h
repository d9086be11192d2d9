/* SPDX-License-Identifier: BSD-2-Clause */
/* The BPF maps of a session. */
#ifndef MAPS_H
#define MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "daemon/template.h"
#include "spec.h"

#define MAPS_NONE { .control = -1, .counters = -1, .ring = -1, .made = -1, .sites = -1, .calls = -1, \
		    .track = -1, .tickets = -1, .lives = -1, .journeys = -1, .blank = -1, .edges = -1, .entered = -1 }

/*
 * Makes what all programs of a session share: control page, counters for points trace points, room for
 * headers that are made, and a ring of ring_bytes (rounded up to a power of two of pages). 0, or negative
 * errno; what was made stays in maps for maps_close().
 */
int maps_make_shared(struct template_maps *maps, uint32_t points, uint64_t ring_bytes);
/*
 * Makes the table of a shared program's functions: the union netcap_place of each address.
 * 0 or negative errno.
 */
int maps_make_sites(struct template_maps *maps, const uint64_t *addresses, const __u64 *words,
		    size_t count);
/* Makes the table of open calls, for all programs of a session. 0 or negative errno. */
int maps_make_calls(struct template_maps *maps);
/* Makes the table of open calls of functions in processes, for all programs of a session. 0 or negative errno. */
int maps_make_entered(struct template_maps *maps);
/*
 * Makes what follows packets, for all programs of a session: room for size sk_buffs; with ends for what tells that a
 * packet is gone, too. 0 or negative errno.
 */
int maps_make_track(struct template_maps *maps, uint32_t size, bool ends);
/* The same for a session that gathers. 0 or negative errno. */
int maps_make_gather(struct template_maps *maps, const struct spec *spec);
/* Bytes of kernel memory that these take, about. */
uint64_t maps_gather_bytes(const struct spec *spec);
/* How many sk_buffs are followed just now. */
uint64_t maps_count_track(const struct template_maps *maps);
/* Closes all; takes half-built ones, and leaves MAPS_NONE. */
void maps_close(struct template_maps *maps);

/* The control page, shared with the programs, or NULL with errno. To be unmapped by the caller. */
struct netcap_control *maps_map_control(const struct template_maps *maps);
void maps_unmap_control(struct netcap_control *control);
/*
 * Sums one point's counters over all CPUs. Bytes of scratch: maps_counter_bytes(). 0 or negative errno.
 */
int maps_read_counters(const struct template_maps *maps, uint32_t point,
		       struct netcap_counters *scratch, struct netcap_counters *sum);
/*
 * Waits until all BPF programs have ended that run now (but those that may sleep, of which there are none here), as the kernel
 * does before it lets go of a map in a map (Linux 4.20, 1ae80cf31938). Some 10 ms, and longer on a busy machine. 0 or negative
 * errno.
 */
int maps_wait_programs(const struct template_maps *maps);
/* How much scratch maps_read_counters() needs. */
size_t maps_counter_bytes(void);

#endif
