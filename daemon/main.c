/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "daemon/activation.h"
#include "daemon/config.h"
#include "daemon/filterproc.h"
#include "daemon/journal.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/server.h"
#include "daemon/userchild.h"
#include "daemon/userproc.h"
#include "limit.h"
#include "version.h"

#define PROC_NET "/proc/net"

struct arguments {
	const char *socket_path;
	int private_fd; /* -1: serve at the socket */
	struct config_source config;
	bool check_config;
	const char *proc_net; /* where the counters of protocols are */
};

static const char help[] =
    "Usage: netcapd [OPTION...]\n"
    "Captures packets inside the Linux kernel, for netcapctl and other Varlink clients.\n"
    "\n"
    "  --socket PATH  listen at PATH (default " DEFAULT_SOCKET_PATH "), unless systemd\n"
    "                 passes a listening socket\n"
    "  --private FD   serve one connected socket, and exit when it and its session have ended\n"
    "  --config PATH  the configuration, with the drop-ins PATH.d/*.json (default\n"
    "                 " CONFIG_PATH ")\n"
    "  --check-config print the configuration with all defaults, or what is wrong, and exit\n"
    "  --proc-net DIR the /proc/net whose counters of lost packets are shown (default " PROC_NET ")\n"
    "  --help         print this and exit\n"
    "  --version      print the version and exit\n"
    "\n"
    "It runs in the foreground, needs CAP_BPF and CAP_PERFMON (or root), and logs to standard\n"
    "error. SIGTERM and SIGINT stop all sessions and end it, SIGHUP makes it read its\n"
    "configuration anew. netcapd(8) says more.\n";

static int parse_private(const char *text, int *fd)
{
	char *rest;
	long number;

	errno = 0;
	number = strtol(text, &rest, 10);
	if (errno || *rest || rest == text || number < 3 || number > 1 << 20 ||
	    sd_is_socket_unix(number, SOCK_STREAM, 0, NULL, 0) <= 0) {
		log_error("--private %s: this is not the number of a connected Unix stream socket "
			  "that was passed to netcapd",
			  text);
		return -EINVAL;
	}
	*fd = number;
	return 0;
}

static int refuse(const char *argument, bool incomplete)
{
	if (incomplete)
		log_error("%s needs an argument (see netcapd --help)", argument);
	else
		log_error("netcapd takes no \"%s\"; netcapd --help shows what it takes", argument);
	return -EINVAL;
}

/* 1: go on; 0: done; negative errno: the sentence is logged. */
static int parse(int argc, char **argv, struct arguments *a)
{
	enum { SOCKET = 1, PRIVATE, CONFIG, CHECK_CONFIG, PROC_NET_AT, HELP, VERSION };
	static const struct option options[] = {
	    {"socket", required_argument, NULL, SOCKET},
	    {"private", required_argument, NULL, PRIVATE},
	    {"config", required_argument, NULL, CONFIG},
	    {"check-config", no_argument, NULL, CHECK_CONFIG},
	    {"proc-net", required_argument, NULL, PROC_NET_AT},
	    {"help", no_argument, NULL, HELP},
	    {"version", no_argument, NULL, VERSION},
	    {},
	};
	int option;

	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option == SOCKET)
			a->socket_path = optarg;
		else if (option == PRIVATE && parse_private(optarg, &a->private_fd))
			return -EINVAL;
		else if (option == CONFIG)
			a->config = (struct config_source){.path = optarg, .required = true};
		else if (option == CHECK_CONFIG)
			a->check_config = true;
		else if (option == PROC_NET_AT)
			a->proc_net = optarg;
		else if (option == HELP)
			return fputs(help, stdout) < 0 ? -EIO : 0;
		else if (option == VERSION)
			return puts("netcapd " NETCAPD_VERSION) < 0 ? -EIO : 0;
		else if (option == ':' || option == '?')
			return refuse(argv[optind - 1], option == ':');
	}
	return optind == argc ? 1 : refuse(argv[optind], false);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Descriptors 0 to 2 are there, and of the others only those of count that are kept, in ascending order, or -1. */
static void tidy_descriptors(const int *keep, size_t count)
{
	int fd, next = STDERR_FILENO + 1;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < next)
			continue;
		if (keep[i] > next)
			close_range(next, keep[i] - 1, 0);
		fcntl(keep[i], F_SETFD, FD_CLOEXEC);
		next = keep[i] + 1;
	}
	close_range(next, ~0U, 0);
}

/* More is better, and what is refused is refused. */
static void raise_limit(int resource, bool beyond)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
	if (!beyond)
		return;
	limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
	setrlimit(resource, &limit);
}

static void prepare_process(void)
{
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	/* one arena for both threads: what the worker's own would keep after a session is 8 MiB, never given back */
	mallopt(M_ARENA_MAX, 1);
	raise_limit(RLIMIT_NOFILE, false);
	/* kernels before 5.11 charge BPF maps to it */
	raise_limit(RLIMIT_MEMLOCK, true);
}

