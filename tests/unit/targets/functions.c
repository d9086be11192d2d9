/* SPDX-License-Identifier: BSD-2-Clause */
/* A program with functions of every kind that has a name. It runs until its standard input ends. */
#include <stdio.h>
#include <unistd.h>

#include "functions.h"

__attribute__((noinline)) int target_function(int n)
{
	return n + other_file(n);
}

extern __typeof__(target_function) target_alias __attribute__((alias("target_function")));

static __attribute__((noinline)) int target_twin(int n)
{
	return n * 3 + (int)getpid();
}

int target_data = 7; /* no function */

/* Without a type, as assembler code often is. */
extern int target_assembler(void);
__asm__(".text\n.globl target_assembler\ntarget_assembler:\n\txorl %eax, %eax\n\tret\n");

static int chosen(int n)
{
	return n;
}

int target_ifunc(int n);

static __attribute__((used)) __typeof__(target_ifunc) *choose(void)
{
	return chosen;
}

int target_ifunc(int n) __attribute__((ifunc("choose")));

/* As a C++ compiler names them: ns::Class::method(int), (long), ns::single(), a thunk, and a template. */
#define CPP(function, name) \
	int function(void) __asm__(name); \
	int function(void) \
	{ \
		return __LINE__; \
	}

CPP(method_int, "_ZN2ns5Class6methodEi")
CPP(method_long, "_ZN2ns5Class6methodEl")
CPP(single, "_ZN2ns6singleEv")
CPP(single_cold, "_ZN2ns6singleEv.cold")
CPP(thunk, "_ZThn16_N2ns6singleEv")
CPP(template, "_ZN2ns8templateIiEEvT_")
CPP(constant, "_ZNK2ns5Class5constEv")
CPP(plus, "_ZN2nsplERKNS_5ClassES2_")

int main(void)
{
	int c, sum = 0;

	while ((c = getchar()) != EOF)
		sum += target_function(c) + target_twin(c) + target_assembler() + target_ifunc(c) + both_shared(c) +
		       target_data;
	return sum == 1;
}
