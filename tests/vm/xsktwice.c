/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An AF_XDP socket in copy mode on queue 0 of a device: xsktwice DEVICE XSKMAP COUNT. Prints "ready", receives
 * COUNT packets, which it prints in hexadecimal, sends them back, and ends. XSKMAP is a pinned map, at 0 of which
 * the socket goes.
 */
#include <errno.h>
#include <poll.h>
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
#define RING        512
#define WAIT_MS     30000

struct twice {
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completion, rx;
	unsigned char *memory;
};

static void die(const char *what, int error)
{
	fprintf(stderr, "xsktwice: %s: %s\n", what, strerror(error));
	exit(1);
}

static void open_socket(struct twice *t, const char *device, const char *map_path)
{
	const struct xsk_umem_config memory = {
		.fill_size = RING,
		.comp_size = RING,
		.frame_size = FRAME_BYTES,
	};
	const struct xsk_socket_config config = {
		.rx_size = RING,
		.tx_size = RING,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY,
	};
	__u32 key = 0;
	int map = bpf_obj_get(map_path), fd, r;

	t->memory = mmap(NULL, FRAMES * FRAME_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (map < 0 || t->memory == MAP_FAILED)
		die(map_path, errno);
	r = xsk_umem__create(&t->umem, t->memory, FRAMES * FRAME_BYTES, &t->fill, &t->completion, &memory);
	if (r)
		die("xsk_umem__create", -r);
	r = xsk_socket__create(&t->socket, device, 0, t->umem, &t->rx, &t->tx, &config);
	if (r)
		die("xsk_socket__create", -r);
	fd = xsk_socket__fd(t->socket);
	if (bpf_map_update_elem(map, &key, &fd, BPF_ANY))
		die("the map does not take the socket", errno);
	close(map);
}

/* Frames 0 to RING - 1 are for what comes. */
static void give_frames(struct twice *t)
{
	__u32 at;

	if (xsk_ring_prod__reserve(&t->fill, RING, &at) != RING)
		die("the fill ring", ENOBUFS);
	for (__u32 i = 0; i < RING; i++)
		*xsk_ring_prod__fill_addr(&t->fill, at + i) = i * FRAME_BYTES;
	xsk_ring_prod__submit(&t->fill, RING);
}

static void wait_for(struct twice *t, short events)
{
	struct pollfd poll_fd = { .fd = xsk_socket__fd(t->socket), .events = events };

	if (poll(&poll_fd, 1, WAIT_MS) <= 0)
		die("no packet came", ETIMEDOUT);
}

/* Receives into packets; what stands there is never given back. */
static void receive(struct twice *t, struct xdp_desc *packets, unsigned count)
{
	for (unsigned have = 0; have < count;) {
		__u32 at, n = xsk_ring_cons__peek(&t->rx, count - have, &at);

		if (!n)
			wait_for(t, POLLIN);
		for (__u32 i = 0; i < n; i++) {
			const struct xdp_desc *d = xsk_ring_cons__rx_desc(&t->rx, at + i);

			packets[have++] = *d;
			for (__u32 b = 0; b < d->len; b++)
				printf("%02x", t->memory[d->addr + b]);
			puts("");
		}
		xsk_ring_cons__release(&t->rx, n);
	}
	fflush(stdout);
}

static void send_back(struct twice *t, const struct xdp_desc *packets, unsigned count)
{
	__u32 at, done = 0, i;

	if (xsk_ring_prod__reserve(&t->tx, count, &at) != count)
		die("the ring for sending", ENOBUFS);
	for (i = 0; i < count; i++)
		*xsk_ring_prod__tx_desc(&t->tx, at + i) = packets[i];
	xsk_ring_prod__submit(&t->tx, count);
	while (done < count) {
		__u32 n;

		if (sendto(xsk_socket__fd(t->socket), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
		    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
			die("sendto", errno);
		n = xsk_ring_cons__peek(&t->completion, count - done, &at);
		xsk_ring_cons__release(&t->completion, n);
		done += n;
	}
}

int main(int argc, char **argv)
{
	struct twice t = {};
	struct xdp_desc packets[RING];
	unsigned count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	if (!count || count > RING) {
		fprintf(stderr, "xsktwice: give DEVICE XSKMAP COUNT, 1 to %d packets\n", RING);
		return 2;
	}
	open_socket(&t, argv[1], argv[2]);
	give_frames(&t);
	puts("ready");
	fflush(stdout);
	receive(&t, packets, count);
	send_back(&t, packets, count);
	xsk_socket__delete(t.socket);
	xsk_umem__delete(t.umem);
	return 0;
}
