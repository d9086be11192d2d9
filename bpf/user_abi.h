/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the capture programs and the user's own code, as an object has it that netcapctl compiles
 * (client/compile.c) and the daemon takes in (daemon/usercode.c).
 *
 * An object has one or two programs, each in a section of its own:
 *
 *     netcap/filter     int netcap_user_filter(void *first, u64 packet, u32 point)
 *     netcap/action     int netcap_user_action(void *first, u64 packet, u32 length,
 *                                              struct xcap_user_extend *user, u32 point)
 *
 * first is the context of the program; or, where ".arg" follows in the section's name, the argument of the trace
 * point that the second @N names, as a number, and 0 without one. packet is the address of the sk_buff, xdp_buff or
 * xdp_frame as a number; length the packet's bytes; point the index of the trace point in the session. The filter
 * runs after the tcpdump filter; 0: the packet does not match. The action has filled *user, unless it returns 0.
 *
 * Both may have subprograms, and constants in sections .rodata*, without addresses in them. Neither has maps or variables
 * of its own. Addresses of the kernel may be read by plain loads: the daemon makes calls of bpf_probe_read_kernel() of
 * those. A plain load of a bit field may not be relocated by CO-RE. The section netcap.format is text with a line
 * "FIELD=FORMAT" for each field of struct xcap_user_extend that is to be shown in another way than its type says.
 */
#ifndef NETCAP_USER_ABI_H
#define NETCAP_USER_ABI_H

#define NETCAP_USER_FILTER  "netcap/filter"
#define NETCAP_USER_ACTION  "netcap/action"
#define NETCAP_USER_SUFFIX  ".arg"
#define NETCAP_USER_FORMATS "netcap.format"
#define NETCAP_USER_OBJECT  131072 /* most bytes of an object */

#endif
