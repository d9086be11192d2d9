/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How netcapctl knows that tcpdump has printed all of a packet, whatever its flags.
 *
 * tcpdump's standard input is a pipe of one page, so it has exactly one slot: the kernel reports it
 * as writable (POLLOUT) only when the slot is free, that is when tcpdump has read everything that
 * was written. A record is written in pieces of at most one slot, each after POLLOUT. libpcap reads
 * standard input through stdio, whose buffer for a pipe is st_blksize, one page: a read() asks for
 * at least a whole page, and stdio calls read() only when its buffer is used up. So a read() always
 * takes the whole slot, and is only called when tcpdump wants bytes that were not written before.
 *
 * After packet N a filler is written: a record header that says "no bytes". It is only written once
 * N's last piece was read, so a further read() is needed to get it, and tcpdump calls that read()
 * only when it wants the record after N: when the printing of N has returned. With -l its standard
 * output is line buffered and a packet's text ends with a newline, so by then all of N's text was
 * passed to write(). POLLOUT after the filler proves that read(), and that N's text is complete.
 * The filter "greater 1" rejects fillers, and nothing else: real packets have at least one byte.
 * A rejected record is neither printed nor counted.
 *
 * tcpdump's standard output is a second pipe, which is read empty at that moment, so what was read
 * is N's text, all of it and nothing else. tests/unit/test_client_tcpdump.c holds this against
 * 20,000 packets for each of several sets of flags.
 */
#include "tcpdump.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "limit.h"
#include "pcapng.h"
#include "signals.h"
#include "tcpdumpflags.h"

#define SLOT        4096 /* bytes of the smallest page: fits the one slot everywhere */
#define OUT_PIPE    (1 << 20)
#define PATIENCE_MS 10

struct tcpdump {
	pid_t pid;
	int in;            /* we write packets; one slot */
	int out;           /* we read text; non-blocking */
	int errors;        /* memory file: its standard error */
	struct buf record; /* the packet that is being written */
};

/* What is needed to drop privileges, looked up before the fork. */
struct identity {
	uid_t uid;
	gid_t gid;
};

int tcpdump_find(char *path, size_t size)
{
	const char *search = getenv("PATH");
	char places[4096];

	snprintf(places, sizeof(places), "%s:/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin",
		 search ? search : "/bin");
	for (char *save, *dir = strtok_r(places, ":", &save); dir;
	     dir = strtok_r(NULL, ":", &save)) {
		if (dir[0] != '/')
			continue;
		if ((size_t)snprintf(path, size, "%s/tcpdump", dir) < size && !access(path, X_OK))
			return 0;
	}
	return -ENOENT;
}

static struct identity unprivileged_identity(void)
{
	struct passwd *user = getpwnam("tcpdump");

	if (!user)
		user = getpwnam("nobody");
	if (!user)
		return (struct identity){65534, 65534};
	return (struct identity){user->pw_uid, user->pw_gid};
}

static int drop_privileges(const struct identity *who)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	if (geteuid() != 0)
		return 0;
	return setgroups(0, NULL) || setresgid(who->gid, who->gid, who->gid) ||
	       setresuid(who->uid, who->uid, who->uid);
}

static void run_child(const char *path, const char *const *words, int in, int out, int errors,
		      const struct identity *who, pid_t parent)
{
	signals_reset_in_child(true);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(errors, 2) < 0)
		_exit(126);
	if (drop_privileges(who)) {
		dprintf(2, "tcpdump: its privileges could not be dropped: %s\n", strerror(errno));
		_exit(126);
	}
	/* Whatever this process inherited is not for a child without privileges. */
	close_range(3, ~0U, 0);
	/* After the change of user, which clears it; the parent may be gone by now. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(126);
	execv(path, (char *const *)words);
	dprintf(2, "tcpdump: %s could not be run: %s\n", path, strerror(errno));
	_exit(127);
}

/* Forks the child between two pipes. 0 or negative errno. */
static int spawn(struct tcpdump *t, const char *path, const char *const *flags)
{
	const char *words[TCPDUMPFLAGS_MAX + 8] = {"tcpdump", "-t", "-l", "-r", "-"};
	struct identity who = unprivileged_identity();
	int in[2] = {-1, -1}, out[2] = {-1, -1}, n = 5, err;
	pid_t parent = getpid();

	for (int i = 0; flags[i] && i < TCPDUMPFLAGS_MAX; i++)
		words[n++] = flags[i];
	words[n] = "greater 1";
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || fcntl(in[1], F_SETPIPE_SZ, 1) < 0 ||
	    fcntl(in[1], F_SETFL, O_NONBLOCK) || fcntl(out[0], F_SETFL, O_NONBLOCK) ||
	    (t->errors = memfd_create("tcpdump-errors", MFD_CLOEXEC)) < 0) {
		err = -errno;
		goto out;
	}
	fcntl(out[1], F_SETPIPE_SZ, OUT_PIPE); /* a smaller one is only slower */
	fflush(NULL);
	t->pid = fork();
	if (t->pid == 0)
		run_child(path, words, in[0], out[1], t->errors, &who, parent);
	err = t->pid < 0 ? -errno : 0;
	if (!err) {
		t->in = in[1];
		t->out = out[0];
		in[1] = out[0] = -1;
	}
