/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An application of AF_XDP: xskecho DEVICE XSKMAP. A socket in copy mode on queue 0 of the device, which goes into the
 * pinned map at 0. What comes is passed to xsk_in(data, length), turned round (addresses and ports of UDP in IPv4
 * without options), passed to xsk_out(data, length), and sent back. Prints "ready PID". Each line on standard input
 * prints "received N sent M"; at the end of input it ends.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <xdp/xsk.h>

#define FRAMES      1024
#define FRAME_BYTES XSK_UMEM__DEFAULT_FRAME_SIZE
#define BATCH       64

struct echo {
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completion, rx;
	unsigned char *memory;
	unsigned long received, sent;
	__u32 outside; /* frames that the kernel has to send */
};

size_t xsk_in(const void *data, size_t len);
size_t xsk_out(const void *data, size_t len);

__attribute__((noinline)) size_t xsk_in(const void *data, size_t len)
{
	__asm__ volatile("" : : "r"(data) : "memory");
	return len;
}

__attribute__((noinline)) size_t xsk_out(const void *data, size_t len)
{
	__asm__ volatile("" : : "r"(data) : "memory");
	return len;
}

static void die(const char *what, int error)
{
	fprintf(stderr, "xskecho: %s: %s\n", what, strerror(error));
	exit(1);
}

static void open_socket(struct echo *e, const char *device, const char *map_path)
{
	const struct xsk_umem_config memory = {
		.fill_size = FRAMES,
		.comp_size = FRAMES,
		.frame_size = FRAME_BYTES,
	};
	const struct xsk_socket_config config = {
		.rx_size = FRAMES,
		.tx_size = FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY,
	};
	__u32 key = 0;
	int map = bpf_obj_get(map_path), fd, r;

	e->memory = mmap(NULL, FRAMES * FRAME_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (map < 0 || e->memory == MAP_FAILED)
		die(map_path, errno);
	r = xsk_umem__create(&e->umem, e->memory, FRAMES * FRAME_BYTES, &e->fill, &e->completion, &memory);
	if (r)
		die("xsk_umem__create", -r);
	r = xsk_socket__create(&e->socket, device, 0, e->umem, &e->rx, &e->tx, &config);
	if (r)
		die("xsk_socket__create", -r);
	fd = xsk_socket__fd(e->socket);
	if (bpf_map_update_elem(map, &key, &fd, BPF_ANY))
		die("the map does not take the socket", errno);
	close(map);
}

static void give_frame(struct echo *e, __u64 address)
{
	__u32 at;

	if (xsk_ring_prod__reserve(&e->fill, 1, &at) != 1)
		die("the fill ring", ENOBUFS);
	*xsk_ring_prod__fill_addr(&e->fill, at) = address;
	xsk_ring_prod__submit(&e->fill, 1);
}

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

/* The checksums stay right. */
static void turn_round(unsigned char *packet, size_t len)
{
	if (len < 42)
		return;
	swap(packet, packet + 6, 6);
	swap(packet + 26, packet + 30, 4);
	swap(packet + 34, packet + 36, 2);
}

static void reclaim(struct echo *e)
{
	__u32 at, n = xsk_ring_cons__peek(&e->completion, BATCH, &at);

	for (__u32 i = 0; i < n; i++)
		give_frame(e, *xsk_ring_cons__comp_addr(&e->completion, at + i));
	xsk_ring_cons__release(&e->completion, n);
	e->outside -= n;
	e->sent += n;
}

static void kick(struct echo *e)
{
	if (sendto(xsk_socket__fd(e->socket), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN &&
	    errno != EBUSY && errno != ENOBUFS)
		die("sendto", errno);
}

static void echo_batch(struct echo *e)
{
	__u32 at, to, n = xsk_ring_cons__peek(&e->rx, BATCH, &at);

	if (!n)
		return;
	if (xsk_ring_prod__reserve(&e->tx, n, &to) != n)
		die("the ring for sending", ENOBUFS);
	for (__u32 i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&e->rx, at + i);
		unsigned char *packet = e->memory + d->addr;

		xsk_in(packet, d->len);
		turn_round(packet, d->len);
		xsk_out(packet, d->len);
		*xsk_ring_prod__tx_desc(&e->tx, to + i) = *d;
	}
	xsk_ring_prod__submit(&e->tx, n);
	xsk_ring_cons__release(&e->rx, n);
	e->received += n;
	e->outside += n;
	while (e->outside) {
		kick(e);
		reclaim(e);
	}
}

/* False at the end of input. */
static bool answer(const struct echo *e)
{
	char line[64];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line));

	if (n <= 0)
		return false;
	printf("received %lu sent %lu\n", e->received, e->sent);
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	struct echo e = {};
	struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};

	if (argc != 3) {
		fprintf(stderr, "xskecho: give DEVICE XSKMAP\n");
		return 2;
	}
	open_socket(&e, argv[1], argv[2]);
	for (unsigned i = 0; i < FRAMES; i++)
		give_frame(&e, (__u64)i * FRAME_BYTES);
	printf("ready %d\n", getpid());
	fflush(stdout);
	fds[1].fd = xsk_socket__fd(e.socket);
	while (poll(fds, 2, -1) >= 0) {
		if (fds[1].revents)
			echo_batch(&e);
		else if (fds[0].revents && !answer(&e))
			break;
	}
	xsk_socket__delete(e.socket);
	xsk_umem__delete(e.umem);
	return 0;
}
