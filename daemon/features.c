/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "daemon/features.h"
#include "daemon/hooktrial.h"
#include "daemon/jsonmake.h"
#include "daemon/tracefs.h"
#include "daemon/tracepoint.h"
#include "daemon/uprobemulti.h"

/* CAP_PERFMON and CAP_BPF, whose names headers before Linux 5.8 lack. */
#define CAPABILITY_PERFMON 38
#define CAPABILITY_BPF     39

/* The event that the trials attach to, for a moment and without looking at packets. */
#define TRIAL_GROUP "skb"
#define TRIAL_EVENT "kfree_skb"

struct feature {
	const struct deferred_work *work;
	bool available;
	char detail[512];
	const char *advice; /* a sentence, or NULL */
};

/* Says what was found; the advice is for when it is not available. */
static void __attribute__((format(printf, 4, 5)))
say(struct feature *f, bool available, const char *advice, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(f->detail, sizeof(f->detail), format, arguments);
	va_end(arguments);
	f->available = available;
	f->advice = available ? NULL : advice;
}

/* The first line of a file without its end, "" if there is none. */
static const char *read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");

	line[0] = '\0';
	if (f && !fgets(line, size, f))
		line[0] = '\0';
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static void check_capture(struct feature *f)
{
	if (f->work->text)
		say(f, false, "remedy what is missing below, then restart netcapd", "%s",
		    f->work->text);
	else
		say(f, true, NULL, "a capture program with a filter passes the kernel's verifier");
}

static void check_btf(struct feature *f)
{
	bool ok = !access("/sys/kernel/btf/vmlinux", R_OK);

	say(f, ok, "run a kernel that is built with CONFIG_DEBUG_INFO_BTF=y",
	    "/sys/kernel/btf/vmlinux: %s", ok ? "readable" : strerror(errno));
}

static void check_tracefs(struct feature *f)
{
	char path[TRACEFS_PATH_BYTES];
	int error = tracefs_find("events", path, sizeof(path));

	if (!error)
		say(f, true, NULL, "%s is readable", path);
	else
		say(f, false,
		    error == -EACCES
			? "give netcapd CAP_DAC_READ_SEARCH, or run it as root; tracepoints cannot be listed, and "
			  "are known by their name only"
			: "mount -t tracefs tracefs " TRACEFS_DIRECTORY "; without it tracepoints cannot "
			  "be listed, and are known by their name only",
		    TRACEFS_DIRECTORY "/events: %s", strerror(-error));
}

static void check_bpffs(struct feature *f)
{
	struct statfs fs;
	bool ok = !statfs("/sys/fs/bpf", &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;

	say(f, ok, "mount -t bpf bpf /sys/fs/bpf; netcapd pins nothing there, other tools do",
	    ok ? "mounted at /sys/fs/bpf" : "not mounted at /sys/fs/bpf");
}

static void check_ring(struct feature *f)
{
	int fd =
	    bpf_map_create(BPF_MAP_TYPE_RINGBUF, "netcap_trial", 0, 0, sysconf(_SC_PAGESIZE), NULL);

	if (fd >= 0)
		close(fd);
	say(f, fd >= 0, "Linux 5.8 or newer and CAP_BPF are needed",
	    fd >= 0 ? "a BPF ring buffer can be made" : "a BPF ring buffer cannot be made: %s",
	    strerror(-fd));
}

static uint32_t trial_btf_id(const struct kernel *k)
{
	struct tracepoint tp;
	char why[128];
	int id;

	if (k->tracepoints)
		return tracepoint_find(k->tracepoints, TRIAL_GROUP, TRIAL_EVENT, &tp, why,
				       sizeof(why))
			   ? 0
			   : tp.btf_id;
	id = libbpf_find_vmlinux_btf_id(TRIAL_EVENT, BPF_TRACE_RAW_TP);
	return id > 0 ? id : 0;
}

/* Loads a program that does nothing and attaches it for a moment. 0 or negative errno. */
static int try_program(enum bpf_prog_type type, const char *event,
		       struct bpf_prog_load_opts *options)
{
	const struct bpf_insn nothing[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	int link, program = bpf_prog_load(type, "netcap_trial", "GPL", nothing,
					  sizeof(nothing) / sizeof(*nothing), options);

	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open(event, program);
	if (link >= 0)
		close(link);
	close(program);
	return link < 0 ? link : 0;
}

static void say_attached(struct feature *f, int r)
{
	say(f, !r, "CAP_BPF and CAP_PERFMON (Linux 5.8 or newer) are needed, and no lockdown",
	    r ? "a program cannot be attached to " TRIAL_GROUP ":" TRIAL_EVENT ": %s"
	      : "a program can be attached to " TRIAL_GROUP ":" TRIAL_EVENT,
	    strerror(-r));
}

static void check_tp_btf(struct feature *f)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
		    .attach_btf_id = trial_btf_id(f->work->kernel));

	if (options.attach_btf_id)
		say_attached(f, try_program(BPF_PROG_TYPE_TRACING, NULL, &options));
	else
		say(f, false, "see the kernel's types above",
		    TRIAL_GROUP ":" TRIAL_EVENT " is not in the kernel's types");
}

