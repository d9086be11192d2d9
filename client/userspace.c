/* SPDX-License-Identifier: BSD-2-Clause */
#include "userspace.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "exitcode.h"
#include "jsonget.h"
#include "message.h"
#include "pointname.h"
#include "userpoint.h"
#include "usertarget.h"

/*
 * What a function returns that has filled an array of mbufs (uint16_t, of which no burst is half, or an int), or a buffer (an
 * int): negative on errors.
 */
#define RETURNED_MBUFS "-2@%ax"
#define RETURNED_BYTES "-4@%eax"

static int out_of_memory(void)
{
	message("out of memory.");
	return EXITCODE_FAILED;
}

/* The inode number of what the process executes. */
static uint64_t program_of(int64_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/exe", pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* By what they are: a file that was replaced while the process runs has the path of the one that replaced it. */
static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return !fstat(a, &one) && !fstat(b, &other) && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

/* The number of a file among those to lend, which it becomes one of. Takes fd over. Negative: a sentence is printed. */
static int add_binary(struct userspace *u, const char *path, int fd)
{
	for (size_t i = 0; i < u->count; i++) {
		if (!is_same_file(u->binaries[i].fd, fd))
			continue;
		close(fd);
		return (int)i;
	}
	if (u->count == LIMIT_BINARIES) {
		close(fd);
		message("the trace points of -f are in more than %d files, the most that one session can have.", LIMIT_BINARIES);
		return -1;
	}
	u->binaries[u->count].fd = fd;
	u->binaries[u->count].path = strdup(path);
	if (!u->binaries[u->count++].path) {
		out_of_memory();
		return -1;
	}
	return (int)u->count - 1;
}

static int add_site(struct userspace *u, struct spec *spec, const struct pointname *name, size_t point,
		    struct userpoint_place *place)
{
	struct uprobesite site = {
		.point = (int64_t)point,
		.offset = (int64_t)place->offset,
		.semaphore = (int64_t)place->semaphore,
		.is_return = place->is_return,
		.packet = strdup(place->args[0]),
	};
	int binary = add_binary(u, place->path, place->fd);

	place->fd = -1;
	if (place->is_return)
		site.length = strdup(name->packets == POINTNAME_MBUF ? RETURNED_MBUFS : RETURNED_BYTES);
	else if (place->arg_count > 1)
		site.length = strdup(place->args[1]);
	if (binary < 0) {
		free(site.packet);
		free(site.length);
		return EXITCODE_FAILED;
	}
	site.binary = binary;
	return uprobesite_list_add(&spec->sites, &site) || !site.packet ? out_of_memory() : EXITCODE_OK;
}

/* Which arguments are meant. False: the sentence is printed. */
static bool choose_arguments(const struct pointname *name, const char *text, struct userpoint *point)
{
	point->args[0] = (unsigned)name->arg;
	point->args[1] = (unsigned)name->arg2;
	if (name->packets == POINTNAME_MBUF && !name->arg)
		point->args[0] = 1;
	if (name->kind == POINTNAME_URETPROBE && name->arg2) {
		message("%s has two argument positions, and at a return the value that is returned says how much there is: "
			"leave the second one out.", text);
		return false;
	}
	if (name->packets == POINTNAME_RAW && (!name->arg || (!name->arg2 && name->kind != POINTNAME_URETPROBE))) {
		message("%s does not say where the packet is: give the positions of the arguments with its address%s, as in "
			"FUNCTION@1%s.",
			text, name->kind == POINTNAME_URETPROBE ? "" : " and its length",
			name->kind == POINTNAME_URETPROBE ? "" : "@2");
		return false;
	}
	return true;
}

static int find_point(struct userspace *u, struct usertarget *target, struct spec *spec, const struct pointname *name, size_t i)
{
	struct userpoint point = {
		.kind = name->kind == POINTNAME_USDT	  ? USERPOINT_USDT :
			name->kind == POINTNAME_URETPROBE ? USERPOINT_RETURN :
							    USERPOINT_FUNCTION,
		.object = name->kind != POINTNAME_USDT && *name->group ? name->group : NULL,
		.provider = name->kind == POINTNAME_USDT && *name->group ? name->group : NULL,
		.name = name->name,
	};
	struct userpoint_places places;
	char why[USERTARGET_WHY];
	int code = EXITCODE_OK;

	if (!choose_arguments(name, spec->points.items[i], &point))
		return EXITCODE_USAGE;
	if (userpoint_find(target, &point, &places, why, sizeof(why))) {
		message("%s: %s.", spec->points.items[i], why);
		return EXITCODE_FAILED;
	}
	for (size_t p = 0; code == EXITCODE_OK && p < places.count; p++)
		code = add_site(u, spec, name, i, &places.items[p]);
	userpoint_clear(&places);
	return code;
}

static int find_layout(struct userspace *u, struct usertarget *target, struct options *o)
{
	char why[USERTARGET_WHY];
	int r;

	if (o->mbuf_layout) {
		r = mbuflayout_parse(o->mbuf_layout, &o->spec.mbuf, why, sizeof(why));
		snprintf(u->layout, sizeof(u->layout), "--mbuf-layout");
	} else {
		r = usertarget_mbuf_layout(target, u->count ? u->binaries[0].path : NULL, &o->spec.mbuf, u->layout,
					   sizeof(u->layout), why, sizeof(why));
	}
	o->spec.has_mbuf = !r;
	if (!r)
		return EXITCODE_OK;
	message("%s.", why);
	return o->mbuf_layout ? EXITCODE_USAGE : EXITCODE_FAILED;
}

/* The rest, once it is known which process or program is meant. */
static int find_in(struct userspace *u, struct usertarget *target, struct options *o)
{
	struct spec *spec = &o->spec;
	struct pointname name;
	bool mbufs = false;
	char why[512];
	int code = EXITCODE_OK;

	for (size_t i = 0; code == EXITCODE_OK && i < spec->points.count; i++) {
		if (pointname_parse(spec->points.items[i], &name, why, sizeof(why)) || !pointname_is_process(&name))
			continue;
		code = find_point(u, target, spec, &name, i);
		mbufs |= name.packets == POINTNAME_MBUF;
	}
	return code == EXITCODE_OK && mbufs ? find_layout(u, target, o) : code;
}

static bool has_mbufs(const struct spec *spec)
{
	struct pointname name;
	char why[512];

	for (size_t i = 0; i < spec->points.count; i++)
		if (!pointname_parse(spec->points.items[i], &name, why, sizeof(why)) && name.packets == POINTNAME_MBUF)
			return true;
	return false;
}

static int complain(const char *sentence)
{
	message("%s.", sentence);
	return EXITCODE_USAGE;
}

int userspace_check(const struct options *o)
{
	bool process = spec_has_process(&o->spec);

	if (!process && (o->binary || o->mbuf_layout))
		return complain(o->binary ? "--binary says where functions of user space are, and -f names none, such as mbuf:FUNCTION@1" :
					    "--mbuf-layout says what mbufs look like, and -f names no function that gets some");
	if (!process)
		return EXITCODE_OK;
	if (!o->binary && !o->spec.pid)
		return complain("the trace points of -f are in user space, in the process --pid PID, or in all that execute --binary PATH: "
				"give one of them");
	if (o->binary && o->spec.pid)
		return complain("--binary means all processes that execute it, --pid one: choose one");
	if (o->mbuf_layout && !has_mbufs(&o->spec))
		return complain("--mbuf-layout says what mbufs look like, and -f names no function that gets some");
	if (o->spec.interface && !has_mbufs(&o->spec) && !spec_has_kernel(&o->spec))
		return complain("plain bytes in user space are of no device, and none would match: leave -i out");
	if (o->spec.track)
		return complain("packets in user space cannot be followed by --track: --gather tells them by their content");
	if (o->spec.stack && !spec_has_kernel(&o->spec))
		return complain("at functions in user space there is no kernel stack to show: leave -S out");
	if ((o->spec.mark_mask || o->spec.fake_hdr || o->spec.skb_data) && !spec_has_kernel(&o->spec))
		return complain("packets in user space have no skb: leave --mark, --fake-hdr and --skb-data out");
	return EXITCODE_OK;
}

/* The process is looked at while the session runs; one of the kernel too old for that is not. */
static void begin_watch(struct userspace *u, const struct options *o)
{
	u->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)o->spec.target, 0);
	u->program = program_of(o->spec.target);
	u->is_all = !spec_has_kernel(&o->spec);
}

