/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/kprobe.h"
#include "daemon/perfprobe.h"
#include "daemon/sites.h"

#define WHY_BYTES   512
#define LIST_ALWAYS 2 /* functions from which on it pays to ask tracefs what can be traced */

/* Everything about the functions of one kprobe_attach(). All share a program. */
struct job {
	struct hooks *hooks;
	const struct hooks_plan *plan;
	size_t count;         /* functions */
	struct probe **items; /* sorted by name */
	const char **names;   /* of items */
	struct site_list sites;
	uint64_t *addresses;  /* of sites, as the two below */
	__u64 *places;        /* union netcap_place */
	int *errors;          /* 0: attached */
	size_t done;          /* trace points */
	int pmu;              /* perf's number for kprobes */
	int error;            /* -ENOMEM */
};

static int compare(const void *a, const void *b)
{
	return strcmp((*(struct probe *const *)a)->name, (*(struct probe *const *)b)->name);
}

static struct probe *probe_at(const struct job *j, size_t site)
{
	return j->items[j->sites.items[site].name];
}

/* The sites of a function stand together: behind the last one of this site's. */
static size_t next_function(const struct job *j, size_t site)
{
	size_t name = j->sites.items[site].name;

	while (site < j->sites.count && j->sites.items[site].name == name)
		site++;
	return site;
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

static const char *error_text(int error)
{
	return error == -ENOENT || error == -EOPNOTSUPP ? "it has no kprobes for that" :
							  strerror(-error);
}

static void fail_name(const struct job *j, struct probe *p, int error)
{
	bool traceable = true;

	if (error == -EINVAL && !sites_traceable(j->plan->kernel->sites, &p->name, 1, &traceable) &&
	    !traceable) {
		refuse_untraceable(p);
		return;
	}
	probe_fail(p, PROBE_FAILED, "the kernel did not attach to %s by %s: %s", p->text,
		   template_hook_name(p->hook), error_text(error));
}

/* Sites from .. from + count have been tried: those functions are done whose last one is among them. */
static void sites_done(struct job *j, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		if (i + 1 == next_function(j, i))
			one_done(j);
}

/* ---- kprobe.multi ---- */

static int link_multi(const struct job *j, int program, size_t from, size_t count)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);
	int fd;

	options.kprobe_multi.cnt = count;
	options.kprobe_multi.addrs = (const unsigned long *)j->addresses + from;
	fd = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &options);
	return fd < 0 ? -errno : fd;
}

/* Does the kernel say that it has no kprobe.multi, rather than that it does not like these functions? */
static bool is_missing(int error)
{
	return error == -EOPNOTSUPP || error == -EINVAL || error == -ENOENT;
}

/* Can this one be attached by itself? */
static bool is_attachable(const struct job *j, int program, size_t i)
{
	int fd = link_multi(j, program, i, 1);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || !is_missing(fd);
}

/*
 * One address that cannot be traced fails the whole attach, and Linux 6.7 to 6.11 have no memory for many
 * at once: halve until it works. fd: the link of this range, or why it was refused.
 */
static void take_range(struct job *j, int program, size_t from, size_t count, int fd)
{
	size_t half = count / 2;

	if (fd >= 0 && hooks_keep_link(j->hooks, fd))
		j->error = -ENOMEM;
	if (fd >= 0 || count == 1) {
		j->errors[from] = fd < 0 ? fd : 0;
		sites_done(j, from, count);
		return;
	}
	take_range(j, program, from, half, link_multi(j, program, from, half));
	take_range(j, program, from + half, count - half,
		   link_multi(j, program, from + half, count - half));
}

/* 0, or why there is no kprobe.multi: then neither the first nor the last one works by itself. */
static int attach_multi(struct job *j, int program)
{
	size_t last = j->sites.count - 1;
	int fd = link_multi(j, program, 0, j->sites.count);

	if (fd < 0 && is_missing(fd) && !is_attachable(j, program, 0) &&
	    !is_attachable(j, program, last))
		return fd;
	take_range(j, program, 0, j->sites.count, fd);
	return 0;
}

/* ---- one kprobe each ---- */

int kprobe_attach_at(struct hooks *h, int pmu, uint64_t address, int program)
{
	return hooks_attach_event(h, perfprobe_open(pmu, NULL, address), program);
}