static void check_raw_tp(struct feature *f)
{
	say_attached(f, try_program(BPF_PROG_TYPE_RAW_TRACEPOINT, TRIAL_EVENT, NULL));
}

static void say_function_hook(struct feature *f, int error)
{
	if (!error)
		say(f, true, NULL, "a program can be attached to icmp_rcv");
	else if (error == -EACCES)
		say(f, false,
		    "set kernel.perf_event_paranoid to 2 or less, or give netcapd CAP_SYS_ADMIN",
		    "not permitted (%s)", strerror(-error));
	else if (error == -ENOENT || error == -EOPNOTSUPP || error == -EINVAL)
		say(f, false, "functions are then attached in another way, if there is one",
		    "this kernel does not have it (%s)", strerror(-error));
	else
		say(f, false, "functions are then attached in another way, if there is one",
		    "the kernel refuses it (%s)", strerror(-error));
}

static void check_fentry(struct feature *f)
{
	say_function_hook(f, hooktrial_fentry(f->work->kernel));
}

static void check_fexit(struct feature *f)
{
	int error = hooktrial_fexit(f->work->kernel);

	say_function_hook(f, error);
	if (error)
		f->advice = "functions can be traced as they are entered, in another way";
}

static void check_kprobe_multi(struct feature *f)
{
	say_function_hook(f, hooktrial_kprobe_multi(f->work->kernel));
}

static void check_kprobe(struct feature *f)
{
	say_function_hook(f, hooktrial_kprobe(f->work->kernel));
}

static void check_uprobe(struct feature *f)
{
	int multi = uprobemulti_try(), single = multi ? hooktrial_uprobe() : 0;

	if (!multi)
		say(f, true, NULL, "functions of processes can be traced, by uprobe.multi");
	else if (!single)
		say(f, true, NULL, "functions of processes can be traced, by perf events");
	else if (single == -EACCES || single == -EPERM)
		say(f, false, "set kernel.perf_event_paranoid to 2 or less, or give netcapd CAP_SYS_ADMIN",
		    "not permitted (%s), and there is no uprobe.multi for all threads (Linux 6.10)", strerror(-single));
	else
		say(f, false, "functions of processes cannot be traced on this kernel", "this kernel does not have it (%s)",
		    strerror(-single));
}

static void check_access(struct feature *f)
{
	const struct kernel *k = f->work->kernel;

	if (!k->templates)
		say(f, false, "see capture above", "not known, as captures cannot run");
	else if (k->access == NETCAP_ACCESS_DIRECT)
		say(f, true, NULL, "filters read packets in place");
	else
		say(f, true, NULL, "filters read a copy of the headers%s",
		    k->var_stack ? "" : ", and one byte at a time at computed offsets");
}

static void check_fragments(struct feature *f)
{
	const struct kernel *k = f->work->kernel;

	say(f, k->page_linear != 0,
	    "packets are captured up to the end of their linear part, and marked as partial", "%s",
	    k->page_linear   ? "payload in page fragments can be captured"
	    : k->page_why[0] ? k->page_why
			     : "not known, as captures cannot run");
}

static void check_reasons(struct feature *f)
{
	size_t count = f->work->kernel->reason_count;

	say(f, count > 0, "Linux 5.17 or newer says why it drops packets",
	    count ? "%zu reasons for drops have names" : "the kernel's types have no drop reasons",
	    count);
}

/* Functions' addresses are zeros to those who may not see them. */
static void check_symbols(struct feature *f)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	uint64_t address = 0;
	char line[512], type;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%" SCNx64 " %c", &address, &type) == 2 && strchr("tT", type))
			break;
	if (file)
		fclose(file);
	say(f, address != 0,
	    "give netcapd CAP_SYSLOG, and set kernel.kptr_restrict to 0 or 1; stacks and locations "
	    "are numbers until then",
	    "kernel.kptr_restrict is %s; /proc/kallsyms %s",
	    read_line("/proc/sys/kernel/kptr_restrict", line, sizeof(line)),
	    address ? "has addresses" : "has no addresses");
}

