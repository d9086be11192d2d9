/* SPDX-License-Identifier: BSD-2-Clause */
#include "btfheader.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "message.h"

#define VERSION      "2" /* of what is generated */
#define HEADER_BYTES 128 /* most of a header's name */

static const char stand_in[] =
#include "headers.inc"
	;

/* FNV-1a, of what the cache's names are made: nobody but the user writes there. */
static uint64_t hash(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3;
	return h;
}

static int complain(const char *path, int err)
{
	message("%s cannot be used as the cache for headers: %s; set XDG_CACHE_HOME to a directory of your own.", path,
		strerror(-err));
	return err;
}

/* A directory that nobody else may write to. */
static int make_directory(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return complain(path, -errno);
	if (lstat(path, &st))
		return complain(path, -errno);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return complain(path, -EPERM);
	return 0;
}

static int find_cache(char *path, size_t size)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	size_t n;

	if (cache && *cache == '/') {
		n = snprintf(path, size, "%s", cache);
	} else if (home && *home == '/') {
		n = snprintf(path, size, "%s/.cache", home);
	} else {
		message("there is no place for the kernel's types: set HOME or XDG_CACHE_HOME.");
		return -ENOENT;
	}
	if (n + 64 + HEADER_BYTES > size)
		return complain(path, -ENAMETOOLONG);
	if (mkdir(path, 0700) && errno != EEXIST)
		return complain(path, -errno);
	strcat(path, "/netcap");
	return make_directory(path);
}

/* A file that appears whole or not at all. fill: 0 or negative errno. */
static int make_file(const char *path, int (*fill)(FILE *out, const void *arg), const void *arg)
{
	char temporary[PATH_MAX];
	int fd, err;
	FILE *out;

	snprintf(temporary, sizeof(temporary), "%.*s.XXXXXX", PATH_MAX - 16, path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return complain(path, -errno);
	out = fdopen(fd, "w");
	err = out ? fill(out, arg) : -ENOMEM;
	if (!out)
		close(fd);
	else if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (!err)
		return 0;
	unlink(temporary);
	return complain(path, err);
}

/* ---- types ---- */

static void print(void *ctx, const char *format, va_list args)
{
	vfprintf(ctx, format, args);
}

/* Headers of protocols are the same in all kernels. They are not relocated, and may have bit fields (userbits.h). */
static const char *const protocols[] = {
	"ethhdr", "vlan_hdr", "arphdr", "iphdr", "ipv6hdr", "ipv6_opt_hdr", "frag_hdr", "tcphdr", "udphdr", "icmphdr",
	"icmp6hdr", "igmphdr", "ip_auth_hdr", "ip_esp_hdr", "gre_base_hdr", "sctphdr", "vxlanhdr",
};

static int fill_types(FILE *out, const void *arg)
{
	const struct btf *btf = arg;
	struct btf_dump *dump = btf_dump__new(btf, print, out, NULL);
	int err = dump ? 0 : -errno;

	/* a header of the system: its warnings are nobody's */
	fputs("#pragma clang system_header\n", out);
	for (size_t i = 0; !err && i < sizeof(protocols) / sizeof(*protocols); i++) {
		__s32 id = btf__find_by_name_kind(btf, protocols[i], BTF_KIND_STRUCT);

		err = id > 0 ? btf_dump__dump_type(dump, id) : 0;
	}
	fputs("#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)\n", out);
	for (__u32 id = 1; !err && id < btf__type_cnt(btf); id++)
		err = btf_dump__dump_type(dump, id);
	fputs("#pragma clang attribute pop\n", out);
	btf_dump__free(dump);
	return err < 0 ? err : ferror(out) ? -EIO : 0;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static int make_types(struct btfheader *h, const char *path)
{
	struct btf *btf = btf__parse(path, NULL);
	const void *bytes;
	__u32 size;
	int err;

	if (!btf) {
		err = -errno;
		message("the kernel's types cannot be read from %s: %s; give a file with BTF.", path, strerror(-err));
		return err;
	}
	bytes = btf__raw_data(btf, &size);
	snprintf(h->types, sizeof(h->types), "%.*s/types-" VERSION "-%016llx.h", PATH_MAX - 64, h->directory,
		 bytes ? (unsigned long long)hash(0xcbf29ce484222325, bytes, size) : 0);
	err = bytes ? 0 : -ENOMEM;
	if (!err && access(h->types, R_OK))
		err = make_file(h->types, fill_types, btf);
	btf__free(btf);
	return err;
}

/* ---- headers ---- */

static int fill_stand_in(FILE *out, const void *arg)
{
	fputs("#pragma clang system_header\n", out);
	return fputs(stand_in, out) < 0 ? -EIO : 0;
}

/* Names of the kernel's headers are of letters, digits, "_", "-", "." and "/". */
static bool is_header(const char *name)
{
	const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";

	return *name && *name != '/' && strlen(name) < HEADER_BYTES && !strstr(name, "..") && !strstr(name, "//") &&
	       name[strlen(name) - 1] != '/' && !name[strspn(name, allowed)];
}

static int make_header(const struct btfheader *h, const char *name)
{
	char path[PATH_MAX];
	int err = 0;

	snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - HEADER_BYTES - 8, h->headers, name);
	for (char *c = path + strlen(h->headers) + 1; !err && (c = strchr(c, '/')); *c++ = '/') {
		*c = '\0';
		err = make_directory(path);
	}
	if (!err && access(path, R_OK))
		err = make_file(path, fill_stand_in, NULL);
	return err;
}

int btfheader_add(const struct btfheader *h, const struct usersource *s)
{
	int err = 0;

	/* one that no kernel has is left to the compiler's words */
	for (size_t i = 0; !err && i < s->headers.count; i++)
		if (is_header(s->headers.items[i].text))
			err = make_header(h, s->headers.items[i].text);
	return err;
}

int btfheader_open(struct btfheader *h, const char *btf)
{
	int err = find_cache(h->directory, sizeof(h->directory));

	libbpf_set_print(quiet);
	if (!err)
		err = make_types(h, btf);
	if (err)
		return err;
	snprintf(h->headers, sizeof(h->headers), "%.*s/headers-%016llx", PATH_MAX - 64, h->directory,
		 (unsigned long long)hash(0xcbf29ce484222325, stand_in, sizeof(stand_in)));
	return make_directory(h->headers);
}
