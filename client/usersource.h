/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of user code as text: which functions and types it has, which headers it includes, and what the comments of
 * struct xcap_user_extend say. The compiler checks the rest.
 */
#ifndef USERSOURCE_H
#define USERSOURCE_H

#include <stdbool.h>
#include <stddef.h>

#define USERSOURCE_BYTES (1 << 20) /* most of a file */
#define USERSOURCE_NAMES 256       /* most of each kind that are kept */
#define USERSOURCE_NAME_BYTES 128

struct usersource_name {
	char text[USERSOURCE_NAME_BYTES];
	unsigned line;
};

struct usersource_names {
	struct usersource_name *items; /* owned */
	size_t count;
};

struct usersource {
	char *text;                        /* owned; NUL-terminated */
	size_t len;
	struct usersource_names functions; /* that are defined */
	struct usersource_names types;     /* structures, unions, enumerations and typedefs that are defined */
	struct usersource_names headers;   /* in <> */
	char *formats;                     /* owned; a line "FIELD=FORMAT" each, or NULL */
	bool has_output;                   /* struct xcap_user_extend is defined */
};

/* Reads the file. 0, or negative errno: -EFBIG: more than USERSOURCE_BYTES. */
int usersource_read(struct usersource *s, const char *path);
/* Takes over text, allocated. 0 or -ENOMEM. */
int usersource_parse(struct usersource *s, char *text, size_t len);
void usersource_clear(struct usersource *s);
/* NULL: it is not among them. */
const struct usersource_name *usersource_find(const struct usersource_names *names, const char *name);

#endif
