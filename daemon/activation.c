/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "daemon/activation.h"
#include "daemon/log.h"

#define METRICS "metrics"

static bool is_route(int fd)
{
	int protocol;
	socklen_t length = sizeof(protocol);

	return sd_is_socket(fd, AF_NETLINK, 0, -1) > 0 &&
	       !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) && protocol == NETLINK_ROUTE;
}

/* False: it is of no use. */
static bool take(struct activation *a, int fd, const char *name)
{
	if (!strcmp(name, METRICS) && a->metrics < 0)
		a->metrics = fd;
	else if (a->control < 0 && sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0 && !fcntl(fd, F_SETFL, O_NONBLOCK))
		a->control = fd;
	else if (a->route < 0 && is_route(fd) && !fcntl(fd, F_SETFL, 0)) /* the worker waits for answers */
		a->route = fd;
	else
		return false;
	return true;
}

int activation_take(struct activation *a)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names), useless = 0;

	*a = (struct activation)ACTIVATION_NONE;
	for (int i = 0; i < n; i++) {
		useless += !take(a, SD_LISTEN_FDS_START + i, names[i]);
		free(names[i]);
	}
	free(names);
	if (n <= 0 || (a->control >= 0 && !useless))
		return 0;
	log_error("systemd passes %d descriptors; netcapd takes one listening Unix stream socket, one of NETLINK_ROUTE, and "
		  "one named \"" METRICS "\": check netcapd.socket and netcapd-metrics.socket",
		  n);
	return -EINVAL;
}
