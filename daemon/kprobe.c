/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/perf_event.h>

#include "daemon/kprobe.h"
#include "daemon/sites.h"

#define WHY_BYTES   512
#define PMU_TYPE    "/sys/bus/event_source/devices/kprobe/type"
#define LIST_ALWAYS 2 /* functions from which on it pays to ask tracefs what can be traced */

/* Everything about the functions of one kprobe_attach(). */
struct job {
	struct hooks *hooks;
	const struct hooks_plan *plan;
	size_t count;         /* functions */
	struct probe **items; /* sorted by name */
	const char **names;   /* of items */
	struct site_list sites;
	size_t done;
	int pmu;              /* perf's number for kprobes */
	int error;            /* -ENOMEM */
};

/* The functions that share a program: where the skb is, is the same. */
struct group {
	struct probe *first;
	size_t count;
	uint64_t *addresses;
	__u64 *cookies;    /* index of the trace point */
	uint32_t *points;
	int *errors;       /* of those that kprobe.multi did not take */
};

static int compare(const void *a, const void *b)
{
	return strcmp((*(struct probe *const *)a)->name, (*(struct probe *const *)b)->name);
}

static bool same_place(const struct probe *a, const struct probe *b)
{
	return a->skb == b->skb && a->indirect == b->indirect && a->indirect_at == b->indirect_at &&
	       a->hook == b->hook;
}

static uint32_t point_of(const struct job *j, const struct probe *p)
{
	return p - j->plan->probes->items;
}

static void one_done(struct job *j)
{
	j->plan->progress(j->plan->arg, ++j->done);
}

static void refuse_untraceable(struct probe *p)
{
	probe_fail(p, PROBE_REFUSED,
		   "the kernel does not let %s be traced (it is not in available_filter_functions)",
		   p->text);
}

static void fail_name(struct probe *p, int error, const char *way)
{
	bool traceable = true;

	if (error == -EINVAL && !sites_traceable(&p->name, 1, &traceable) && !traceable) {
		refuse_untraceable(p);
		return;
	}
	probe_fail(p, PROBE_FAILED, "the kernel did not attach to %s by %s: %s", p->text, way,
		   error == -ENOENT || error == -EOPNOTSUPP ? "it has no kprobes for that" :
							      strerror(-error));
}

/* ---- kprobe.multi ---- */

static int link_multi(const struct group *g, int program, size_t from, size_t count)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);
	int fd;

	options.kprobe_multi.cnt = count;
	options.kprobe_multi.addrs = (const unsigned long *)g->addresses + from;
	options.kprobe_multi.cookies = g->cookies + from;
	fd = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &options);
	return fd < 0 ? -errno : fd;
}

/* Does the kernel say that it has no kprobe.multi, rather than that it does not like these functions? */
static bool is_missing(int error)
{
	return error == -EOPNOTSUPP || error == -EINVAL || error == -ENOENT;
}

/* Can this one be attached by itself? */
static bool is_attachable(const struct group *g, int program, size_t i)
{
	int fd = link_multi(g, program, i, 1);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || !is_missing(fd);
}

/*
 * One address that cannot be traced fails the whole attach, and Linux 6.7 to 6.11 have no memory for many
 * at once: halve until it works. Returns how many were attached, or negative errno if none was.
 */
static int attach_range(struct job *j, struct group *g, int program, size_t from, size_t count)
{
	int fd = link_multi(g, program, from, count), left, right;

	if (fd >= 0) {
		if (hooks_keep_link(j->hooks, fd))
			j->error = -ENOMEM;
		for (size_t i = from; i < from + count; i++)
			one_done(j);
		return count;
	}
	if (count == 1) {
		g->errors[from] = fd;
		return fd;
	}
	left = attach_range(j, g, program, from, count / 2);
	if (left < 0 && from == 0 && count == g->count && is_missing(left) &&
	    !is_attachable(g, program, count - 1))
		return left; /* neither the first nor the last by itself: there is no kprobe.multi */
	right = attach_range(j, g, program, from + count / 2, count - count / 2);
	if (left < 0)
		return right;
	return left + (right > 0 ? right : 0);
}

/* ---- one kprobe each ---- */

static int read_pmu(void)
{
	FILE *f = fopen(PMU_TYPE, "re");
	int type = -ENOENT;

	if (f && fscanf(f, "%d", &type) != 1)
		type = -ENOENT;
	if (f)
		fclose(f);
	return type;
}