static void attach_each(struct job *j, int program)
{
	for (size_t i = 0; i < j->sites.count; i++) {
		j->errors[i] = kprobe_attach_at(j->hooks, j->pmu, j->addresses[i], program);
		sites_done(j, i, 1);
	}
}

/* ---- the program ---- */

static int load_program(struct job *j, enum template_hook hook, char *why, size_t size)
{
	int r = maps_make_sites(j->plan->maps, j->addresses, j->places, j->sites.count);

	if (r) {
		snprintf(why, size, "the kernel made no table of %zu functions: %s", j->sites.count,
			 strerror(-r));
		return r;
	}
	for (size_t i = 0; i < j->sites.count; i++)
		probe_at(j, i)->hook = hook;
	return hooks_load(j->hooks, j->plan, probe_at(j, 0), 0, true, why, size);
}

/* What became of each function: one that is attached in some of its places runs. */
static void judge(struct job *j)
{
	size_t next;

	for (size_t i = 0; i < j->sites.count; i = next) {
		struct probe *p = probe_at(j, i);
		size_t failed = 0;
		int error = 0;

		next = next_function(j, i);
		for (size_t k = i; k < next; k++) {
			failed += j->errors[k] != 0;
			error = j->errors[k] ? j->errors[k] : error;
		}
		if (failed == next - i)
			fail_name(j, p, error);
		else if (failed)
			probe_note(p, "the kernel has %zu functions named %s, and did not attach to "
				   "%zu of them: %s", next - i, p->name, failed, error_text(error));
	}
}

static void fail_sites(struct job *j, const char *why)
{
	for (size_t i = 0; i < j->sites.count; i = next_function(j, i))
		probe_fail(probe_at(j, i), PROBE_FAILED, "%s", why);
	sites_done(j, 0, j->sites.count);
}

/* All functions by kprobe.multi. 0: each has its verdict. Else why not, in a sentence too. */
static int try_multi(struct job *j, char *why, size_t size)
{
	int r;

	/* without bpf_loop() (Linux 5.17) there is no kprobe.multi (5.18) either */
	if (template_set_is_old(j->plan->kernel->templates)) {
		snprintf(why, size, "this kernel has no kprobe.multi, which is new in Linux 5.18");
		return -EOPNOTSUPP;
	}
	r = load_program(j, TEMPLATE_KPROBE_MULTI, why, size);
	if (r < 0)
		return r;
	r = attach_multi(j, r);
	if (r)
		snprintf(why, size, "the kernel did not attach by kprobe.multi: %s", error_text(r));
	return r;
}

static int try_each(struct job *j, char *why, size_t size)
{
	int program = load_program(j, TEMPLATE_KPROBE_ONE, why, size);

	if (program < 0)
		return program;
	attach_each(j, program);
	return 0;
}

static void attach_sites(struct job *j)
{
	char why[WHY_BYTES] = "";
	int r = -EOPNOTSUPP;

	if (probe_at(j, 0)->hook == TEMPLATE_KPROBE_MULTI)
		r = try_multi(j, why, sizeof(why));
	if (r && j->plan->backend != HOOKS_KPROBE_MULTI)
		r = try_each(j, why, sizeof(why));
	if (r)
		fail_sites(j, why);
	else
		judge(j);
}

/* ---- sites ---- */

/* Functions that tracefs does not list cannot be traced: notrace, inlined, or part of the tracer. */
static void drop_untraceable(struct job *j)
{
	bool *traceable = calloc(j->count, sizeof(*traceable));
	size_t kept = 0;

	if (!traceable ||
	    sites_traceable(j->plan->kernel->sites, j->names, j->count, traceable)) {
		free(traceable); /* then the kernel will say */
		return;
	}
	for (size_t i = 0; i < j->count; i++) {
		if (traceable[i]) {
			j->names[kept] = j->names[i];
			j->items[kept++] = j->items[i];
		} else {
			refuse_untraceable(j->items[i]);
			one_done(j);
		}
	}
	j->count = kept;
	free(traceable);
}

