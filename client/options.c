/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exitcode.h"
#include "gatheroptions.h"
#include "limit.h"
#include "message.h"
#include "pointlist.h"
#include "print.h"
#include "text.h"
#include "userspace.h"

enum long_only {
	OPT_CAPTURE_MAX_SIZE = 256,
	OPT_COMM,
	OPT_DRY_RUN,
	OPT_FORMAT,
	OPT_JSON,
	OPT_MARK,
	OPT_NETNS,
	OPT_PID,
	OPT_RING_SIZE,
	OPT_BACKEND,
	OPT_FORCE,
	OPT_SOCKET,
	OPT_STACK_COLOR,
	OPT_ROTATE,
	OPT_FAKE_HDR,
	OPT_INNER,
	OPT_SKB_DATA,
	OPT_SKB_DATA_OFFSET,
	OPT_XDP,
	OPT_GROUP,
	OPT_TRACK,
	OPT_TRACK_SIZE,
	OPT_USER_FILTER,
	OPT_USER_ACTION,
	OPT_USER_COLOR,
	OPT_USER_LOG,
	OPT_BINARY,
	OPT_MBUF_LAYOUT,
};

static const struct option skb_options[] = {
	{"function", required_argument, NULL, 'f'},
	{"interface", required_argument, NULL, 'i'},
	{"expression", required_argument, NULL, 'e'},
	{"tcpdump-flags", required_argument, NULL, 't'},
	{"write-file", required_argument, NULL, 'w'},
	{"write-file-rotate", required_argument, NULL, OPT_ROTATE},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"count", required_argument, NULL, 'c'},
	{"capture-max-size", required_argument, NULL, OPT_CAPTURE_MAX_SIZE},
	{"stack-dump", no_argument, NULL, 'S'},
	{"stack-dump-color", required_argument, NULL, OPT_STACK_COLOR},
	{"json", no_argument, NULL, OPT_JSON},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"fake-hdr", optional_argument, NULL, OPT_FAKE_HDR},
	{"inner", no_argument, NULL, OPT_INNER},
	{"skb-data", no_argument, NULL, OPT_SKB_DATA},
	{"skb-data-offset", required_argument, NULL, OPT_SKB_DATA_OFFSET},
	{"group", no_argument, NULL, OPT_GROUP},
	{"track", no_argument, NULL, OPT_TRACK},
	{"track-size", required_argument, NULL, OPT_TRACK_SIZE},
	{"gather", no_argument, NULL, 'G'},
	{"gather-timeout", required_argument, NULL, OPT_GATHER_TIMEOUT},
	{"gather-buffer-size", required_argument, NULL, OPT_GATHER_SIZE},
	{"gather-distinguish-by-pointer", no_argument, NULL, OPT_GATHER_BY_POINTER},
	{"gather-distinguish-by-content", no_argument, NULL, OPT_GATHER_BY_CONTENT},
	{"gather-output-color", required_argument, NULL, OPT_GATHER_COLOR},
	{"slower-than", required_argument, NULL, OPT_SLOWER_THAN},
	{"histogram", no_argument, NULL, OPT_HISTOGRAM},
	{"summary", no_argument, NULL, OPT_SUMMARY},
	{"user-filter", required_argument, NULL, OPT_USER_FILTER},
	{"ext-filter", required_argument, NULL, OPT_USER_FILTER},
	{"user-action", required_argument, NULL, OPT_USER_ACTION},
	{"ext-action", required_argument, NULL, OPT_USER_ACTION},
	{"user-output-color", required_argument, NULL, OPT_USER_COLOR},
	{"ext-output-color", required_argument, NULL, OPT_USER_COLOR},
	{"user-log", no_argument, NULL, OPT_USER_LOG},
	{"netns", required_argument, NULL, OPT_NETNS},
	{"mark", required_argument, NULL, OPT_MARK},
	{"pid", required_argument, NULL, OPT_PID},
	{"binary", required_argument, NULL, OPT_BINARY},
	{"mbuf-layout", required_argument, NULL, OPT_MBUF_LAYOUT},
	{"comm", required_argument, NULL, OPT_COMM},
	{"backend", required_argument, NULL, OPT_BACKEND},
	{"force", no_argument, NULL, OPT_FORCE},
	{"ring-size", required_argument, NULL, OPT_RING_SIZE},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct option points_options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"xdp", no_argument, NULL, OPT_XDP},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct option plain_options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int out_of_memory(void)
{
	message("out of memory.");
	return EXITCODE_FAILED;
}

