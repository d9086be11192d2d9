/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "daemon/modules.h"
#include "daemon/modulestamp.h"

#define DIRECTORY "/sys/kernel/btf"

/* The BTF object of the module, or -1. Objects are found by walking all of them. */
static int open_object(const char *module)
{
	uint32_t id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		struct bpf_btf_info info = {};
		char name[sizeof(((struct module *)NULL)->name)] = "";
		uint32_t length = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue; /* it went away */
		info.name = (uintptr_t)name;
		info.name_len = sizeof(name);
		if (!bpf_obj_get_info_by_fd(fd, &info, &length) && info.kernel_btf &&
		    !strcmp(name, module))
			return fd;
		close(fd);
	}
	return -1;
}

/* 0, also when the module cannot be read; or -ENOMEM. */
static int add(struct module_set *set, struct btf *kernel, const char *name)
{
	struct module *more = realloc(set->items, (set->count + 1) * sizeof(*more));
	struct module *m;

	if (!more)
		return -ENOMEM;
	set->items = more;
	m = &more[set->count];
	memset(m, 0, sizeof(*m));
	memcpy(m->name, name, strnlen(name, sizeof(m->name) - 1));
	m->btf = btf__load_module_btf(name, kernel);
	if (!m->btf)
		return 0;
	m->fd = open_object(name);
	set->count++;
	return function_list(m->btf, kernel, &m->list);
}

int module_set_open(struct module_set *set, struct btf *kernel)
{
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	memset(set, 0, sizeof(*set));
	set->stamp = modulestamp(MODULESTAMP_LIST, MODULESTAMP_DIRECTORY);
	dir = opendir(DIRECTORY);
	while (dir && !r && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "vmlinux"))
			r = add(set, kernel, entry->d_name);
	if (dir)
		closedir(dir);
	if (r)
		module_set_close(set);
	return r;
}

void module_set_close(struct module_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++) {
		function_list_clear(&set->items[i].list);
		btf__free(set->items[i].btf);
		if (set->items[i].fd >= 0)
			close(set->items[i].fd);
	}
	free(set->items);
	memset(set, 0, sizeof(*set));
}

const struct module *module_set_find(const struct module_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->items[i].name, name))
			return &set->items[i];
	return NULL;
}
