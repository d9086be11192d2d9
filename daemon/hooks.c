/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "daemon/hooks.h"
#include "daemon/kprobe.h"
#include "daemon/template.h"
#include "daemon/uprobe.h"
#include "daemon/wallclock.h"

#define WHY_BYTES 512
#define NO_MEMORY "no memory to keep track of %s"

int hooks_backend_parse(const char *name, enum hooks_backend *backend)
{
	static const char *const names[] = { "auto", "fentry", "kprobe.multi", "kprobe" };

	*backend = HOOKS_AUTO;
	if (!name)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]))
			continue;
		*backend = i;
		return 0;
	}
	return -EINVAL;
}

static int append(int **fds, size_t *count, int fd)
{
	int *more = realloc(*fds, (*count + 1) * sizeof(*more));

	if (!more) {
		close(fd);
		return -ENOMEM;
	}
	*fds = more;
	more[(*count)++] = fd;
	return 0;
}

int hooks_keep_program(struct hooks *h, int fd, struct probe *owner)
{
	struct probe **owners = realloc(h->owners, (h->program_count + 1) * sizeof(*owners));

	if (!owners) {
		close(fd);
		return -ENOMEM;
	}
	h->owners = owners;
	owners[h->program_count] = owner;
	return append(&h->programs, &h->program_count, fd);
}

int hooks_keep_link(struct hooks *h, int fd)
{
	return append(&h->links, &h->link_count, fd);
}

int hooks_attach_event(struct hooks *h, int event, int program)
{
	int link, r = 0;

	if (event < 0)
		return event;
	link = bpf_link_create(program, event, BPF_PERF_EVENT, NULL);
	if (link >= 0)
		r = hooks_keep_link(h, link);
	else if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program)) /* before Linux 5.15 */
		r = -errno;
	if (!r && ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		r = -errno;
	if (r || link >= 0) {
		close(event); /* the link keeps it */
		return r;
	}
	return hooks_keep_link(h, event);
}

/* Where no header can be missing, nobody pays for a look whether one is. */
static __u8 fake_mode(const struct netcap_config *config, const struct probe *p)
{
	bool missing = !p->has_headers || config->skb_data || config->fake != NETCAP_FAKE_AUTO;

	return missing ? config->fake : NETCAP_FAKE_NEVER;
}

int hooks_load(struct hooks *h, const struct hooks_plan *plan, struct probe *p, uint32_t point,
	       bool shared, char *why, size_t size)
{
	struct netcap_config config = plan->config;
	const struct template_copy copy = {
		.config = &config,
		.kind = p->kind,
		.hook = p->hook == TEMPLATE_FEXIT ? TEMPLATE_FENTRY : p->hook,
		.filter = plan->filter ? &plan->filter[p->kind] : NULL,
		.user = plan->user,
		.btf_id = shared ? 0 : p->btf_id,
		.btf_fd = shared ? 0 : p->btf_fd,
	};
	int r;

	config.point = point;
	config.fake = fake_mode(&plan->config, p);
	config.skb_arg = p->skb;
	config.indirect = p->indirect;
	config.indirect_at = p->indirect_at;
	config.sock_arg = p->sock;
	config.flow_arg = p->flow;
	config.source = p->source;
	config.user_arg = p->user;
	config.location_arg = p->location;
	config.reason_arg = p->reason;
	config.filtered = plan->filter != NULL;
	config.calls = probe_is_return(p);
	config.sites_bits = plan->maps->sites_bits;
	config.access = kernel_access(plan->kernel, p->kind);
	r = template_load(plan->kernel->templates, &copy, plan->maps, why, size);
	if (r < 0)
		return r;
	if (!h->loaded)
		h->loaded = wallclock_monotonic();
	if (!hooks_keep_program(h, r, shared ? NULL : p))
		return h->programs[h->program_count - 1];
	snprintf(why, size, NO_MEMORY, p->text);
	return -ENOMEM;
}

