/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes BTF with the same structure as mbuf.c has, made by hand, to the file of its argument. */
#include <bpf/btf.h>
#include <stdio.h>

static int scalar(struct btf *btf, const char *name, int bytes)
{
	return btf__add_int(btf, name, (size_t)bytes, 0);
}

/* The unions without names, one of them behind a const. */
static int add_lengths(struct btf *btf, int u16, int u32)
{
	int lengths;

	btf__add_struct(btf, NULL, 8);
	btf__add_field(btf, "pkt_len", u32, 0, 0);
	lengths = btf__add_field(btf, "data_len", u16, 32, 0) ? -1 : (int)btf__type_cnt(btf) - 1;
	btf__add_union(btf, NULL, 8);
	btf__add_field(btf, NULL, lengths, 0, 0);
	return btf__add_const(btf, (int)btf__type_cnt(btf) - 1);
}

int main(int argc, char **argv)
{
	struct btf *btf = btf__new_empty();
	int u16 = scalar(btf, "unsigned short", 2), u32 = scalar(btf, "unsigned int", 4);
	int u64 = scalar(btf, "unsigned long", 8), pointer = btf__add_ptr(btf, 0), lengths = add_lengths(btf, u16, u32);
	const void *bytes;
	FILE *out;
	__u32 size;

	if (btf__add_struct(btf, "rte_mbuf", 80) < 0 || btf__add_field(btf, "buf_addr", pointer, 128, 0) ||
	    btf__add_field(btf, "next", pointer, 192, 0) || btf__add_field(btf, "data_off", u16, 272, 0) ||
	    btf__add_field(btf, "port", u16, 288, 0) || btf__add_field(btf, "ol_flags", u64, 320, 0) ||
	    btf__add_field(btf, NULL, lengths, 512, 0) || btf__add_field(btf, "vlan_tci", u16, 576, 0) ||
	    btf__add_field(btf, "vlan_tci_outer", u16, 608, 0))
		return 1;
	bytes = btf__raw_data(btf, &size);
	out = argc == 2 && bytes ? fopen(argv[1], "w") : NULL;
	if (!out || fwrite(bytes, 1, size, out) != size || fclose(out))
		return 1;
	btf__free(btf);
	return 0;
}
