/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs of netcapctl. Each reads its own arguments and returns an exit code. */
#ifndef VERBS_H
#define VERBS_H

/* argv[0] is the verb; socket_path: --socket given before it, or NULL. */
typedef int verb_run(int argc, char **argv, const char *socket_path);

verb_run verb_skb, verb_xdp, verb_mbuf, verb_raw, verb_list, verb_stop, verb_stats, verb_points, verb_features, verb_reload, verb_drops,
	verb_metrics, verb_profile, verb_compile;

#endif
