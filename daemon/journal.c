/* SPDX-License-Identifier: BSD-2-Clause */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/journal.h"
#include "daemon/log.h"

#define ROOM_BYTES (LOG_LINE_BYTES + 64) /* kept for what journal_send() adds */

/* Random, and never changed: people search for them. systemd/netcapd.catalog has a text for each. */
static const char *const ids[] = {
	[JOURNAL_SERVICE_STARTED] = "0d770c07b7c6423ebfcf5fb3bbdee5d0",
	[JOURNAL_SERVICE_STOPPED] = "1ecfd79e38194609bf20a8313966db79",
	[JOURNAL_CONFIG_READ] = "98a8915380e2486db039fea0b19f7989",
	[JOURNAL_CONFIG_REFUSED] = "a6d664ddedb94c2694335ce05ac21d1c",
	[JOURNAL_SESSION_STARTED] = "71dbc42ef99c4a34b665edd8dcea7eae",
	[JOURNAL_SESSION_ENDED] = "484162edd9e94fb582d48abbf413f1de",
	[JOURNAL_REFUSED] = "9e376e676226402f9f624b30d1816e45",
	[JOURNAL_STALLED] = "79abba5ea4304a8cb11fb387616387ff",
	[JOURNAL_STALL_ENDED] = "bd08cde592c5409d8729bebf49030bfe",
	[JOURNAL_DROP_SEEN] = "0425d868331d48d49aeed92429cfb12c",
	[JOURNAL_DROP_SUMMARY] = "11a3151153d8436bbe124cc34b2391dd",
	[JOURNAL_DROPS_SUPPRESSED] = "de720650b1474d34800143c274a9292a",
};

static uint64_t lost; /* entries that the journal did not take, since it took one */

/* A value with a newline has its length in front (systemd's "Native Journal Protocol"). */
static void put(struct journal_entry *e, const char *name, const char *value, size_t room)
{
	size_t name_len = strlen(name), len = strlen(value);
	bool lines = memchr(value, '\n', len) != NULL;
	uint64_t prefix = htole64(len);
	size_t need = name_len + 1 + (lines ? sizeof(prefix) : 0) + len + 1;
	char *at = e->bytes + e->len;

	if (need > sizeof(e->bytes) - room - e->len)
		return;
	at = mempcpy(at, name, name_len);
	*at++ = lines ? '\n' : '=';
	if (lines)
		at = mempcpy(at, &prefix, sizeof(prefix));
	at = mempcpy(at, value, len);
	*at = '\n';
	e->len += need;
}

void journal_text(struct journal_entry *e, const char *name, const char *value)
{
	if (value && *value)
		put(e, name, value, ROOM_BYTES);
}

void journal_number(struct journal_entry *e, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	journal_text(e, name, text);
}

void journal_begin(struct journal_entry *e, enum journal_message message, int priority)
{
	e->priority = priority;
	e->len = 0;
	journal_text(e, "MESSAGE_ID", ids[message]);
	journal_number(e, "PRIORITY", priority);
	journal_text(e, "SYSLOG_IDENTIFIER", "netcapd");
}

/*
 * One datagram from a socket of its own: entries are rare, and there is nothing to keep. sd_journal_sendv() waits for
 * room in the journal's queue, which is for ever when journald is stopped; so it is not used. 0 or negative errno.
 */
static int send_datagram(const struct journal_entry *e)
{
	static const struct sockaddr_un journal = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = sendto(fd, e->bytes, e->len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&journal,
		   sizeof(journal));
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

/* Standard error leads to the same journald, so what is lost for want of room is not written there either. */
static void to_journal(struct journal_entry *e, const char *line)
{
	char text[24];
	int r;

	put(e, "MESSAGE", line, 0);
	if (lost) {
		snprintf(text, sizeof(text), "%" PRIu64, lost);
		put(e, "NETCAP_JOURNAL_LOST", text, 0);
	}
	r = send_datagram(e);
	if (r == -EAGAIN)
		lost++;
	else if (r)
		log_line(e->priority, line);
	else
		lost = 0;
}

void journal_send(struct journal_entry *e, const char *format, ...)
{
	char line[LOG_LINE_BYTES];
	va_list arguments;

	if (!log_wants(e->priority))
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (log_is_journal())
		to_journal(e, line);
	else
		log_line(e->priority, line);
}