static void tidy(int private_fd, const struct activation *a)
{
	int keep[] = {private_fd, a->control, a->metrics, a->route};

	qsort(keep, sizeof(keep) / sizeof(*keep), sizeof(*keep), compare);
	tidy_descriptors(keep, sizeof(keep) / sizeof(*keep));
}

static void log_start(const char *where)
{
	struct journal_entry e;

	journal_begin(&e, JOURNAL_SERVICE_STARTED, LOG_INFO);
	journal_text(&e, "NETCAP_VERSION", NETCAPD_VERSION);
	journal_text(&e, "NETCAP_SOCKET", where);
	journal_send(&e, "netcapd " NETCAPD_VERSION " serves at %s", where);
}

/* Where the drop history is: where the own socket is, else what systemd gives the service. */
static void find_directory(const char *socket_path, bool own, char *directory, size_t size)
{
	const char *given = own ? NULL : getenv("RUNTIME_DIRECTORY");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", given ?: socket_path);
	if (given)
		path[strcspn(path, ":")] = '\0'; /* there may be several */
	snprintf(directory, size, "%s", given ? path : dirname(path));
}

/*
 * Serves until the end. own: to be published when all is ready, or NULL. where: for the log, or
 * NULL. 0, or negative errno: logged.
 */
static int serve(struct server_parts *parts, struct listener *own, const char *where, const char *socket_path)
{
	char why[512], directory[PATH_MAX];
	struct server *server;
	int r;

	find_directory(socket_path, own, directory, sizeof(directory));
	parts->directory = directory;
	server = server_new(parts, why, sizeof(why));
	r = server ? 0 : -ENOMEM;
	if (!r && own) {
		r = listener_publish(own);
		snprintf(why, sizeof(why), "no socket can be put at %s: %s", where, strerror(-r));
	}
	if (r) {
		log_error("%s", why);
	} else {
		log_start(where ?: "a private socket");
		server_run(server);
	}
	server_free(server);
	return r;
}

static int serve_own_socket(struct server_parts *parts, const char *path)
{
	struct listener listener = LISTENER_NONE;
	char why[512];
	int r = listener_open(&listener, path,
			      parts->policy.has_group ? parts->policy.group : (gid_t)-1, why,
			      sizeof(why));

	parts->listen_fd = listener.fd;
	if (r)
		log_error("%s", why);
	else
		r = serve(parts, &listener, path, path);
	listener_close(&listener);
	return r;
}

/* 0, or negative errno: logged. */
static int load_config(struct config *config, const struct config_source *source)
{
	struct config_error error;
	int r = config_load(config, source, &error);

	if (r)
		log_error("%s", error.why);
	else
		config_warn(config);
	return r;
}

static int check_config(const struct config_source *source)
{
	struct config config;
	struct json_object *json;
	int r = load_config(&config, source);

	if (r)
		return r;
	json = config_to_json(&config);
	if (!json || puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
								   JSON_C_TO_STRING_SPACED |
								   JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		r = -EIO;
	json_object_put(json);
	config_clear(&config);
	return r;
}

static int run(const struct arguments *a)
{
	struct server_parts parts = {
	    .listen_fd = -1,
	    .metrics_fd = -1,
	    .private_fd = a->private_fd,
	    .counters = {.proc_net = a->proc_net},
	};
	struct activation activation = ACTIVATION_NONE;
	int r = a->private_fd >= 0 ? 0 : activation_take(&activation);

	if (r < 0)
		return r;
	tidy(a->private_fd, &activation);
	prepare_process();
	peer_policy_init(&parts.policy);
	/* the machine's configuration is about what users may do to each other */
	if (a->private_fd < 0 || a->config.required)
		parts.source = a->config;
	r = load_config(&parts.config, &parts.source);
	if (r)
		return r;
	parts.listen_fd = activation.control;
	parts.metrics_fd = activation.metrics;
	parts.counters.route = activation.route;
	if (a->private_fd >= 0) {
		log_only_problems();
		r = serve(&parts, NULL, NULL, a->socket_path);
	} else if (activation.control >= 0) {
		r = serve(&parts, NULL, "the socket of systemd", a->socket_path);
	} else {
		r = serve_own_socket(&parts, a->socket_path);
	}
	config_clear(&parts.config);
	return r;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
	    .socket_path = DEFAULT_SOCKET_PATH,
	    .private_fd = -1,
	    .config.path = CONFIG_PATH,
	    .proc_net = PROC_NET,
	};
	int r;

	if (argc > 1 && !strcmp(argv[1], FILTERPROC_ARGUMENT))
		return filterproc_child_main();
	if (argc > 1 && !strcmp(argv[1], USERPROC_ARGUMENT))
		return userchild_main(STDIN_FILENO);
	log_init();
	r = parse(argc, argv, &arguments);
	if (r > 0)
		r = arguments.check_config ? check_config(&arguments.config) : run(&arguments);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