static void drop_siteless(struct job *j)
{
	size_t site = 0;

	for (size_t i = 0; i < j->count; i++) {
		while (site < j->sites.count && j->sites.items[site].name < i)
			site++;
		if (site < j->sites.count && j->sites.items[site].name == i)
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

static int job_open(struct job *j, const bool *marked, enum template_kind kind)
{
	const struct probe_list *probes = j->plan->probes;

	j->items = calloc(probes->count, sizeof(*j->items));
	j->names = calloc(probes->count, sizeof(*j->names));
	if (!j->items || !j->names)
		return -ENOMEM;
	for (size_t i = 0; i < probes->count; i++)
		if (marked[i] && probes->items[i].kind == kind)
			j->items[j->count++] = &probes->items[i];
	qsort(j->items, j->count, sizeof(*j->items), compare);
	drop_twins(j);
	for (size_t i = 0; i < j->count; i++)
		j->names[i] = j->items[i]->name;
	j->pmu = perfprobe_pmu();
	return 0;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct site *x = *(struct site *const *)a, *y = *(struct site *const *)b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Refuses functions that are left without a site, and takes the sites without an address out. */
static void keep_sites_with_address(struct job *j)
{
	size_t kept = 0, next;

	for (size_t i = 0; i < j->sites.count; i = next) {
		struct probe *p = probe_at(j, i);
		size_t before = kept;

		next = next_function(j, i);
		for (size_t k = i; k < next; k++)
			if (j->sites.items[k].address)
				j->sites.items[kept++] = j->sites.items[k];
		if (kept > before)
			continue;
		probe_fail(p, PROBE_REFUSED,
			   "%s is the same function as another of the trace points: give it once",
			   p->text);
		one_done(j);
	}
	j->sites.count = kept;
}

/*
 * One function under two names, as in veth:veth_xmit,veth_xmit, or by an alias: the program could not tell
 * them apart, and two kprobes at one address would count each packet twice. The first name has it.
 */
static int drop_aliases(struct job *j)
{
	struct site **order = calloc(j->sites.count + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < j->sites.count; i++)
		order[i] = &j->sites.items[i];
	qsort(order, j->sites.count, sizeof(*order), compare_addresses);
	for (size_t i = j->sites.count; i-- > 1;)
		if (order[i]->address == order[i - 1]->address)
			order[i]->address = 0;
	free(order);
	keep_sites_with_address(j);
	return 0;
}

/* What the kernel and the program are told of each site. */
static int fill_sites(struct job *j)
{
	j->addresses = calloc(j->sites.count + 1, sizeof(*j->addresses));
	j->places = calloc(j->sites.count + 1, sizeof(*j->places));
	j->errors = calloc(j->sites.count + 1, sizeof(*j->errors));
	if (!j->addresses || !j->places || !j->errors)
		return -ENOMEM;
	for (size_t i = 0; i < j->sites.count; i++) {
		const struct probe *p = probe_at(j, i);
		union netcap_place place = {
			.point = p - j->plan->probes->items,
			.skb_arg = p->skb,
			.user_arg = p->user < NETCAP_NO_PLACE ? p->user : NETCAP_NO_PLACE,
			.sock_arg = p->sock,
			.flow_arg = p->flow,
			.indirect = p->indirect,
			.indirect_at = p->indirect_at,
		};

		if (p->source)
			place.source = p->source;

		j->addresses[i] = j->sites.items[i].address;
		j->places[i] = place.word;
	}
	return 0;
}

static int attach_all(struct job *j)
{
	int r;

	if (j->count >= LIST_ALWAYS)
		drop_untraceable(j);
	r = sites_find(j->plan->kernel->sites, j->names, j->count, &j->sites);
	if (r) {
		fail_all(j, r);
		return 0;
	}
	drop_siteless(j);
	r = drop_aliases(j);
	if (r || !j->sites.count)
		return r;
	r = fill_sites(j);
	if (r)
		return r;
	attach_sites(j);
	return j->error;
}

/* Those of one kind share a program. */
static int attach_kind(struct hooks *h, const struct hooks_plan *plan, const bool *marked, enum template_kind kind,
		       size_t *done)
{
	struct job j = { .hooks = h, .plan = plan, .done = *done };
	int r = job_open(&j, marked, kind);

	if (!r && j.count)
		r = attach_all(&j);
	site_list_clear(&j.sites);
	free(j.items);
	free(j.names);
	free(j.addresses);
	free(j.places);
	free(j.errors);
	*done = j.done;
	return r;
}

int kprobe_attach(struct hooks *h, const struct hooks_plan *plan, const bool *marked, size_t done)
{
	int r = attach_kind(h, plan, marked, TEMPLATE_KPROBE, &done);

	return r ? r : attach_kind(h, plan, marked, TEMPLATE_XDP_KPROBE, &done);
}