/* name at an offset, or without name an address: perf_event_open(2) says little, kernel/events/core.c all. */
static int open_event(int pmu, const char *name, uint64_t address)
{
	struct perf_event_attr attributes = {
		.type = pmu,
		.size = sizeof(attributes),
		.config1 = (uintptr_t)name,
		.config2 = address,
	};
	int fd;

	if (pmu < 0)
		return pmu;
	fd = syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int kprobe_open_name(const char *function)
{
	return open_event(read_pmu(), function, 0);
}

static int attach_one(struct job *j, const struct group *g, int program, size_t i)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .perf_event.bpf_cookie = g->cookies[i]);
	int event = open_event(j->pmu, NULL, g->addresses[i]), link, r = 0;

	if (event < 0)
		return event;
	link = bpf_link_create(program, event, BPF_PERF_EVENT, &options);
	if (link >= 0)
		r = hooks_keep_link(j->hooks, link);
	else if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program)) /* before Linux 5.15 */
		r = -errno;
	if (!r && ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		r = -errno;
	if (r || link >= 0) {
		close(event); /* the link keeps it */
		return r;
	}
	return hooks_keep_link(j->hooks, event);
}

static void attach_each(struct job *j, struct group *g, int program)
{
	struct probe *p;
	int r;

	for (size_t i = 0; i < g->count && !j->error; i++) {
		p = &j->plan->probes->items[g->points[i]];
		r = attach_one(j, g, program, i);
		if (r)
			fail_name(p, r, "kprobe");
		one_done(j);
	}
}

/* ---- groups ---- */

static int group_room(struct group *g, size_t count)
{
	memset(g, 0, sizeof(*g));
	g->addresses = calloc(count, sizeof(*g->addresses));
	g->cookies = calloc(count, sizeof(*g->cookies));
	g->points = calloc(count, sizeof(*g->points));
	g->errors = calloc(count, sizeof(*g->errors));
	return g->addresses && g->cookies && g->points && g->errors ? 0 : -ENOMEM;
}

static void group_clear(struct group *g)
{
	free(g->addresses);
	free(g->cookies);
	free(g->points);
	free(g->errors);
}

/* All sites of functions like first, which are then taken. */
static void gather(struct job *j, struct group *g, struct probe *first, bool *taken)
{
	g->first = first;
	g->count = 0;
	for (size_t i = 0; i < j->sites.count; i++) {
		struct probe *p = j->items[j->sites.items[i].name];

		if (taken[i] || p->error != PROBE_OK || !same_place(p, first))
			continue;
		taken[i] = true;
		g->errors[g->count] = 0;
		g->addresses[g->count] = j->sites.items[i].address;
		g->points[g->count] = point_of(j, p);
		g->cookies[g->count++] = point_of(j, p);
	}
}

static void fail_group(struct job *j, struct group *g, int error, const char *why)
{
	for (size_t i = 0; i < g->count; i++) {
		struct probe *p = &j->plan->probes->items[g->points[i]];

		if (why)
			probe_fail(p, PROBE_FAILED, "%s", why);
		else
			fail_name(p, error, template_hook_name(p->hook));
		one_done(j);
	}
}

/* Those that were left when the others of the group had been attached. */
static void fail_some(struct job *j, const struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		if (!g->errors[i])
			continue;
		fail_name(&j->plan->probes->items[g->points[i]], g->errors[i], "kprobe.multi");
		one_done(j);
	}
}

static void set_hook(struct job *j, struct group *g, enum template_hook hook)
{
	for (size_t i = 0; i < g->count; i++)
		j->plan->probes->items[g->points[i]].hook = hook;
}

static int load_group(struct job *j, struct group *g, char *why, size_t size)
{
	if (template_set_is_old(j->plan->kernel->templates)) {
		int r = maps_make_sites(j->plan->maps, g->addresses, g->points, g->count);

		if (r) {
			snprintf(why, size, "the kernel made no table of %zu functions: %s",
				 g->count, strerror(-r));
			return r;
		}
	}
	return hooks_load(j->hooks, j->plan, g->first, 0, true, why, size);
}

