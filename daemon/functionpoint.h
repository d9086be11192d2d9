/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions as trace points: which ones a name means, and which argument is the packet. */
#ifndef FUNCTIONPOINT_H
#define FUNCTIONPOINT_H

#include "daemon/resolution.h"

/* Adds the functions of this name, or those that match the pattern, or what is wrong with it. */
void functionpoint_resolve(struct resolution *r, const struct pointname *name);

#endif
