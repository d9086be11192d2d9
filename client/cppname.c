/* SPDX-License-Identifier: BSD-2-Clause */
#include "cppname.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define RUNTIME "libstdc++.so.6"
/*
 * Few names are longer, and the longer a hostile one is, the more it can make a demangler write: parts of a name may
 * refer to what stands before them.
 */
#define MANGLED_MOST 512

typedef char *(*demangle_function)(const char *mangled, char *buffer, size_t *size, int *status);

static demangle_function demangler(void)
{
	static demangle_function function;
	static bool tried;
	void *runtime;

	if (tried)
		return function;
	tried = true;
	runtime = dlopen(RUNTIME, RTLD_NOW | RTLD_LOCAL);
	if (runtime)
		*(void **)&function = dlsym(runtime, "__cxa_demangle");
	return function;
}

bool cppname_available(void)
{
	return demangler();
}

bool cppname_is_function(const char *symbol)
{
	/* _ZT, _ZG: tables, thunks, guards; ".cold": a part */
	return !strncmp(symbol, "_Z", 2) && symbol[2] != 'T' && symbol[2] != 'G' && !strchr(symbol, '.');
}

/* The identifier in front of parameters and template arguments; none, if the name ends with something else. */
static size_t last_identifier(const char *wanted, const char **identifier)
{
	const char *end = wanted + (wanted[0] != '\0'), *begin;

	end += strcspn(end, "(<");
	for (begin = end; begin > wanted && (isalnum((unsigned char)begin[-1]) || begin[-1] == '_');)
		begin--;
	*identifier = begin;
	return (size_t)(end - begin);
}

bool cppname_may_match(const char *symbol, const char *wanted)
{
	const char *identifier;
	size_t len = last_identifier(wanted, &identifier);

	/* functions stand in mangled names as they are written, operators do not */
	return cppname_is_function(symbol) &&
	       (strstr(wanted, "operator") || memmem(symbol, strlen(symbol), identifier, len));
}

char *cppname_demangle(const char *symbol)
{
	demangle_function function = demangler();
	int status;

	if (!function || strnlen(symbol, MANGLED_MOST + 1) > MANGLED_MOST)
		return NULL;
	return function(symbol, NULL, NULL, &status);
}

static bool matches_here(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	return !strncmp(name, wanted, len) && (!name[len] || strchr("(<[", name[len]));
}

bool cppname_matches(const char *demangled, const char *wanted)
{
	int depth = 0;

	if (matches_here(demangled, wanted))
		return true;
	/* a template has in front what it returns: "void ns::function<int>(int)" */
	for (const char *c = demangled; *c && (depth || *c != '('); c++) {
		depth += *c == '<';
		depth -= *c == '>' && depth > 0;
		if (*c == ' ' && !depth && matches_here(c + 1, wanted))
			return true;
	}
	return false;
}
