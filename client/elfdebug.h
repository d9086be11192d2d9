/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The separate file with the symbols and types of a stripped one: by build-id, /usr/lib/debug/.build-id/xx/yyyy.debug,
 * or by .gnu_debuglink, a name with a CRC of the file (GDB's manual, "Debugging Information in Separate Files").
 */
#ifndef ELFDEBUG_H
#define ELFDEBUG_H

#include "elffile.h"

/*
 * Looks below root, as elffile_open_path() does. 0: debug is open, and the caller's to close. -ENOENT: there is none;
 * if one is there that belongs to another build, why (size bytes) says so, else it is "".
 */
int elfdebug_open(struct elffile *debug, const struct elffile *f, int root, char *why, size_t size);
/*
 * The file that several debug files have their common types in (dwz, .gnu_debugaltlink): its name as it stands in
 * debug, and its build-id. As above.
 */
int elfdebug_open_common(struct elffile *common, const struct elffile *debug, int root, const char *name,
			 const uint8_t *id, size_t id_len);

#endif
