/* SPDX-License-Identifier: BSD-2-Clause */
/* Two libraries of the target: -DNAME says what the function is called that only one of them has. */
#include "functions.h"

int both_shared(int n)
{
	return n + 1;
}

int NAME(int n)
{
	return both_shared(n) + 1;
}
