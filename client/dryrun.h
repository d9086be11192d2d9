/* SPDX-License-Identifier: BSD-2-Clause */
/* --dry-run: what would be attached, and the filter's programs. */
#ifndef DRYRUN_H
#define DRYRUN_H

#include "options.h"
#include "userspace.h"

/* Asks for the plan and prints it. An exit code. */
int dryrun_show(struct options *o, const struct userspace *u);

#endif
