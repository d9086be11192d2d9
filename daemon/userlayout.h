/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in struct xcap_user_extend, from the types of an object; both programs look, each for its own sentences. */
#ifndef USERLAYOUT_H
#define USERLAYOUT_H

#include "daemon/strpool.h"
#include "daemon/usercode.h"

struct btf;

struct userlayout {
	struct usercode_field fields[USERCODE_FIELDS];
	uint32_t field_count;
	struct usercode_enum enums[USERCODE_ENUMERATORS];
	uint32_t enum_count;
	uint32_t bytes;
};

/*
 * function: the action's name, whose fourth parameter points to the structure. formats: lines "FIELD=FORMAT", or NULL.
 * Names go to strings. 0; -ENOMEM; or -EINVAL with a sentence in why.
 */
int userlayout_make(const struct btf *btf, const char *function, const char *formats, struct userlayout *layout,
		    struct strpool *strings, char *why, size_t size);

#endif
