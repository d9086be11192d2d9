/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closes descriptors that others had a hand in. close() may take as long as a stranger likes: a TCP
 * socket with SO_LINGER waits for its peer, a file of FUSE or NFS for its server, and a Unix socket
 * for whatever waits in it unread. The event loop cannot, so threads do it where it may block.
 */
#ifndef CLOSER_H
#define CLOSER_H

/*
 * Closes a descriptor that a stranger passed; -1 is nothing. It is closed now or some time later. Any
 * thread may call it.
 */
void closer_close(int fd);
/*
 * Ends a connected socket of the daemon's own: its peer sees the end of the stream before this
 * returns. Then closes it as closer_close() does.
 */
void closer_hang_up(int fd);

#endif
