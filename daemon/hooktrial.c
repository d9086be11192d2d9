/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "daemon/hooktrial.h"
#include "daemon/perfprobe.h"

/* A function that every kernel with IPv4 has, as no inline function and in no module. */
#define FUNCTION "icmp_rcv"

/* "return 0" as a program of this type; its descriptor or negative errno. */
static int load(enum bpf_prog_type type, enum bpf_attach_type attach, uint32_t btf_id)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach,
		    .attach_btf_id = btf_id);
	int fd = bpf_prog_load(type, "netcap_trial", "Dual BSD/GPL", nothing, 2, &options);

	return fd < 0 ? -errno : fd;
}

/* Closes both; link may be negative errno, which is then the result. */
static int conclude(int program, int link)
{
	close(program);
	if (link < 0)
		return link;
	close(link);
	return 0;
}

static int try_trampoline(const struct kernel *k, enum bpf_attach_type attach)
{
	const struct function *f = function_list_find(&k->functions, FUNCTION);
	int program, link;

	if (!f)
		return -ENOENT;
	program = load(BPF_PROG_TYPE_TRACING, attach, f->id);
	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open(NULL, program);
	return conclude(program, link < 0 ? -errno : link);
}

int hooktrial_fentry(const struct kernel *k)
{
	return try_trampoline(k, BPF_TRACE_FENTRY);
}

int hooktrial_fexit(const struct kernel *k)
{
	return try_trampoline(k, BPF_TRACE_FEXIT);
}

int hooktrial_kprobe_multi(const struct kernel *k)
{
	static const char *symbols[] = { FUNCTION };
	LIBBPF_OPTS(bpf_link_create_opts, options);
	int program = load(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0), link;

	if (program < 0)
		return program;
	options.kprobe_multi.cnt = 1;
	options.kprobe_multi.syms = symbols;
	link = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &options);
	return conclude(program, link < 0 ? -errno : link);
}

int hooktrial_uprobe(void)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), event;
	const struct perfprobe_user here = { .fd = file, .offset = 0, .pid = getpid() };

	if (file < 0)
		return -errno;
	event = perfprobe_open_user(&here);
	close(file);
	if (event >= 0)
		close(event);
	return event < 0 && event != -EINVAL ? event : 0; /* there is no function at the file's beginning, but a way to ask */
}

int hooktrial_kprobe(const struct kernel *k)
{
	int event = perfprobe_open(perfprobe_pmu(), FUNCTION, 0);

	if (event < 0)
		return event;
	close(event);
	return 0;
}