static int set_text(char **member, const char *value)
{
	free(*member);
	*member = strdup(value);
	return *member ? EXITCODE_OK : out_of_memory();
}

/* An unsigned option of the spec, min..max. */
static int set_number(int64_t *member, const char *option, const char *value, uint64_t min,
		      uint64_t max, bool units)
{
	uint64_t n;

	if (!text_number(value, max, units, &n) || n < min) {
		message("%s takes a number from %llu to %llu, not \"%s\".", option,
			(unsigned long long)min, (unsigned long long)max, value);
		return EXITCODE_USAGE;
	}
	*member = (int64_t)n;
	return EXITCODE_OK;
}

static int set_mark(struct spec *spec, const char *value)
{
	char text[64], *slash;
	uint64_t mark, mask = UINT32_MAX;

	snprintf(text, sizeof(text), "%s", value);
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	if (strlen(value) >= sizeof(text) || !text_number(text, UINT32_MAX, false, &mark) ||
	    (slash && !text_number(slash, UINT32_MAX, false, &mask)) || !mask) {
		message("--mark takes VALUE or VALUE/MASK, such as 0x10 or 0x10/0xf0, 32 bits each "
			"and the mask not 0; not \"%s\".",
			value);
		return EXITCODE_USAGE;
	}
	if (mark & ~mask) {
		message("--mark %s can never match: the value has bits outside the mask.", value);
		return EXITCODE_USAGE;
	}
	spec->mark = (int64_t)mark;
	spec->mark_mask = (int64_t)mask;
	return EXITCODE_OK;
}

static int set_name(char **member, const char *option, const char *value, size_t max)
{
	if (!*value || strlen(value) > max) {
		message("%s takes a name of 1 to %zu bytes, not \"%s\".", option, max, value);
		return EXITCODE_USAGE;
	}
	return set_text(member, value);
}

static int set_expression(struct spec *spec, const char *value)
{
	if (strlen(value) > LIMIT_FILTER_BYTES) {
		message("the filter expression of -e has %zu bytes; %d is the most.", strlen(value),
			LIMIT_FILTER_BYTES);
		return EXITCODE_USAGE;
	}
	/* An empty expression means what it means to tcpdump: everything. */
	free(spec->filter);
	spec->filter = NULL;
	return value[strspn(value, " \t\n")] ? set_text(&spec->filter, value) : EXITCODE_OK;
}

static int set_fake(struct spec *spec, const char *value)
{
	if (value && strcmp(value, "auto") && strcmp(value, "always") && strcmp(value, "never")) {
		message("--fake-hdr=WHEN takes auto, always or never, not \"%s\".", value);
		return EXITCODE_USAGE;
	}
	return set_text(&spec->fake_hdr, value ? value : "auto");
}

static int set_data_offset(struct spec *spec, const char *value)
{
	bool back = *value == '-';
	uint64_t n;

	if (!text_number(value + back, LIMIT_SKB_DATA_OFFSET, false, &n)) {
		message("--skb-data-offset takes a number from -%d to %d, not \"%s\".", LIMIT_SKB_DATA_OFFSET,
			LIMIT_SKB_DATA_OFFSET, value);
		return EXITCODE_USAGE;
	}
	spec->skb_data_offset = back ? -(int64_t)n : (int64_t)n;
	return EXITCODE_OK;
}

static int set_format(struct options *o, const char *value)
{
	if (!strcmp(value, "pcapng")) {
		o->format = FORMAT_PCAPNG;
	} else if (!strcmp(value, "pcap")) {
		o->format = FORMAT_PCAP;
	} else {
		message("--format takes pcapng or pcap, not \"%s\".", value);
		return EXITCODE_USAGE;
	}
	return EXITCODE_OK;
}

static int set_color(const char **color, const char *option, const char *value)
{
	if (!print_color(value)) {
		message("%s takes " PRINT_COLORS ", not \"%s\".", option, value);
		return EXITCODE_USAGE;
	}
	*color = value;
	return EXITCODE_OK;
}

static int set_file(const char **path, const char *option, const char *value)
{
	if (!*value || *path) {
		message(*value ? "%s is given twice: a session has one." : "%s takes the name of a file.", option);
		return EXITCODE_USAGE;
	}
	*path = value;
	return EXITCODE_OK;
}

static int set_rotate(struct options *o, const char *value)
{
	if (!text_number(value, UINT32_MAX, false, &o->rotate)) {
		message("--write-file-rotate takes a number of packets, not \"%s\".", value);
		return EXITCODE_USAGE;
	}
	return EXITCODE_OK;
}

