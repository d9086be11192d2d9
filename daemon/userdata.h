/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of constants and texts of user code, in a map that nobody can write to any more. */
#ifndef USERDATA_H
#define USERDATA_H

#include "daemon/usercode.h"

/*
 * Makes the map, and puts it into the instructions that have the address of a constant. 0, also where there are no
 * constants, or negative errno. usercode_clear() closes the map; programs that were loaded keep it.
 */
int userdata_place(struct usercode *code);

#endif
