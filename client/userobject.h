/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's code of a session: of the files that the command line names, one object for the daemon. */
#ifndef USEROBJECT_H
#define USEROBJECT_H

#include <stdio.h>
#include "options.h"

/*
 * Compiles and links what --user-filter and --user-action name, and puts the object into o->spec. Shows what is compiled
 * on show, if it is not NULL. An exit code; the sentence is printed.
 */
int userobject_make(struct options *o, FILE *show);
/* Makes the object at out of a source, for the kernel whose types are in the file btf (NULL: this one's). As above. */
int userobject_compile(const char *source, const char *out, const char *btf);

#endif