out:
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (out[i] >= 0)
			close(out[i]);
	}
	return err;
}

/* Moves what tcpdump has printed so far to out. */
static int drain(struct tcpdump *t, FILE *out)
{
	char text[65536];

	for (;;) {
		ssize_t n = read(t->out, text, sizeof(text));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (n == 0)
			return 0; /* ended: the other pipe reports it */
		if (out)
			fwrite(text, 1, (size_t)n, out);
	}
}

/*
 * Waits until tcpdump has read all that was written. Only if that takes long is its output looked
 * at, to make room: waking up for each of its lines would double the cost of a packet.
 */
static int wait_read(struct tcpdump *t, FILE *out)
{
	for (;;) {
		struct pollfd p = {.fd = t->in, .events = POLLOUT};
		int n = poll(&p, 1, PATIENCE_MS), err;

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			return p.revents & (POLLERR | POLLHUP | POLLNVAL) ? -EPIPE : 0;
		err = drain(t, out);
		if (err)
			return err;
	}
}

static int write_slots(struct tcpdump *t, const uint8_t *bytes, size_t len, FILE *out)
{
	while (len) {
		size_t piece = len < SLOT ? len : SLOT;
		int err = wait_read(t, out);

		if (err)
			return err;
		if (write(t->in, bytes, piece) != (ssize_t)piece)
			return errno == EPIPE ? -EPIPE : -EIO; /* the empty slot takes all of it */
		bytes += piece;
		len -= piece;
	}
	return wait_read(t, out);
}

static int write_filler(struct tcpdump *t, FILE *out)
{
	static const uint8_t no_bytes[16]; /* a record header: no time, no length */

	return write_slots(t, no_bytes, sizeof(no_bytes), out);
}

/* The file header and a filler: once that is read, all flags and the filter were accepted. */
static int greet(struct tcpdump *t, uint32_t link)
{
	int err = pcap_put_header(&t->record, link, LIMIT_SNAPLEN);

	if (!err)
		err = write_slots(t, buf_head(&t->record), buf_len(&t->record), NULL);
	if (!err)
		err = write_filler(t, NULL);
	buf_truncate(&t->record, 0);
	return err;
}

struct tcpdump *tcpdump_start(const char *path, const char *const *flags, uint32_t link, char *why,
			      size_t size)
{
	struct tcpdump *t = calloc(1, sizeof(*t));
	int err;

	if (!t) {
		snprintf(why, size, "out of memory.");
		return NULL;
	}
	t->in = t->out = t->errors = -1;
	buf_init(&t->record, 0);
	err = spawn(t, path, flags);
	if (!err)
		err = greet(t, link);
	if (err) {
		char words[256] = "";

		tcpdump_complaint(t, words, sizeof(words));
		snprintf(why, size, "tcpdump did not start: %s", words[0] ? words : strerror(-err));
		tcpdump_free(t);
		return NULL;
	}
	return t;
}

int tcpdump_packet(struct tcpdump *t, uint64_t time_ns, uint32_t wire_len, uint32_t cap_len,
		   const uint8_t *data, FILE *out)
{
	int err;

	buf_truncate(&t->record, 0);
	err = pcap_put_packet(&t->record, time_ns, wire_len,
			      cap_len < LIMIT_SNAPLEN ? cap_len : LIMIT_SNAPLEN, data);
	if (!err)
		err = write_slots(t, buf_head(&t->record), buf_len(&t->record), out);
	if (!err)
		err = write_filler(t, out);
	drain(t, out);
	return err;
}

void tcpdump_complaint(struct tcpdump *t, char *text, size_t size)
{
	char all[4096];
	ssize_t n;
	int status;

	text[0] = '\0';
	if (t->pid > 0 && t->in >= 0) {
		/* It is ending: wait until it has said why. */
		close(t->in);
		t->in = -1;
		if (waitpid(t->pid, &status, 0) == t->pid)
			t->pid = 0;
	}
	n = t->errors < 0 ? 0 : pread(t->errors, all, sizeof(all) - 1, 0);
	all[n > 0 ? n : 0] = '\0';
	for (char *save, *line = strtok_r(all, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "reading from file", 17))
			snprintf(text, size, "%s", line);
	}
}

void tcpdump_free(struct tcpdump *t)
{
	int status;

	if (!t)
		return;
	if (t->pid > 0) {
		/* Every packet was printed in tcpdump_packet(): nothing is lost. */
		kill(t->pid, SIGKILL);
		while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (t->in >= 0)
		close(t->in);
	if (t->out >= 0)
		close(t->out);
	if (t->errors >= 0)
		close(t->errors);
	buf_clear(&t->record);
	free(t);
}
