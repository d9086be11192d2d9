/* SPDX-License-Identifier: BSD-2-Clause */
/* What droplog.h has to say, as entries of the journal. */
#ifndef DROPJOURNAL_H
#define DROPJOURNAL_H

#include "daemon/droplog.h"

/* A droplog_send; arg is not used. */
void dropjournal_send(void *arg, const struct droplog_entry *e);

#endif
