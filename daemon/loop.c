/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdint.h>

#include <event2/event.h>
#include <systemd/sd-daemon.h>

#include "daemon/loop.h"

struct event_base *loop_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && !event_config_require_features(config, EV_FEATURE_EARLY_CLOSE) &&
	    !event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER))
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	sd_notify(0, "WATCHDOG=1");
}

int loop_watch(struct event_base *base, struct event **watchdog)
{
	uint64_t usec = 0;
	struct timeval half;

	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	half = (struct timeval){ .tv_sec = usec / 2 / 1000000, .tv_usec = usec / 2 % 1000000 };
	*watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, NULL);
	return *watchdog && !event_add(*watchdog, &half) ? 0 : -ENOMEM;
}
