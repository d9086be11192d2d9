/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of C++ functions. They are demangled by __cxa_demangle() of the C++ runtime (Itanium C++ ABI, 3.4), which is
 * loaded when the first such name is looked at: a client of C programs never has it.
 */
#ifndef CPPNAME_H
#define CPPNAME_H

#include <stdbool.h>

/* Whether symbol is the mangled name of a function: no thunk, table, guard, or part of a function. */
bool cppname_is_function(const char *symbol);
/* Whether it is worth to demangle a symbol in a search for wanted: cheap, and true for all that match. */
bool cppname_may_match(const char *symbol, const char *wanted);
/* The name as in the source, with types of parameters; the caller's to free. NULL: it is none, or without runtime. */
char *cppname_demangle(const char *symbol);
/*
 * Whether a demangled name is that of wanted: all of it, or all but parameters, template arguments and what it returns.
 * "ns::Class::method" is that of "ns::Class::method(int) const".
 */
bool cppname_matches(const char *demangled, const char *wanted);
/* False: there is no C++ runtime on this machine, and all names stay as they are. */
bool cppname_available(void);

#endif
