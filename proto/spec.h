/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture session as it is asked for: the parameters of io.netcap.Capture.Start. */
#ifndef SPEC_H
#define SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>
#include "jsonstrict.h"
#include "mbuflayout.h"
#include "uprobesite.h"

struct spec {
	struct jsonstrict_strings points; /* at least one, pointname grammar */
	char *filter;      /* tcpdump expression, NULL: everything */
	char *interface;   /* device name, NULL: any */
	char *comm;        /* task name, NULL: any */
	char *backend;     /* how functions are attached, NULL: as is best */
	char *fake_hdr;    /* "auto", "always", "never": make headers that are missing; NULL: auto, but
			      never with skb_data or many trace points */
	char *packets;     /* "skb" or "xdp": what holds those that are meant, NULL: skb */
	char *gather;      /* show each packet's way through the trace points, by what it is known: "track",
			      "pointer", "content"; NULL: each event by itself */
	char *user_code;   /* object with the user's filter or action (bpf/user_abi.h) as base64, NULL: none */
	int64_t netns;     /* inode number, 0: any */
	int64_t mark;      /* with mark_mask; 0..2^32-1 */
	int64_t mark_mask; /* 0: any mark */
	int64_t pid;       /* process id, 0: any */
	int64_t target;    /* process id of those trace points that are in user space, 0: all processes */
	int64_t snaplen;   /* bytes of each packet */
	int64_t count;     /* packets, 0: no limit */
	int64_t ring_bytes;
	int64_t skb_data_offset; /* bytes from skb->data, with skb_data */
	int64_t track_size; /* sk_buffs followed at a time, with track */
	int64_t gather_timeout_ms; /* how long nothing comes of a packet before its way is over, with gather */
	int64_t gather_size; /* packets whose ways are open at a time, with gather */
	int64_t slower_ns; /* only packets that take longer from their first trace point to another, with gather;
			      0: all */
	bool histogram;    /* send no packets, only how long they took, with gather */
	bool gather_summary; /* say how long they took while the session runs, with gather */
	bool stack;        /* keep the kernel stack */
	bool inner;        /* packets are those in tunnels */
	bool track;        /* follow packets that matched once */
	bool track_ends;   /* say when all of such a packet is freed, with track */
	bool skb_data;     /* packets are Ethernet frames and begin at skb->data */
	bool dry_run;      /* plan only */
	bool force;        /* many trace points without a filter */
	bool user_filter;  /* the filter in user_code is wanted */
	bool user_action;  /* and its action */
	bool user_log;     /* what the verifier says of it is wanted, if it refuses */
	bool quiet;        /* no counts while the session runs */
	struct uprobesite_list sites; /* of the trace points in user space */
	struct mbuf_layout mbuf;      /* what an mbuf looks like there, with has_mbuf */
	bool has_mbuf;
	struct json_object *raw_sites, *raw_mbuf; /* of the parameters, while they are read */
};

/* Defaults from limit.h. Never fails. */
void spec_init(struct spec *s);
void spec_clear(struct spec *s);
/*
 * Reads the parameters of Start into an initialised spec. 0, -EINVAL with the member's name in *field
 * and a sentence in why, or -ENOMEM. Trace points are checked for grammar only.
 */
int spec_from_json(struct spec *s, struct json_object *parameters, const char **field, char *why,
		   size_t size);
/*
 * What there is of user space, as part of spec_from_json(): sites, mbufLayout, and what goes together. As that.
 */
int spec_read_process(struct spec *s, const char **field, char *why, size_t size);
/* Are packets of XDP meant, not those in an skb? */
bool spec_is_xdp(const struct spec *s);
/* Are packets of XDP meant at any trace point? */
bool spec_has_xdp(const struct spec *s);
/* Has it trace points in user space? */
bool spec_has_process(const struct spec *s);
/* And others? */
bool spec_has_kernel(const struct spec *s);
/* Has this session's kind of gathering to know when packets are copied and freed? */
bool spec_gathers_by_track(const struct spec *s);
/* What a member packets may be. NULL is skb. 0, or -EINVAL with a sentence in why. */
int spec_check_packets(const char *packets, char *why, size_t size);
/* The parameters of Start; defaults are left out. NULL: out of memory. */
struct json_object *spec_to_json(const struct spec *s);

#endif
