/* SPDX-License-Identifier: BSD-2-Clause */
/* Which ways of attaching to functions the kernel has, by trying them with a program that does nothing. */
#ifndef HOOKTRIAL_H
#define HOOKTRIAL_H

#include "daemon/kernel.h"

/* 0: it works; or negative errno. k may be all zero. Some milliseconds each. */
int hooktrial_fentry(const struct kernel *k);
int hooktrial_fexit(const struct kernel *k);
int hooktrial_kprobe_multi(const struct kernel *k);
int hooktrial_kprobe(const struct kernel *k);
int hooktrial_uprobe(void);

#endif
