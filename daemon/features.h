/* SPDX-License-Identifier: BSD-2-Clause */
/* What this kernel and these privileges allow, found out by trying, for the method Features. */
#ifndef FEATURES_H
#define FEATURES_H

#include "daemon/deferred.h"

/* For deferred_start(). text is the sentence of kernel_open() if that failed, else NULL. */
void features_run(struct deferred_work *work);

#endif