/* Attaches a program that knows where it belongs. 0, or an error that stands in the probe. */
static int attach_program(struct hooks *h, struct probe *p, int program)
{
	/* with BTF the program itself says where it belongs (BPF_RAW_TRACEPOINT_OPEN, Linux 5.5) */
	int link = bpf_raw_tracepoint_open(p->hook == TEMPLATE_RAW_TP ? p->name : NULL, program);

	if (link < 0) {
		int error = errno;

		probe_fail(p, PROBE_FAILED, "the kernel did not attach to %s by %s: %s", p->text,
			   template_hook_name(p->hook), strerror(error));
		return -error;
	}
	if (!hooks_keep_link(h, link))
		return 0;
	probe_fail(p, PROBE_FAILED, NO_MEMORY, p->text);
	return -ENOMEM;
}

/* The second program of a function whose return is asked for. It counts no packets: its link keeps it. */
static int attach_return(struct hooks *h, const struct hooks_plan *plan, struct probe *p)
{
	struct netcap_config config = { .return_arg = p->returned.slot };
	const struct template_copy copy = {
		.config = &config,
		.kind = TEMPLATE_RETURN,
		.hook = TEMPLATE_FEXIT,
		.btf_id = p->btf_id,
		.btf_fd = p->btf_fd,
	};
	char why[WHY_BYTES];
	int program = template_load(plan->kernel->templates, &copy, plan->maps, why, sizeof(why)), r;

	if (program < 0) {
		probe_fail(p, PROBE_FAILED, "%s", why);
		return program;
	}
	r = attach_program(h, p, program);
	close(program);
	return r;
}

bool hooks_check(struct probe *p)
{
	const char *instead = p->hook == TEMPLATE_FEXIT ?
				      "leave fexit: out, and it is traced as it is entered" :
				      "leave the way to netcapd, or use kprobe";

	if (p->hook != TEMPLATE_FENTRY && p->hook != TEMPLATE_FEXIT)
		return true;
	if (p->copies)
		probe_fail(p, PROBE_REFUSED,
			   "the kernel has several functions named %s, and %s attaches to one of "
			   "them only: %s",
			   p->name, template_hook_name(p->hook), instead);
	else if (!p->btf_id)
		probe_fail(p, PROBE_REFUSED,
			   "the kernel has no type information for %s, which %s needs: %s", p->name,
			   template_hook_name(p->hook), instead);
	else if (p->btf_fd < 0)
		probe_fail(p, PROBE_REFUSED,
			   "%s is in a module, where %s needs CAP_SYS_ADMIN, which netcapd lacks: %s",
			   p->name, template_hook_name(p->hook), instead);
	return p->error == PROBE_OK;
}

static bool is_alone(const struct probe *p)
{
	return p->hook != TEMPLATE_KPROBE_MULTI && p->hook != TEMPLATE_KPROBE_ONE;
}

static int attach_entry(struct hooks *h, const struct hooks_plan *plan, struct probe *p)
{
	uint32_t point = p - plan->probes->items;
	char why[WHY_BYTES];
	int program = hooks_load(h, plan, p, point, false, why, sizeof(why));

	if (program >= 0)
		return attach_program(h, p, program);
	probe_fail(p, PROBE_FAILED, "%s", why);
	return program;
}

static void drop_links(struct hooks *h, size_t from)
{
	while (h->link_count > from)
		close(h->links[--h->link_count]);
}

/* Loads and attaches a program of the probe's own. 0, or an error that stands in the probe. */
static int attach_alone(struct hooks *h, const struct hooks_plan *plan, struct probe *p)
{
	size_t links = h->link_count;
	int r;

	if (probe_is_process(p)) {
		r = uprobe_attach(h, plan, p);
		if (r)
			drop_links(h, links);
		return r;
	}
	if (!hooks_check(p))
		return -EOPNOTSUPP;
	/* first: alone it does nothing, while the one at the entry would count */
	r = probe_is_return(p) ? attach_return(h, plan, p) : 0;
	if (!r)
		r = attach_entry(h, plan, p);
	if (r)
		drop_links(h, links);
	return r;
}

/* Are they more than fentry is for? */
static bool are_many(const struct probe_list *probes)
{
	size_t n = 0;

	for (size_t i = 0; i < probes->count && n <= HOOKS_FENTRY_MOST; i++)
		n += probes->items[i].error == PROBE_OK && probe_is_function(&probes->items[i]);
	return n > HOOKS_FENTRY_MOST;
}

