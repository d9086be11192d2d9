/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/hooks.h"
#include "daemon/kprobe.h"
#include "daemon/perfprobe.h"
#include "daemon/target.h"
#include "daemon/uprobe.h"
#include "daemon/uprobemulti.h"
#include "daemon/wallclock.h"
#include "sdtarg.h"

#define WHY_BYTES 512
#define NOT_SUPPORTED 524 /* ENOTSUPP, which uprobes of the kernel return, and errno.h has not */

_Static_assert(NETCAP_MBUF_HEAD == MBUFLAYOUT_HEAD, "NETCAP_MBUF_HEAD: as in mbuflayout.h");
_Static_assert(NETCAP_PROCESS_BURST == LIMIT_BURST, "NETCAP_PROCESS_BURST: as in limit.h");
_Static_assert((int)NETCAP_VALUE_REGISTER == SDTARG_REGISTER && (int)NETCAP_VALUE_MEMORY == SDTARG_MEMORY,
	       "netcap_value_kind: as in sdtarg.h");

struct uprobe_ways {
	bool tried;
	bool multi; /* uprobe.multi works */
};

struct uprobe_ways *uprobe_ways_new(void)
{
	return calloc(1, sizeof(struct uprobe_ways));
}

static bool has_multi(const struct kernel *k)
{
	if (!k->uprobes->tried)
		k->uprobes->multi = !uprobemulti_try();
	k->uprobes->tried = true;
	return k->uprobes->multi;
}

/* The grammar was checked as the request was read. */
static struct netcap_value value_of(const char *text)
{
	struct sdtarg a = {};
	char why[WHY_BYTES];

	sdtarg_parse(text, &a, why, sizeof(why));
	return (struct netcap_value){
		.offset = a.offset,
		.kind = a.kind,
		.size = a.size,
		.is_signed = a.is_signed,
		.reg = a.reg,
		.index = a.index,
		.scale = a.scale,
		.shift = a.shift,
	};
}

#define NO_LENGTH "8@$0" /* of one mbuf, which knows its own */

static struct netcap_mbuf mbuf_of(const struct mbuf_layout *l)
{
	return (struct netcap_mbuf){
		.buf_addr = l->buf_addr,
		.data_off = l->data_off,
		.port = l->port,
		.ol_flags = l->ol_flags,
		.pkt_len = l->pkt_len,
		.data_len = l->data_len,
		.vlan_tci = l->vlan_tci,
		.vlan_tci_outer = l->vlan_tci_outer,
		.next = l->next,
	};
}

static void fill_config(struct netcap_config *config, const struct hooks_plan *plan, const struct probe *p,
			const struct uprobesite *site)
{
	*config = plan->config;
	config->point = p - plan->probes->items;
	config->location_arg = config->reason_arg = NETCAP_NO_ARG;
	config->filtered = plan->filter != NULL;
	config->access = kernel_access(plan->kernel, p->kind);
	config->stack = 0; /* of the kernel there is none */
	config->fake = NETCAP_FAKE_NEVER;
	config->restarts = 0;
	config->pid = 0; /* of trace points in the kernel */
	config->process = p->process;
	config->entered = site->is_return;
	config->packet = value_of(site->packet);
	config->length = value_of(site->length ? site->length : NO_LENGTH);
	config->mbuf = mbuf_of(&plan->spec->mbuf);
}

static int load(struct hooks *h, const struct hooks_plan *plan, struct probe *p, const struct uprobesite *site,
		enum template_kind kind)
{
	struct netcap_config config;
	const struct template_copy copy = {
		.config = &config,
		.kind = kind,
		.hook = p->hook,
		.filter = kind == TEMPLATE_PROCESS && plan->filter ? &plan->filter[kind] : NULL,
		.user = kind == TEMPLATE_PROCESS ? plan->user : NULL,
		.attach_type = has_multi(plan->kernel) ? UPROBEMULTI_ATTACH : 0,
	};
	char why[WHY_BYTES];
	int program;

	fill_config(&config, plan, p, site);
	program = template_load(plan->kernel->templates, &copy, plan->maps, why, sizeof(why));
	if (program < 0)
		probe_fail(p, PROBE_FAILED, "%s", why);
	else if (!h->loaded)
		h->loaded = wallclock_monotonic();
	return program;
}

