/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the target call of one another. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

int target_function(int n);
int other_file(int n);
int both_shared(int n); /* in two libraries */
int only_shared(int n);
int only_other(int n);

#endif
