/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines under a packet whose way through the trace points was gathered. */
#ifndef JOURNEYTEXT_H
#define JOURNEYTEXT_H

#include <stdio.h>
#include "journey.h"
#include "meta.h"

struct journeytext_colors { /* sequences of print_color(), NULL: none */
	const char *journey;
	const char *stack; /* where it is none, stacks have the journey's */
};

/*
 * What m says of the packet as a whole, then a line for each step, with its stack, one for each trace point that it did
 * not come to, and why its way ended where that matters. Control characters in names are shown escaped.
 */
void journeytext_print(FILE *out, const struct journey *j, const struct meta *m,
		       const struct journeytext_colors *colors);

#endif
