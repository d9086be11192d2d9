/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters of lost packets in the kernel's text files under /proc/net. What is not the expected
 * text is counted as malformed and left out.
 */
#ifndef NETPROC_H
#define NETPROC_H

#include <stdio.h>

#include "daemon/netcounter.h"

/* /proc/net/softnet_stat: what each CPU dropped, and how often its time was too short. */
void netproc_softnet(FILE *file, struct netcounter_list *list);
/* /proc/net/netstat and /proc/net/snmp: a line of names and one of values for each protocol. */
void netproc_tables(FILE *file, struct netcounter_list *list);
/* /proc/net/snmp6: a name and a value in each line. */
void netproc_pairs(FILE *file, struct netcounter_list *list);

#endif
