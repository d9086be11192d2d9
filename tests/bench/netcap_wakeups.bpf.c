/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netcapd's own program with the ring's default wake-ups: one for each record that finds the
 * consumer with nothing left to read. Its consumer never arms netcap_control, so 0 is all that
 * wake_flags() says.
 */
#include <linux/bpf.h>

#define BPF_RB_NO_WAKEUP 0

#include "netcap.bpf.c"