static int set_spec_option(struct spec *s, int option, const char *value)
{
	switch (option) {
	case 'i':
		return set_name(&s->interface, "-i", value, LIMIT_IFNAME_BYTES);
	case 'e':
		return set_expression(s, value);
	case 'c':
		return set_number(&s->count, "-c", value, 0, INT64_MAX, false);
	case OPT_CAPTURE_MAX_SIZE:
		return set_number(&s->snaplen, "--capture-max-size", value, 1, LIMIT_SNAPLEN, true);
	case OPT_RING_SIZE:
		return set_number(&s->ring_bytes, "--ring-size", value, LIMIT_RING_MIN,
				  LIMIT_RING_MAX, true);
	case OPT_BACKEND:
		return set_name(&s->backend, "--backend", value, LIMIT_COMM_BYTES);
	case OPT_FAKE_HDR:
		return set_fake(s, value);
	case OPT_INNER:
		s->inner = true;
		return EXITCODE_OK;
	case OPT_TRACK:
		s->track = true;
		return EXITCODE_OK;
	case OPT_TRACK_SIZE:
		return set_number(&s->track_size, "--track-size", value, LIMIT_TRACK_MIN, LIMIT_TRACK_MAX, true);
	case OPT_SKB_DATA:
		s->skb_data = true;
		return EXITCODE_OK;
	case OPT_SKB_DATA_OFFSET:
		return set_data_offset(s, value);
	case OPT_FORCE:
		s->force = true;
		return EXITCODE_OK;
	case OPT_MARK:
		return set_mark(s, value);
	case OPT_XDP:
		return set_text(&s->packets, "xdp");
	case OPT_PID:
		return set_number(&s->pid, "--pid", value, 1, INT32_MAX, false);
	case OPT_COMM:
		return set_name(&s->comm, "--comm", value, LIMIT_COMM_BYTES);
	default:
		return EXITCODE_USAGE;
	}
}

static int set_option(struct options *o, int option, const char *value)
{
	if (option == 'G' || option >= OPT_GATHER_TIMEOUT)
		return gatheroptions_set(o, option, value);
	switch (option) {
	case 'f':
		return pointlist_add(&o->spec.points, value, o->prefix);
	case OPT_BINARY:
		return set_file(&o->binary, "--binary", value);
	case OPT_MBUF_LAYOUT:
		o->mbuf_layout = value;
		return EXITCODE_OK;
	case 't':
		o->tcpdump_flags = value;
		return EXITCODE_OK;
	case 'w':
		o->write_path = value;
		return EXITCODE_OK;
	case 'S':
		o->spec.stack = true;
		return EXITCODE_OK;
	case 'h':
		o->help = true;
		return EXITCODE_OK;
	case OPT_ROTATE:
		return set_rotate(o, value);
	case OPT_FORMAT:
		return set_format(o, value);
	case OPT_STACK_COLOR:
		return set_color(&o->stack_color, "--stack-dump-color", value);
	case OPT_USER_FILTER:
		return set_file(&o->user_filter, "--user-filter", value);
	case OPT_USER_ACTION:
		return set_file(&o->user_action, "--user-action", value);
	case OPT_USER_COLOR:
		return set_color(&o->user_color, "--user-output-color", value);
	case OPT_USER_LOG:
		o->spec.user_log = true;
		return EXITCODE_OK;
	case OPT_JSON:
		o->json = true;
		return EXITCODE_OK;
	case OPT_GROUP:
		o->group = o->spec.track_ends = true;
		return EXITCODE_OK;
	case OPT_DRY_RUN:
		o->spec.dry_run = true;
		return EXITCODE_OK;
	case OPT_NETNS:
		o->netns = value;
		return EXITCODE_OK;
	case OPT_SOCKET:
		o->socket_path = value;
		return EXITCODE_OK;
	default:
		return set_spec_option(&o->spec, option, value);
	}
}

int options_complain(int result, char **argv)
{
	const char *word = argv[optind - 1];

	if (result == ':')
		message("%s needs a value; see netcapctl %s --help.", word, argv[0]);
	else if (optopt && optopt < 256)
		message("netcapctl %s has no option -%c; see netcapctl %s --help.", argv[0], optopt,
			argv[0]);
	else
		message("netcapctl %s has no option %s, or not in this form; see netcapctl %s "
			"--help.",
			argv[0], word, argv[0]);
	return EXITCODE_USAGE;
}

