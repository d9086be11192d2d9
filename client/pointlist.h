/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of -f: trace points and profiles, separated by commas. */
#ifndef POINTLIST_H
#define POINTLIST_H

#include "jsonstrict.h"

/*
 * Adds what a list names to points: trace points as they are typed, with prefix ("mbuf:") in front if they do not say
 * on which side they are, and in the place of @NAME those of the profile, as texts of pointchoice.h. An exit code; the
 * sentence is printed.
 */
int pointlist_add(struct jsonstrict_strings *points, const char *list, const char *prefix);

#endif
