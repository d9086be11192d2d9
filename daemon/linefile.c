/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/linefile.h"

#define BUFFER_BYTES (2 * LINEFILE_LINE_BYTES)

/* Hands out the whole lines of a buffer; *used is then what is left at its beginning. */
static int take_lines(char *buffer, size_t *used, int (*take)(void *, char *, size_t), void *arg)
{
	char *line = buffer, *last = buffer + *used, *end;
	int r = 0;

	while (!r && (end = memchr(line, '\n', last - line))) {
		*end = 0;
		r = take(arg, line, end - line);
		line = end + 1;
	}
	*used = last - line;
	memmove(buffer, line, *used);
	return r;
}

int linefile_each(const char *path, int (*take)(void *arg, char *line, size_t length), void *arg)
{
	char buffer[BUFFER_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (!r && n) {
		n = read(fd, buffer + used, BUFFER_BYTES - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = -errno;
			break;
		}
		used += n;
		/* the last line may lack its end, and one that is too long gets one */
		if (used && (!n || used == BUFFER_BYTES) && !memchr(buffer, '\n', used))
			buffer[used++] = '\n';
		r = take_lines(buffer, &used, take, arg);
	}
	close(fd);
	return r;
}
