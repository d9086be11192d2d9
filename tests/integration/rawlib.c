/* SPDX-License-Identifier: BSD-2-Clause */
#include "rawlib.h"

#include <sys/sdt.h>

__attribute__((noinline)) size_t lib_take(const void *data, size_t len)
{
	__asm__ volatile("" : : "r"(data) : "memory");
	return len;
}

__attribute__((noinline)) size_t lib_probe(const void *data, size_t len)
{
	DTRACE_PROBE2(netcaplib, shared, data, len);
	return len;
}
