/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends numbered UDP packets: flood ADDRESS PORT COUNT RATE SIZE [mark]
 *
 * The payload of packet N (from 1) is "#NNNNNNNN#", then "x" up to SIZE bytes. RATE is in packets a
 * second, 0: as fast as possible. With "mark" packet N carries the mark N (SO_MARK), which trace
 * points on the way out see, and is SIZE + N % 256 bytes long. Prints "PACKETS NANOSECONDS": how many
 * were sent, and how long that took. Sends for 60 seconds at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH       32
#define PAYLOAD_MIN 10
#define PAYLOAD_MAX 1400
#define VARIATION   256
#define DEADLINE_NS 60000000000ull

struct flood {
	int fd;
	unsigned long count;
	unsigned long rate; /* packets a second, 0: no limit */
	size_t size;        /* bytes of payload */
	bool mark;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	char payloads[BATCH][PAYLOAD_MAX + VARIATION];
	union {
		char bytes[CMSG_SPACE(sizeof(uint32_t))];
		struct cmsghdr align;
	} controls[BATCH];
};

static struct flood flood;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static bool read_number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	return !errno && end != text && !*end && *value <= max;
}

static int connect_to(const char *address, unsigned long port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	int fd;

	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return -1;
	fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	return connect(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		       is_v4 ? sizeof(v4) : sizeof(v6))
		   ? -1
		   : fd;
}

static void prepare(struct flood *f)
{
	for (int i = 0; i < BATCH; i++) {
		struct msghdr *header = &f->messages[i].msg_hdr;

		memset(f->payloads[i], 'x', sizeof(f->payloads[i]));
		f->vectors[i] = (struct iovec){.iov_base = f->payloads[i], .iov_len = f->size};
		header->msg_iov = &f->vectors[i];
		header->msg_iovlen = 1;
		if (!f->mark)
			continue;
		header->msg_control = f->controls[i].bytes;
		header->msg_controllen = sizeof(f->controls[i].bytes);
		f->controls[i].align = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
							.cmsg_type = SO_MARK,
							.cmsg_len = CMSG_LEN(sizeof(uint32_t))};
	}
}

static void number(struct flood *f, int slot, unsigned long n)
{
	char text[PAYLOAD_MIN + 1];
	uint32_t mark = (uint32_t)n;

	snprintf(text, sizeof(text), "#%08lu#", n % 100000000);
	memcpy(f->payloads[slot], text, PAYLOAD_MIN);
	memcpy(CMSG_DATA(&f->controls[slot].align), &mark, sizeof(mark));
	if (f->mark)
		f->vectors[slot].iov_len = f->size + n % VARIATION;
}

static void wait_for_turn(const struct flood *f, uint64_t start, unsigned long sent)
{
	struct timespec t = {0};
	uint64_t due, now = now_ns();

	if (!f->rate)
		return;
	due = start + sent * 1000000000ull / f->rate;
	if (due <= now)
		return;
	t.tv_nsec = (long)((due - now) % 1000000000ull);
	nanosleep(&t, NULL);
}

/* The number of packets sent. A refusal by the receiver (ICMP) is not the end. */
static unsigned long send_all(struct flood *f)
{
	uint64_t start = now_ns();
	unsigned long sent = 0;

	while (sent < f->count && now_ns() - start < DEADLINE_NS) {
		unsigned long batch = f->rate && f->rate < 100000 ? 4 : BATCH;
		int n;

		if (batch > f->count - sent)
			batch = f->count - sent;
		for (unsigned long i = 0; i < batch; i++)
			number(f, (int)i, sent + i + 1);
		n = sendmmsg(f->fd, f->messages, (unsigned)batch, 0);
		if (n > 0)
			sent += (unsigned long)n;
		else if (errno != ECONNREFUSED && errno != ENOBUFS && errno != EINTR)
			break;
		wait_for_turn(f, start, sent);
	}
	return sent;
}

int main(int argc, char **argv)
{
	unsigned long port, size, sent;
	uint64_t start;

	if (argc < 6 || argc > 7 || !read_number(argv[2], 65535, &port) ||
	    !read_number(argv[3], 99999999, &flood.count) ||
	    !read_number(argv[4], 10000000, &flood.rate) ||
	    !read_number(argv[5], PAYLOAD_MAX, &size) || size < PAYLOAD_MIN ||
	    (argc == 7 && strcmp(argv[6], "mark"))) {
		fprintf(stderr,
			"usage: flood ADDRESS PORT COUNT RATE SIZE [mark], SIZE from %d to %d\n",
			PAYLOAD_MIN, PAYLOAD_MAX);
		return 2;
	}
	flood.size = size;
	flood.mark = argc == 7;
	flood.fd = connect_to(argv[1], port);
	if (flood.fd < 0) {
		fprintf(stderr, "flood: no socket to %s port %lu: %s\n", argv[1], port,
			strerror(errno));
		return 1;
	}
	prctl(PR_SET_TIMERSLACK, 1000); /* ns: the default of 50,000 would bound the rate */
	prepare(&flood);
	start = now_ns();
	sent = send_all(&flood);
	printf("%lu %" PRIu64 "\n", sent, now_ns() - start);
	return 0;
}
