/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes sample.pcapng and sample.pcap into the folder given, for other programs to read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "meta.h"
#include "pcapng.h"

#define TIME_NS 1700000000123456789u

#define ETHERNET_HEADER 14

/* UDP from 192.0.2.1:1000 to 192.0.2.2:9000 with 4 bytes, in Ethernet. */
static const uint8_t frame[] = {
	2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
	0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0xf6, 0xc7, 192, 0, 2, 1, 192, 0, 2, 2,
	0x03, 0xe8, 0x23, 0x28, 0, 12, 0, 0, 't', 'e', 's', 't',
};

static const struct pcapng_interface interfaces[] = {
	{PCAPNG_LINK_ETHERNET, 256, "eth0", "tracepoint:skb:kfree_skb", "udp port 9000"},
	{PCAPNG_LINK_RAW, 256, "eth0", "tracepoint:skb:kfree_skb", "udp port 9000"},
	{PCAPNG_LINK_USER0, 256, NULL, "tracepoint:net:net_dev_queue", NULL},
};

#define INTERFACES (sizeof(interfaces) / sizeof(interfaces[0]))

static int put_packet(struct buf *out, uint32_t interface, const uint8_t *data, uint32_t len)
{
	const struct meta m = {
		.point = interfaces[interface].description,
		.reason = "NETFILTER_DROP",
		.comm = "n c",
		.protocol = 0x0800,
		.frames = 2,
		.stack = {"kfree_skb+0x1", "nf_hook_slow+0xa3"},
	};
	struct pcapng_packet p = {
		.interface = interface,
		.time_ns = TIME_NS + interface,
		.wire_len = len + 1000,
		.cap_len = len,
		.data = data,
	};
	char comment[META_TEXT_MAX];
	int ret = meta_format(&m, comment, sizeof(comment));

	if (ret < 0)
		return ret;
	p.comment = comment;
	p.comment_len = (size_t)ret;
	return pcapng_put_packet(out, &p);
}

static int put_pcapng(struct buf *out)
{
	const uint8_t *ip = frame + ETHERNET_HEADER;
	struct pcapng_statistics s = {.time_ns = TIME_NS + 10, .received = 9, .accepted = 5};
	int err = pcapng_put_section(out, "netcapd sample");

	for (size_t i = 0; !err && i < INTERFACES; i++)
		err = pcapng_put_interface(out, &interfaces[i]);
	if (!err)
		err = put_packet(out, 0, frame, sizeof(frame));
	if (!err)
		err = put_packet(out, 1, ip, sizeof(frame) - ETHERNET_HEADER);
	if (!err)
		err = put_packet(out, 2, frame, 5);
	for (; !err && s.interface < INTERFACES; s.interface++)
		err = pcapng_put_statistics(out, &s);
	return err;
}

static int put_pcap(struct buf *out)
{
	int err = pcap_put_header(out, PCAPNG_LINK_ETHERNET, 256);

	if (!err)
		err = pcap_put_packet(out, TIME_NS, sizeof(frame), sizeof(frame), frame);
	if (!err)
		err = pcap_put_packet(out, TIME_NS + 1, 1000, sizeof(frame) - 1, frame);
	return err;
}

static int save(const char *folder, const char *name, int (*put)(struct buf *out))
{
	char path[4096];
	struct buf b;
	FILE *f;
	int err;

	buf_init(&b, 0);
	err = put(&b);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = err ? NULL : fopen(path, "w");
	if (!err && !f)
		err = -errno;
	if (f && fwrite(buf_head(&b), 1, buf_len(&b), f) != buf_len(&b))
		err = -EIO;
	if (f && fclose(f))
		err = -errno;
	buf_clear(&b);
	if (err)
		fprintf(stderr, "The sample %s could not be written: %s.\n", path, strerror(-err));
	return err;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "Usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	return save(argv[1], "sample.pcapng", put_pcapng) || save(argv[1], "sample.pcap", put_pcap);
}
