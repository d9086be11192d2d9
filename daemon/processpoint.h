/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace points in user space, whose places the client has found: for probe.c. */
#ifndef PROCESSPOINT_H
#define PROCESSPOINT_H

#include "daemon/resolution.h"

/* What a trace point's second @N says there, and whether it needs one, is in netcapctl(1). */
void processpoint_resolve(struct resolution *r, const struct pointname *name);

#endif
