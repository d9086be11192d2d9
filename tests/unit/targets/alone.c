/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that needs no libraries. It runs until its standard input ends. */
#include <stdio.h>

int alone_function(int n);

__attribute__((noinline)) int alone_function(int n)
{
	return n + 1;
}

int main(void)
{
	int c, sum = 0;

	while ((c = getchar()) != EOF)
		sum += alone_function(c);
	return sum == 1;
}
