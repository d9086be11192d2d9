/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "daemon/sessionconfig.h"

/*
 * Headers are made before the filter runs, so at every packet that has none. At a few functions that is what the user
 * wants; at all of them each packet on its way out would pay for it many times, so there it must be asked for.
 */
static enum netcap_fake fake_mode(const struct spec *spec, size_t points)
{
	if (!spec->fake_hdr)
		return spec->skb_data || points > SESSIONCONFIG_FAKE_MOST ? NETCAP_FAKE_NEVER : NETCAP_FAKE_AUTO;
	if (!strcmp(spec->fake_hdr, "auto"))
		return NETCAP_FAKE_AUTO;
	return strcmp(spec->fake_hdr, "always") ? NETCAP_FAKE_NEVER : NETCAP_FAKE_ALWAYS;
}

static enum netcap_gather gather_mode(const struct spec *spec)
{
	if (!spec->gather)
		return NETCAP_GATHER_NONE;
	if (spec_gathers_by_track(spec))
		return NETCAP_GATHER_TRACK;
	return strcmp(spec->gather, "pointer") ? NETCAP_GATHER_CONTENT : NETCAP_GATHER_POINTER;
}

void sessionconfig_fill(struct netcap_config *config, const struct spec *spec, const struct kernel *k, size_t points)
{
	memset(config, 0, sizeof(*config));
	config->snaplen = spec->snaplen;
	config->netns = spec->netns;
	config->mark = spec->mark;
	config->mark_mask = spec->mark_mask;
	config->pid = spec->pid;
	config->count = spec->count;
	config->stack = spec->stack;
	config->fake = fake_mode(spec, points);
	config->inner = spec->inner;
	config->track = spec->track || spec->gather;
	config->track_ends = spec->track_ends || spec_gathers_by_track(spec);
	config->gather = gather_mode(spec);
	config->gather_timeout_ns = (uint64_t)spec->gather_timeout_ms * 1000000;
	config->slower_ns = spec->slower_ns;
	config->histogram = spec->histogram;
	config->skb_data = spec->skb_data;
	config->skb_data_offset = spec->skb_data_offset;
	config->page_linear = k->page_linear;
	config->match_dev = spec->interface != NULL;
	config->match_comm = spec->comm != NULL;
	if (spec->interface)
		strncpy(config->dev, spec->interface, sizeof(config->dev) - 1);
	if (spec->comm)
		strncpy(config->comm, spec->comm, sizeof(config->comm) - 1);
}

void sessionconfig_add_user(struct netcap_config *config, const struct usercode *user)
{
	if (user->filter.count)
		config->user_filter = user->filter.argument ? NETCAP_USER_ARG : NETCAP_USER_CTX;
	if (user->action.count)
		config->user_action = user->action.argument ? NETCAP_USER_ARG : NETCAP_USER_CTX;
	config->user_words = (user->bytes + 15) / 16 * 2; /* an even number: see daemon/ring.c */
}
