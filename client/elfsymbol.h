/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of a program or shared object:
 *
 *     NAME           as in .symtab or .dynsym, or a name of C++ without its parameters (cppname.h)
 *     NAME+0x10      so many bytes into it; decimal too
 *     0xADDRESS      as in the file's symbol table and in what objdump(1) shows
 *
 * Nobody checks that a place in the middle of a function is the beginning of an instruction, but the kernel, and that
 * only roughly.
 */
#ifndef ELFSYMBOL_H
#define ELFSYMBOL_H

#include "elffile.h"
#include "daemon/nearest.h"

#define ELFSYMBOL_MOST 8 /* that a sentence lists */

struct elfsymbol {
	uint64_t address, offset; /* of the place; in the file */
	uint64_t into;            /* bytes from the beginning of the function; 0 also where no symbol says which it is */
};

/*
 * debug: the file with the symbols of a stripped one, or NULL. 0, or a sentence in why (size bytes) with
 * -ENOENT: no such function, -ENOTUNIQ: several, which the sentence lists, -EOPNOTSUPP: it is chosen at run time
 * (IFUNC), -EINVAL: the text is none of these forms, or the place is not in code, -ENOMEM.
 */
int elfsymbol_find(const struct elffile *f, const struct elffile *debug, const char *text, struct elfsymbol *found,
		   char *why, size_t size);
/* Offers the names of all functions; they live as long as the files. */
void elfsymbol_offer(const struct elffile *f, const struct elffile *debug, const char *wanted, struct nearest *nearest);

#endif
