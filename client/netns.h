/* SPDX-License-Identifier: BSD-2-Clause */
/* Network namespaces: named on the command line, an inode number to the daemon. */
#ifndef NETNS_H
#define NETNS_H

#include <stdint.h>

struct netns {
	uint32_t inode;
	int fd; /* owned; open on the namespace, -1: known by its number only */
};

/*
 * Finds the namespace: a path if text has a slash, an inode number if it is all digits, else a name
 * of ip-netns(8). NULL: the caller's own. 0, or -1 with the sentence printed.
 */
int netns_find(struct netns *n, const char *text);
/*
 * Checks that the device exists in the namespace, and stores its real name (16 bytes; the given one
 * may be an alternative name) in name. Where the privileges do not allow a look into another
 * namespace, the name is taken as it is. 0, or -1 with a sentence that lists the devices.
 */
int netns_check_device(const struct netns *n, const char *device, char *name);
void netns_clear(struct netns *n);

#endif
