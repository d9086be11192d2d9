/* SPDX-License-Identifier: BSD-2-Clause */
/* What rawprog has in a second source file: a function by the name of another, and a probe with a semaphore. */
#ifndef RAWMORE_H
#define RAWMORE_H

#include <stdbool.h>
#include <stddef.h>

/* Calls this file's static function twin(). */
size_t rawmore_twin(const void *data, size_t len);
/* Passes the USDT probe netcapraw:guarded if its semaphore is set, that is, if somebody traces it. Was it? */
bool rawmore_guarded(const void *data, size_t len);

#endif