int userspace_find(struct userspace *u, struct options *o)
{
	struct usertarget target;
	char why[USERTARGET_WHY];
	int r, code;

	*u = (struct userspace){.pidfd = -1};
	if (!spec_has_process(&o->spec))
		return EXITCODE_OK;
	/* the process of the trace points; those of the kernel see its packets in whatever process they are */
	o->spec.target = o->spec.pid;
	o->spec.pid = 0;
	if (o->binary)
		r = usertarget_open_file(&target, o->binary, why, sizeof(why));
	else
		r = usertarget_open_process(&target, (pid_t)o->spec.target, why, sizeof(why));
	if (r) {
		message("%s.", why);
		return EXITCODE_FAILED;
	}
	code = find_in(u, &target, o);
	usertarget_close(&target);
	if (code == EXITCODE_OK && o->spec.target)
		begin_watch(u, o);
	return code;
}

int userspace_lend(const struct userspace *u, struct connection *c)
{
	int code = EXITCODE_OK;

	for (size_t i = 0; code == EXITCODE_OK && i < u->count; i++) {
		struct json_object *answer = NULL;

		code = connection_ask_with(c, "Lend", NULL, u->binaries[i].fd, &answer);
		json_object_put(answer);
	}
	return code;
}

static void forget_process(struct userspace *u)
{
	close(u->pidfd);
	u->pidfd = -1;
}

bool userspace_watch(struct userspace *u, const struct options *o)
{
	struct pollfd p = {.fd = u->pidfd, .events = POLLIN};
	const char *what, *then = u->is_all ? "the session ends" : "the session goes on with the rest";
	uint64_t program;

	if (u->pidfd < 0)
		return true;
	program = program_of(o->spec.target); /* 0: one that is about to end executes nothing */
	if (poll(&p, 1, 0) == 1)
		what = "has ended";
	else if (u->program && program && program != u->program)
		what = "executes another program now";
	else
		return true;
	message("process %" PRId64 " %s, and its trace points with it: %s.", o->spec.target, what, then);
	forget_process(u);
	return !u->is_all;
}

void userspace_clear(struct userspace *u)
{
	for (size_t i = 0; i < u->count; i++) {
		close(u->binaries[i].fd);
		free(u->binaries[i].path);
	}
	u->count = 0;
	if (u->pidfd >= 0)
		forget_process(u);
}