/* What the user says about functions. False: nothing. */
static bool choose_as_asked(const struct hooks_plan *plan, struct probe *p)
{
	static const enum template_hook hooks[] = {
		[HOOKS_FENTRY] = TEMPLATE_FENTRY,
		[HOOKS_KPROBE_MULTI] = TEMPLATE_KPROBE_MULTI,
		[HOOKS_KPROBE] = TEMPLATE_KPROBE_ONE,
	};

	p->because = "it was asked for";
	if (p->asked == POINTNAME_FEXIT)
		p->hook = TEMPLATE_FEXIT;
	else if (p->asked == POINTNAME_FENTRY)
		p->hook = TEMPLATE_FENTRY;
	else if (plan->backend != HOOKS_AUTO)
		p->hook = hooks[plan->backend];
	else if (p->asked == POINTNAME_KPROBE)
		p->hook = TEMPLATE_KPROBE_MULTI;
	else
		return false;
	return true;
}

void hooks_choose(const struct hooks_plan *plan, struct probe *p)
{
	if (probe_is_program(p)) {
		p->hook = probe_is_return(p) ? TEMPLATE_FEXIT : TEMPLATE_FENTRY;
		p->because = "there is no other way to attach to a program";
		return;
	}
	if (probe_is_process(p))
		return; /* processpoint.c knows */
	if (!probe_is_function(p)) {
		p->because = p->btf_id ? "the kernel has its type" : "the kernel does not have its type";
		return;
	}
	if (choose_as_asked(plan, p))
		return;
	p->hook = TEMPLATE_KPROBE_MULTI;
	if (!p->btf_id) {
		p->because = "the kernel does not have its type, which fentry needs";
	} else if (p->btf_fd < 0) {
		p->because = "fentry in modules needs CAP_SYS_ADMIN";
	} else if (p->copies) {
		p->because = "several functions have this name, and fentry takes one";
	} else if (are_many(plan->probes)) {
		p->because = "one program serves all functions, and there are more than 8";
	} else {
		p->hook = TEMPLATE_FENTRY;
		p->because = "it costs a packet the least, and there are 8 functions at most";
	}
}

/* Only what was left to us to choose may be tried in another way. */
static bool may_fall_back(const struct hooks_plan *plan, const struct probe *p)
{
	return plan->backend == HOOKS_AUTO && p->asked == POINTNAME_FUNCTION;
}

static void clear_error(struct probe *p)
{
	free(p->why);
	p->why = NULL;
	p->error = PROBE_OK;
}

int hooks_attach(struct hooks *h, const struct hooks_plan *plan)
{
	struct probe_list *probes = plan->probes;
	bool *shared = calloc(probes->count, sizeof(*shared));
	size_t done = 0;
	int r;

	memset(h, 0, sizeof(*h));
	if (!shared)
		return -ENOMEM;
	for (size_t i = 0; i < probes->count; i++) {
		struct probe *p = &probes->items[i];

		if (p->error != PROBE_OK)
			continue;
		hooks_choose(plan, p);
		if (is_alone(p)) {
			r = attach_alone(h, plan, p);
			if (!r || !may_fall_back(plan, p)) {
				plan->progress(plan->arg, ++done);
				continue;
			}
			clear_error(p);
			p->hook = TEMPLATE_KPROBE_MULTI;
		}
		p->kind = template_shared(p->kind);
		shared[i] = true;
	}
	r = kprobe_attach(h, plan, shared, done);
	free(shared);
	return r;
}

uint64_t hooks_missed(const struct hooks *h)
{
	uint64_t shared = 0;

	for (size_t i = 0; i < h->program_count; i++) {
		struct bpf_prog_info info = {};
		uint32_t length = sizeof(info);

		if (bpf_obj_get_info_by_fd(h->programs[i], &info, &length))
			continue;
		/* Linux 5.12; 0 before */
		if (h->owners[i])
			h->owners[i]->missed = info.recursion_misses;
		else
			shared += info.recursion_misses;
	}
	return shared;
}

void hooks_close(struct hooks *h)
{
	for (size_t i = 0; i < h->link_count; i++)
		close(h->links[i]);
	for (size_t i = 0; i < h->program_count; i++)
		close(h->programs[i]);
	free(h->links);
	free(h->programs);
	free(h->owners);
	memset(h, 0, sizeof(*h));
}