static void check_lockdown(struct feature *f)
{
	char line[128];
	bool strict;

	read_line("/sys/kernel/security/lockdown", line, sizeof(line));
	strict = strstr(line, "[confidentiality]");
	say(f, !strict,
	    "boot without lockdown=confidentiality, which forbids BPF programs to read kernel "
	    "memory",
	    "%s", line[0] ? line : "this kernel has no lockdown, or securityfs is not mounted");
}

static void check_unprivileged(struct feature *f)
{
	char line[32];

	read_line("/proc/sys/kernel/unprivileged_bpf_disabled", line, sizeof(line));
	say(f, strcmp(line, "0"),
	    "sysctl kernel.unprivileged_bpf_disabled=2; netcapd needs no BPF for everybody",
	    "kernel.unprivileged_bpf_disabled is %s", line[0] ? line : "unknown");
}

static void check_jit(struct feature *f)
{
	char line[32];

	read_line("/proc/sys/net/core/bpf_jit_enable", line, sizeof(line));
	/* where the JIT compiler cannot be turned off there may be no such file */
	say(f, strcmp(line, "0"),
	    "sysctl net.core.bpf_jit_enable=1 makes filters several times faster",
	    "net.core.bpf_jit_enable is %s", line[0] ? line : "not readable here");
}

static bool has_capability(int capability)
{
	FILE *file = fopen("/proc/self/status", "re");
	uint64_t effective = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %" SCNx64, &effective) == 1)
			break;
	if (file)
		fclose(file);
	return effective >> capability & 1;
}

static void check_capability(struct feature *f, int capability, const char *advice)
{
	bool ok = has_capability(capability);

	/* before Linux 5.8 this one was both */
	if (!ok && capability != CAP_SYSLOG && has_capability(CAP_SYS_ADMIN))
		say(f, true, NULL, "not held, but CAP_SYS_ADMIN, which includes it, is");
	else
		say(f, ok, advice, "%s", ok ? "held by netcapd" : "not held by netcapd");
}

static void check_cap_bpf(struct feature *f)
{
	check_capability(f, CAPABILITY_BPF, "give it to netcapd: no BPF program can be loaded");
}

static void check_cap_perfmon(struct feature *f)
{
	check_capability(f, CAPABILITY_PERFMON, "give it to netcapd: no program may trace");
}

static void check_cap_syslog(struct feature *f)
{
	check_capability(f, CAP_SYSLOG, "give it to netcapd: symbols have no addresses without it");
}

static const struct {
	const char *name;
	void (*check)(struct feature *f);
} checks[] = {
    {"capture", check_capture},
    {"kernel types (BTF)", check_btf},
    {"tracefs", check_tracefs},
    {"bpffs", check_bpffs},
    {"ring buffer", check_ring},
    {"tp_btf", check_tp_btf},
    {"raw_tp", check_raw_tp},
    {"fentry", check_fentry},
    {"fexit", check_fexit},
    {"kprobe.multi", check_kprobe_multi},
    {"kprobe", check_kprobe},
    {"uprobe", check_uprobe},
    {"filter access", check_access},
    {"page fragments", check_fragments},
    {"drop reasons", check_reasons},
    {"kernel symbols", check_symbols},
    {"lockdown", check_lockdown},
    {"unprivileged BPF off", check_unprivileged},
    {"BPF JIT", check_jit},
    {"CAP_BPF", check_cap_bpf},
    {"CAP_PERFMON", check_cap_perfmon},
    {"CAP_SYSLOG", check_cap_syslog},
};

static struct json_object *run_check(const struct deferred_work *work, size_t i)
{
	struct json_object *object = json_object_new_object();
	struct feature f = {.work = work};
	bool ok;

	checks[i].check(&f);
	ok = jsonmake_text(object, "name", checks[i].name) &&
	     jsonmake_add(object, "available", json_object_new_boolean(f.available)) &&
	     jsonmake_text(object, "detail", f.detail) && jsonmake_text(object, "advice", f.advice);
	return jsonmake_whole(object, ok);
}

void features_run(struct deferred_work *work)
{
	struct json_object *reply = json_object_new_object(), *features = json_object_new_array();
	struct utsname system;
	bool ok = true;

	uname(&system);
	work->replies = json_object_new_array();
	for (size_t i = 0; ok && i < sizeof(checks) / sizeof(*checks); i++)
		ok = jsonmake_append(features, run_check(work, i));
	ok = jsonmake_add(reply, "features", features) && ok;
	ok = jsonmake_text(reply, "kernel", system.release) && ok;
	if (jsonmake_append(work->replies, reply) && ok)
		return;
	json_object_put(work->replies);
	work->replies = NULL;
	snprintf(work->why, sizeof(work->why), "no memory for the answer");
}
