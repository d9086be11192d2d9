/* SPDX-License-Identifier: BSD-2-Clause */
/* The second file of the target, with another function of the same name. */
#include <unistd.h>

#include "functions.h"

static __attribute__((noinline)) int target_twin(int n)
{
	return n * 5 + (int)getppid();
}

int other_file(int n)
{
	return target_twin(n) + only_shared(n) + only_other(n);
}
