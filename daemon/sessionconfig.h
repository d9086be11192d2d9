/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session asks for, as constants of its programs. */
#ifndef SESSIONCONFIG_H
#define SESSIONCONFIG_H

#include <stddef.h>

#include "bpf/record.h"
#include "daemon/kernel.h"
#include "daemon/usercode.h"
#include "spec.h"

/* At more trace points than this, headers that are missing are made only if that is asked for. */
#define SESSIONCONFIG_FAKE_MOST 256

/* points: how many trace points there are. What differs between a session's programs is left 0. */
void sessionconfig_fill(struct netcap_config *config, const struct spec *spec, const struct kernel *k, size_t points);
/* Adds what the user's code, if there is any, needs. */
void sessionconfig_add_user(struct netcap_config *config, const struct usercode *user);

#endif