static void attach_group(struct job *j, struct group *g)
{
	char why[WHY_BYTES];
	int program, attached = -EOPNOTSUPP;

	if (g->first->hook == TEMPLATE_KPROBE_MULTI &&
	    !template_set_is_old(j->plan->kernel->templates)) {
		program = load_group(j, g, why, sizeof(why));
		if (program >= 0)
			attached = attach_range(j, g, program, 0, g->count);
		if (attached >= 0) {
			fail_some(j, g);
			return;
		}
	}
	if (j->plan->backend == HOOKS_KPROBE_MULTI) {
		fail_group(j, g, attached, NULL);
		return;
	}
	set_hook(j, g, TEMPLATE_KPROBE_ONE);
	program = load_group(j, g, why, sizeof(why));
	if (program < 0)
		fail_group(j, g, program, why);
	else
		attach_each(j, g, program);
}

static void attach_groups(struct job *j)
{
	bool *taken = calloc(j->sites.count + 1, sizeof(*taken));
	struct group g;

	if (!taken || group_room(&g, j->sites.count + 1)) {
		j->error = -ENOMEM;
		free(taken);
		return;
	}
	for (size_t i = 0; i < j->sites.count && !j->error; i++) {
		struct probe *p = j->items[j->sites.items[i].name];

		if (taken[i] || p->error != PROBE_OK)
			continue;
		gather(j, &g, p, taken);
		attach_group(j, &g);
	}
	group_clear(&g);
	free(taken);
}

/* ---- sites ---- */

/* Functions that tracefs does not list cannot be traced: notrace, inlined, or part of the tracer. */
static void drop_untraceable(struct job *j)
{
	bool *traceable = calloc(j->count, sizeof(*traceable));

	if (!traceable || sites_traceable(j->names, j->count, traceable)) {
		free(traceable); /* then the kernel will say */
		return;
	}
	for (size_t i = 0; i < j->count; i++) {
		if (traceable[i])
			continue;
		refuse_untraceable(j->items[i]);
		one_done(j);
	}
	free(traceable);
}

static void drop_siteless(struct job *j)
{
	size_t site = 0;

	for (size_t i = 0; i < j->count; i++) {
		while (site < j->sites.count && j->sites.items[site].name < i)
			site++;
		if (j->items[i]->error != PROBE_OK ||
		    (site < j->sites.count && j->sites.items[site].name == i))
			continue;
		probe_fail(j->items[i], PROBE_REFUSED,
			   "%s has no place in the kernel: the compiler inlined it or gave it another "
			   "name",
			   j->items[i]->text);
		one_done(j);
	}
}

static void fail_all(struct job *j, int error)
{
	for (size_t i = 0; i < j->count; i++)
		probe_fail(j->items[i], PROBE_FAILED,
			   "the addresses of functions cannot be read (/proc/kallsyms: %s); set "
			   "kernel.kptr_restrict to 1 or 0, or give netcapd CAP_SYSLOG",
			   strerror(-error));
}

/* The same function in two ways, as in icmp_rcv,kprobe:icmp_rcv: the programs would be the same. */
static void drop_twins(struct job *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->count; i++) {
		if (kept && !strcmp(j->items[kept - 1]->name, j->items[i]->name)) {
			probe_fail(j->items[i], PROBE_REFUSED, "%s is the same as %s: give it once",
				   j->items[i]->text, j->items[kept - 1]->text);
			one_done(j);
		} else {
			j->items[kept++] = j->items[i];
		}
	}
	j->count = kept;
}

static int job_open(struct job *j, const bool *marked)
{
	const struct probe_list *probes = j->plan->probes;

	j->items = calloc(probes->count, sizeof(*j->items));
	j->names = calloc(probes->count, sizeof(*j->names));
	if (!j->items || !j->names)
		return -ENOMEM;
	for (size_t i = 0; i < probes->count; i++)
		if (marked[i])
			j->items[j->count++] = &probes->items[i];
	qsort(j->items, j->count, sizeof(*j->items), compare);
	drop_twins(j);
	for (size_t i = 0; i < j->count; i++)
		j->names[i] = j->items[i]->name;
	j->pmu = read_pmu();
	return 0;
}

int kprobe_attach(struct hooks *h, const struct hooks_plan *plan, const bool *marked, size_t done)
{
	struct job j = { .hooks = h, .plan = plan, .done = done };
	int r = job_open(&j, marked);

	if (!r && j.count) {
		if (j.count >= LIST_ALWAYS)
			drop_untraceable(&j);
		r = sites_find(j.names, j.count, &j.sites);
		if (r) {
			fail_all(&j, r);
		} else {
			drop_siteless(&j);
			attach_groups(&j);
		}
		r = j.error;
	}
	site_list_clear(&j.sites);
	free(j.items);
	free(j.names);
	return r;
}