static int refuse(struct probe *p, const struct uprobesite *site, int error)
{
	if (error == -ESRCH)
		probe_fail(p, PROBE_FAILED, "the process ended before %s could be attached", p->text);
	else if (error == -EINVAL || error == -EIO || error == -NOT_SUPPORTED)
		probe_fail(p, PROBE_REFUSED,
			   "the kernel does not take a probe of %s at byte 0x%" PRIx64 " of its file (%s): there must be an instruction that "
			   "it can put a breakpoint at",
			   p->text, (uint64_t)site->offset, strerror(error == -NOT_SUPPORTED ? ENOTSUP : -error));
	else if (error == -EACCES || error == -EPERM)
		probe_fail(p, PROBE_FAILED,
			   "the kernel does not let netcapd attach to %s (%s): without uprobe.multi, which works since Linux 6.10, it takes "
			   "kernel.perf_event_paranoid at 2 or less, or CAP_SYS_ADMIN (netcapd(8))",
			   p->text, strerror(-error));
	else
		probe_fail(p, PROBE_FAILED, "the kernel did not attach to %s by %s: %s", p->text, template_hook_name(p->hook),
			   error == -ENOENT ? "it has no uprobes (CONFIG_UPROBE_EVENTS)" : strerror(-error));
	return error;
}

/* Attaches a program to the place, which it keeps. */
static int attach(struct hooks *h, const struct hooks_plan *plan, struct probe *p, const struct uprobesite *site,
		  bool is_return, int program)
{
	const struct perfprobe_user where = {
		.fd = plan->lent->fds[site->binary],
		.offset = site->offset,
		.semaphore = site->semaphore,
		.pid = plan->spec->target,
		.is_return = is_return,
	};
	int r;

	if (has_multi(plan->kernel)) {
		int link = uprobemulti_link(&where, program);

		r = link < 0 ? link : hooks_keep_link(h, link);
	} else {
		r = hooks_attach_event(h, perfprobe_open_user(&where), program);
	}
	return r ? refuse(p, site, r) : 0;
}

/* Where functions are entered that will return: the program counts nothing, so its link keeps it. */
static int attach_entry(struct hooks *h, const struct hooks_plan *plan, struct probe *p, const struct uprobesite *site)
{
	int program = load(h, plan, p, site, TEMPLATE_ENTER), r;

	if (program < 0)
		return program;
	r = attach(h, plan, p, site, false, program);
	close(program);
	return r;
}

static int attach_site(struct hooks *h, const struct hooks_plan *plan, struct probe *p, const struct uprobesite *site)
{
	char why[WHY_BYTES];
	int program, r;

	if ((size_t)site->binary >= plan->lent->count) {
		probe_fail(p, PROBE_REFUSED, "a site of %s is in file %" PRId64 ", and %zu were lent", p->text, site->binary,
			   plan->lent->count);
		return -EINVAL;
	}
	r = target_check_file(plan->lent->fds[site->binary], why, sizeof(why));
	if (r) {
		probe_fail(p, PROBE_REFUSED, "%s cannot be traced: %s", p->text, why);
		return r;
	}
	program = load(h, plan, p, site, TEMPLATE_PROCESS);
	if (program < 0)
		return program;
	r = hooks_keep_program(h, program, p);
	if (r) {
		probe_fail(p, PROBE_FAILED, "no memory to keep track of %s", p->text);
		return r;
	}
	/* the return first: what is entered before it is there would wait for nothing */
	r = attach(h, plan, p, site, site->is_return, program);
	return r || !site->is_return ? r : attach_entry(h, plan, p, site);
}

int uprobe_attach(struct hooks *h, const struct hooks_plan *plan, struct probe *p)
{
	const struct uprobesite_list *sites = &plan->spec->sites;

	for (size_t i = 0; i < sites->count; i++) {
		int r = sites->items[i].point == p->entry ? attach_site(h, plan, p, &sites->items[i]) : 0;

		if (r)
			return r;
	}
	return 0;
}
