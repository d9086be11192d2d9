/* SPDX-License-Identifier: BSD-2-Clause */
/* A shared library whose functions get packets, for tests of points in one. They return their second argument. */
#ifndef RAWLIB_H
#define RAWLIB_H

#include <stddef.h>

size_t lib_take(const void *data, size_t len);
/* Has a USDT probe netcaplib:shared with the same arguments. */
size_t lib_probe(const void *data, size_t len);

#endif