/* What only makes sense together, or not together. */
static int check_skb(const struct options *o, const char *verb)
{
	bool xdp = spec_is_xdp(&o->spec);

	if (!o->spec.points.count) {
		message("-f says where to capture, for example -f %s; see netcapctl %s --help.",
			xdp ? "xdp_do_redirect" : *o->prefix ? "FUNCTION@1@2" : "tracepoint:skb:kfree_skb", verb);
		return EXITCODE_USAGE;
	}
	if (xdp && o->spec.mark_mask) {
		message("packets of XDP have no mark yet: leave --mark out.");
		return EXITCODE_USAGE;
	}
	if (xdp && (o->spec.fake_hdr || o->spec.skb_data)) {
		message("packets of XDP have all their headers, and begin with them: leave %s out.",
			o->spec.skb_data ? "--skb-data" : "--fake-hdr");
		return EXITCODE_USAGE;
	}
	if (o->spec.skb_data_offset && !o->spec.skb_data) {
		message("--skb-data-offset counts from where --skb-data says that packets begin: give both.");
		return EXITCODE_USAGE;
	}
	if (o->group && !o->spec.track) {
		message("--group shows events of one packet together, which --track knows: give both.");
		return EXITCODE_USAGE;
	}
	if (o->spec.track_size != DEFAULT_TRACK_SIZE && !o->spec.track) {
		message("--track-size is how many packets --track can follow: give both.");
		return EXITCODE_USAGE;
	}
	if (o->user_color && !o->user_action) {
		message("--user-output-color is the colour of what --user-action shows: give both.");
		return EXITCODE_USAGE;
	}
	if (o->spec.user_log && !o->user_filter && !o->user_action) {
		message("--user-log is what the verifier says of user code: it needs --user-filter or --user-action.");
		return EXITCODE_USAGE;
	}
	if (o->json && o->write_path) {
		message("--json prints packets and -w writes them to a file: choose one.");
		return EXITCODE_USAGE;
	}
	if (o->format != FORMAT_BY_NAME && !o->write_path) {
		message("--format is the format of a file: it needs -w FILE.");
		return EXITCODE_USAGE;
	}
	if (o->rotate && (!o->write_path || !strcmp(o->write_path, "-"))) {
		message("--write-file-rotate needs -w FILE, a regular file.");
		return EXITCODE_USAGE;
	}
	if (o->write_path && !*o->write_path) {
		message("-w needs the name of a file, or - for standard output.");
		return EXITCODE_USAGE;
	}
	return EXITCODE_OK;
}

int options_parse_skb(struct options *o, int argc, char **argv)
{
	int code = EXITCODE_OK, c;

	spec_init(&o->spec);
	o->spec.quiet = true; /* what is shown meanwhile is counted here */
	if (!strcmp(argv[0], "xdp"))
		code = set_text(&o->spec.packets, "xdp");
	o->prefix = !strcmp(argv[0], "mbuf") ? "mbuf:" : !strcmp(argv[0], "raw") ? "raw:" : "";
	o->tcpdump_flags = "-nn";
	optind = 0;
	opterr = 0;
	while (code == EXITCODE_OK && !o->help &&
	       (c = getopt_long(argc, argv, ":f:i:e:t:w:c:SGh", skb_options, NULL)) != -1)
		code = c == '?' || c == ':' ? options_complain(c, argv) : set_option(o, c, optarg);
	if (code != EXITCODE_OK || o->help)
		return code;
	if (optind < argc) {
		message("\"%s\" belongs to no option: trace points go to -f, a filter expression "
			"to -e (in quotes).",
			argv[optind]);
		return EXITCODE_USAGE;
	}
	code = gatheroptions_check(o);
	if (code == EXITCODE_OK)
		code = check_skb(o, argv[0]);
	return code == EXITCODE_OK ? userspace_check(o) : code;
}

int options_parse_plain(struct options *o, int argc, char **argv, int max_arguments,
			const char **argument)
{
	const struct option *options = strcmp(argv[0], "points") ? plain_options : points_options;
	int code = EXITCODE_OK, c;

	spec_init(&o->spec);
	*argument = NULL;
	optind = 0;
	opterr = 0;
	while (code == EXITCODE_OK && !o->help &&
	       (c = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		code = c == '?' || c == ':' ? options_complain(c, argv) : set_option(o, c, optarg);
	if (code != EXITCODE_OK || o->help)
		return code;
	if (argc - optind > max_arguments) {
		message("netcapctl %s: \"%s\" is one argument too many; see netcapctl %s --help.",
			argv[0], argv[optind + max_arguments], argv[0]);
		return EXITCODE_USAGE;
	}
	if (optind < argc)
		*argument = argv[optind];
	return EXITCODE_OK;
}

void options_clear(struct options *o)
{
	if (o)
		spec_clear(&o->spec);
}
