/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics over HTTP, for Prometheus: GET /metrics at a socket that systemd passes, one request a connection. What
 * a stranger may take is bounded: connections, bytes of a request, and the time of a connection.
 */
#ifndef METRICSHTTP_H
#define METRICSHTTP_H

#include <stdbool.h>

struct event_base;
struct methods;
struct metricshttp;

#define METRICSHTTP_CONNECTIONS  8     /* at a time; others wait until they are accepted */
#define METRICSHTTP_HEADER_BYTES 8192  /* of a request's first line and headers */
#define METRICSHTTP_BODY_BYTES   65536 /* of what a client may send after them, to be ignored */
#define METRICSHTTP_SECONDS      10    /* from the beginning of a connection to its end */

/*
 * fd: a listening stream socket, taken over; -1: there is none. Others than Unix sockets and those at loopback
 * addresses are refused. wanted: what the configuration says. NULL: nothing is served; why, if that is not what was
 * wanted, is logged. methods must outlive it.
 */
struct metricshttp *metricshttp_new(struct event_base *base, const struct methods *methods, int fd, bool wanted);
/* After the end of the worker. Takes NULL. */
void metricshttp_free(struct metricshttp *h);

#endif
