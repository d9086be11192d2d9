/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every drop reason of the running kernel and of the modules that are loaded is explained. The names
 * come from type information; only root may read that of modules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <bpf/btf.h>
#include "explain.h"

#define PREFIX         "SKB_DROP_REASON_"
#define SUBSYS_PREFIX  PREFIX "SUBSYS_"
#define BTF_DIRECTORY  "/sys/kernel/btf"
#define SUBSYS_SHIFT   16 /* the subsystem is in the upper half of a reason's number */
#define MAX_SUBSYSTEMS 32
#define MAX_NAME       64

struct check {
	char subsystems[MAX_SUBSYSTEMS][MAX_NAME]; /* by number, in small letters; "": no such one */
	size_t explained;
	size_t missing;
};

static const char *name_of(const struct btf *btf, const struct btf_enum *e)
{
	return btf__name_by_offset(btf, e->name_off);
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* "SKB_DROP_REASON_SUBSYS_OPENVSWITCH" is "openvswitch". Kernels before 6.4 have only the core. */
static void read_subsystems(const struct btf *btf, struct check *c)
{
	int id = btf__find_by_name_kind(btf, "skb_drop_reason_subsys", BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	strcpy(c->subsystems[0], "core");
	for (int i = 0; t && i < btf_vlen(t); i++) {
		const struct btf_enum *e = &btf_enum(t)[i];
		const char *name = name_of(btf, e);

		assert_true(begins(name, SUBSYS_PREFIX) && strlen(name) < MAX_NAME);
		assert_in_range(e->val, 0, MAX_SUBSYSTEMS - 1);
		if (!strcmp(name, SUBSYS_PREFIX "NUM"))
			continue;
		name += strlen(SUBSYS_PREFIX);
		for (size_t n = 0; n <= strlen(name); n++)
			c->subsystems[e->val][n] = tolower((unsigned char)name[n]);
	}
}

/* Enumerators that the kernel never gives as a reason for a drop. */
static bool is_marker(const char *name)
{
	static const char *const markers[] = {
		"SKB_NOT_DROPPED_YET", "SKB_CONSUMED", PREFIX "SUBSYS_MASK", "QDISC_DROP_UNSPEC",
		"RX_CONTINUE", "RX_QUEUED",
	};
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(markers) / sizeof(*markers); i++)
		if (!strcmp(name, markers[i]))
			return true;
	return begins(name, "__") || (length > 4 && !strcmp(name + length - 4, "_MAX"));
}

static void check_reason(struct check *c, const char *subsystem, const char *name)
{
	const char *reason = begins(name, PREFIX) ? name + strlen(PREFIX) : name;

	if (explain_meaning(subsystem, reason) && explain_next(subsystem, reason)) {
		c->explained++;
		return;
	}
	print_error("%s of %s has no explanation\n", reason, subsystem);
	c->missing++;
}

/* A driver's enumeration may have such a name too; its numbers are of no subsystem. */
static void check_enum(const struct btf *btf, const struct btf_type *t, bool core, struct check *c)
{
	for (int i = 0; i < btf_vlen(t); i++) {
		const struct btf_enum *e = &btf_enum(t)[i];
		uint32_t subsystem = (uint32_t)e->val >> SUBSYS_SHIFT;

		if (is_marker(name_of(btf, e)) || (!core && !subsystem))
			continue;
		if (subsystem < MAX_SUBSYSTEMS && c->subsystems[subsystem][0])
			check_reason(c, c->subsystems[subsystem], name_of(btf, e));
	}
}

static void check_types(const struct btf *btf, int first, struct check *c)
{
	for (int id = first; id < (int)btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off);
		const char *end = strstr(name, "drop_reason");

		if (btf_is_enum(t) && end && !strcmp(end, "drop_reason"))
			check_enum(btf, t, !strcmp(name, "skb_drop_reason"), c);
	}
}

static void check_modules(struct btf *kernel, struct check *c)
{
	DIR *directory = opendir(BTF_DIRECTORY);
	const struct dirent *d;
	struct btf *btf;

	assert_non_null(directory);
	while ((d = readdir(directory))) {
		if (d->d_name[0] == '.' || !strcmp(d->d_name, "vmlinux"))
			continue;
		btf = btf__load_module_btf(d->d_name, kernel);
		if (!btf)
			fail_msg("The types of the module %s cannot be read.", d->d_name);
		check_types(btf, (int)btf__type_cnt(kernel), c);
		btf__free(btf);
	}
	closedir(directory);
}

static void every_reason_is_explained(void **state)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct check check = {};

	assert_non_null(kernel);
	if (btf__find_by_name_kind(kernel, "skb_drop_reason", BTF_KIND_ENUM) < 0) {
		btf__free(kernel);
		print_message("The kernel's types have no drop reasons: it is older than 5.17.\n");
		skip();
	}
	read_subsystems(kernel, &check);
	check_types(kernel, 1, &check);
	check_modules(kernel, &check);
	btf__free(kernel);
	print_message("%zu of %zu drop reasons are explained.\n", check.explained,
		      check.explained + check.missing);
	assert_true(check.explained > 0);
	assert_int_equal(check.missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
