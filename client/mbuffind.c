/* SPDX-License-Identifier: BSD-2-Clause */
#include "mbuffind.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mbufmembers.h"

/* ---- BTF ---- */

static const struct btf_type *peel(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	for (int i = 0; i < MBUFMEMBERS_DEPTH && type && (btf_is_mod(type) || btf_is_typedef(type)); i++)
		type = btf__type_by_id(btf, type->type);
	return type;
}

static void collect(const struct btf *btf, const struct btf_type *structure, uint64_t at, unsigned depth,
		    struct mbufmembers *m)
{
	const struct btf_member *members;

	if (depth == MBUFMEMBERS_DEPTH || !structure || !btf_is_composite(structure))
		return;
	members = btf_members(structure);
	for (uint16_t i = 0; i < btf_vlen(structure); i++) {
		const char *name = btf__name_by_offset(btf, members[i].name_off);
		uint32_t bits = btf_member_bit_offset(structure, i);

		if (bits % 8 || btf_member_bitfield_size(structure, i))
			continue;
		if (name && name[0])
			mbufmembers_note(m, name, at + bits / 8);
		else
			collect(btf, peel(btf, members[i].type), at + bits / 8, depth + 1, m);
	}
}

bool mbuffind_by_btf(const struct elffile *f, struct mbuf_layout *l)
{
	struct mbufmembers m = { .seen = 0 };
	struct elffile_bytes b;
	struct btf *btf;
	int id;

	if (!elffile_section(f, ".BTF", &b) || b.size > UINT32_MAX)
		return false;
	btf = btf__new(b.bytes, (uint32_t)b.size);
	if (!btf)
		return false;
	id = btf__find_by_name_kind(btf, MBUFMEMBERS_STRUCT, BTF_KIND_STRUCT);
	if (id > 0)
		collect(btf, btf__type_by_id(btf, (uint32_t)id), 0, 0, &m);
	btf__free(btf);
	*l = m.layout;
	return mbufmembers_complete(&m);
}

/* ---- the version ---- */

static unsigned number_at(const char *text, const char *end)
{
	unsigned n = 0;

	while (text < end && isdigit((unsigned char)*text) && n < 1000)
		n = 10 * n + (unsigned)(*text++ - '0');
	return n;
}

unsigned mbuffind_abi_of_name(const char *path)
{
	static const char *const names[] = { "librte_mbuf.so.", "librte_ethdev.so.", "librte_eal.so." };
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(base, names[i], strlen(names[i])))
			return number_at(base + strlen(names[i]), base + strlen(base));
	return 0;
}

static unsigned abi_of_needed(const struct elffile *f)
{
	GElf_Shdr header;
	Elf_Scn *section = elffile_section_of_type(f, SHT_DYNAMIC, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	size_t count = data && data->d_buf ? data->d_size / sizeof(Elf64_Dyn) : 0;
	unsigned abi = 0;
	GElf_Dyn entry;

	for (size_t i = 0; !abi && i < count && i < INT32_MAX && gelf_getdyn(data, (int)i, &entry); i++) {
		const char *name = entry.d_tag == DT_NEEDED || entry.d_tag == DT_SONAME ?
			elf_strptr(f->elf, header.sh_link, entry.d_un.d_val) : NULL;

		if (name)
			abi = mbuffind_abi_of_name(name);
	}
	return abi;
}

static unsigned abi_of_text(const struct elffile *f)
{
	static const char before[] = "dpdk/pmds-";
	struct elffile_bytes b;
	const char *at;

	if (!elffile_section(f, ".rodata", &b))
		return 0;
	at = memmem(b.bytes, b.size, before, strlen(before));
	return at ? number_at(at + strlen(before), (const char *)b.bytes + b.size) : 0;
}

unsigned mbuffind_abi_of_file(const struct elffile *f)
{
	unsigned abi = abi_of_needed(f);

	return abi ? abi : abi_of_text(f);
}

bool mbuffind_by_abi(unsigned abi, struct mbuf_layout *l, const char **versions)
{
	/* lib/librte_mbuf/rte_mbuf_core.h of 19.11 and 20.11; 20.11 moved pool, and with it next */
	static const struct mbuf_layout until_20_08 = { .buf_addr = 0, .data_off = 16, .port = 22, .ol_flags = 24,
							.pkt_len = 36, .data_len = 40, .vlan_tci = 42,
							.vlan_tci_outer = 52, .next = 80 };
	static const char *const names[] = { "19.11 to 20.08", "20.11 to 21.08", "21.11 to 22.07", "22.11 to 23.07",
					     "23.11 to 24.07", "24.11 to 25.07", "25.11 to 26.07" };

	if (abi < 20 || abi - 20 >= sizeof(names) / sizeof(*names))
		return false;
	*versions = names[abi - 20];
	*l = until_20_08;
	if (abi > 20)
		l->next = 64;
	return true;
}
