/* SPDX-License-Identifier: BSD-2-Clause */
#include "pointname.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "limit.h"
#include "quote.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

#define PATTERN "*?[]"

#define PROGRAM_ID_DIGITS 10 /* 32 bits */

#define EXAMPLE "write it as in tracepoint:skb:kfree_skb or icmp_rcv"

/* A part of the text that is being parsed. */
struct part {
	const char *text;
	size_t len;
};

struct parse {
	struct quote whole; /* the trace point as it was typed, for sentences */
	char *why;
	size_t size;
};

static int __attribute__((format(printf, 2, 3)))
refuse(const struct parse *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->why, p->size, format, args);
	va_end(args);
	return -EINVAL;
}

/* Cuts what stands before the first c off rest. False: there is no c, and part is all of rest. */
static bool cut(struct part *rest, char c, struct part *part)
{
	const char *end = memchr(rest->text, c, rest->len);

	*part = *rest;
	if (!end)
		return false;
	part->len = end - rest->text;
	rest->len -= part->len + 1;
	rest->text = end + 1;
	return true;
}

static bool is(const struct part *part, const char *word)
{
	return part->len == strlen(word) && !memcmp(part->text, word, part->len);
}

/* Copies a part that is made of the characters in allowed into place (size bytes). */
static int copy_part(const struct parse *p, const struct part *part, const char *what,
		     const char *allowed, char *place, size_t size)
{
	struct quote q;

	if (!part->len)
		return refuse(p, "the trace point %s has an empty %s: " EXAMPLE, p->whole.text,
			      what);
	for (size_t i = 0; i < part->len; i++)
		if (!strchr(allowed, part->text[i]))
			return refuse(p,
				      "the trace point %s has %s in its %s, which no %s has: "
				      "leave it out, and separate trace points by commas",
				      p->whole.text, quote_text(&q, part->text + i, 1), what, what);
	if (part->len >= size)
		return refuse(p, "the trace point %s has a %s of %zu characters: give at most %zu",
			      p->whole.text, what, part->len, size - 1);
	memcpy(place, part->text, part->len);
	place[part->len] = '\0';
	return 0;
}

static int parse_argument(const struct parse *p, const struct part *part, int *arg)
{
	struct quote q;

	if (!part->len)
		return refuse(p,
			      "the trace point %s has no number behind \"@\": give the position of "
			      "the argument, 1 to 9, or leave \"@\" out",
			      p->whole.text);
	if (part->len != 1 || *part->text < '1' || *part->text > '9')
		return refuse(p, "the trace point %s has the argument position %s: give 1 to 9",
			      p->whole.text, quote_text(&q, part->text, part->len));
	*arg = *part->text - '0';
	return 0;
}

/* What stands behind the first "@". */
static int parse_arguments(const struct parse *p, struct part rest, struct pointname *out)
{
	struct part part;

	if (!cut(&rest, '@', &part))
		return parse_argument(p, &part, &out->arg);
	if (parse_argument(p, &part, &out->arg))
		return -EINVAL;
	if (memchr(rest.text, '@', rest.len))
		return refuse(p,
			      "the trace point %s has more than two argument positions: "
			      "give at most two",
			      p->whole.text);
	return parse_argument(p, &rest, &out->arg2);
}

static const struct {
	const char *word;
	enum pointname_kind kind;
} kinds[] = {
	{ "kprobe", POINTNAME_KPROBE },
	{ "fentry", POINTNAME_FENTRY },
	{ "fexit", POINTNAME_FEXIT },
	{ "prog", POINTNAME_PROG },
	{ "progexit", POINTNAME_PROGEXIT },
	{ "uprobe", POINTNAME_UPROBE },
	{ "uretprobe", POINTNAME_URETPROBE },
	{ "usdt", POINTNAME_USDT },
};

static const char *const prefixes[] = {
	[POINTNAME_XDP] = "xdp",
	[POINTNAME_MBUF] = "mbuf",
	[POINTNAME_RAW] = "raw",
};

/* What stands in the place of a module. */
static int check_program(const struct parse *p, const struct pointname *out)
{
	if (out->group[strspn(out->group, DIGITS)] || strlen(out->group) > PROGRAM_ID_DIGITS)
		return refuse(p,
			      "the trace point %s has no number where the id of a program stands: give the "
			      "id, as in prog:42:NAME, or leave it out",
			      p->whole.text);
	return 0;
}

/* [MODULE:]FUNCTION, or [ID:]PROGRAM */
static int parse_function(const struct parse *p, struct part rest, enum pointname_kind kind,
			  struct pointname *out)
{
	struct part module;

	out->kind = kind;
	if (cut(&rest, ':', &module) &&
	    copy_part(p, &module, "kind or module", LETTERS DIGITS "_", out->group,
		      sizeof(out->group)))
		return -EINVAL;
	if ((kind == POINTNAME_PROG || kind == POINTNAME_PROGEXIT) && check_program(p, out))
		return -EINVAL;
	if (memchr(rest.text, ':', rest.len))
		return refuse(p, "the trace point %s has too many colons: " EXAMPLE, p->whole.text);
	if (rest.len && strchr(DIGITS, *rest.text))
		return refuse(p,
			      "the trace point %s begins with a digit, which no function does: "
			      "give the name of a function, or " EXAMPLE,
			      p->whole.text);
	if (is(&rest, "all"))
		rest = (struct part){ "*", 1 };
	return copy_part(p, &rest, "function name", LETTERS DIGITS "_." PATTERN, out->name,
			 sizeof(out->name));
}

/* What stands behind "tracepoint:". Groups may begin with a digit (9p) and hold "-" (xhci-hcd). */
static int parse_tracepoint(const struct parse *p, struct part rest, struct pointname *out)
{
	struct part group;

	out->kind = POINTNAME_TRACEPOINT;
	if (!cut(&rest, ':', &group))
		return refuse(p, "the trace point %s has no event behind its group: " EXAMPLE,
			      p->whole.text);
	if (memchr(rest.text, ':', rest.len))
		return refuse(p, "the trace point %s has too many colons: " EXAMPLE, p->whole.text);
	if (copy_part(p, &group, "group", LETTERS DIGITS "_-" PATTERN, out->group, sizeof(out->group)))
		return -EINVAL;
	return copy_part(p, &rest, "event", LETTERS DIGITS "_" PATTERN, out->name, sizeof(out->name));
}

/* Cuts what stands before the first colon that is not one of two, as in names of C++. */
static bool cut_single(struct part *rest, struct part *part)
{
	for (size_t i = 0; i < rest->len; i++) {
		if (rest->text[i] != ':')
			continue;
		if (i + 1 < rest->len && rest->text[i + 1] == ':') {
			i++;
			continue;
		}
		*part = (struct part){ rest->text, i };
		*rest = (struct part){ rest->text + i + 1, rest->len - i - 1 };
		return true;
	}
	return false;
}

/* [OBJECT:]FUNCTION or [PROVIDER:]PROBE in user space */
static int parse_process(const struct parse *p, struct part rest, enum pointname_kind kind, struct pointname *out)
{
	bool usdt = kind == POINTNAME_USDT;
	struct part group;

	out->kind = kind;
	if (cut_single(&rest, &group) && copy_part(p, &group, usdt ? "provider" : "object", LETTERS DIGITS "_.+-",
						   out->group, sizeof(out->group)))
		return -EINVAL;
	return copy_part(p, &rest, usdt ? "probe" : "function name", usdt ? LETTERS DIGITS "_.-" : LETTERS DIGITS "_.$~+:<>",
			 out->name, sizeof(out->name));
}

static bool is_process_kind(enum pointname_kind kind)
{
	return kind == POINTNAME_UPROBE || kind == POINTNAME_URETPROBE || kind == POINTNAME_USDT;
}

/* Cuts a word such as "xdp:" off, which says what holds the packets. */
static enum pointname_packets cut_prefix(struct part *whole)
{
	struct part rest = *whole, word;

	if (!cut(&rest, ':', &word))
		return POINTNAME_AS_SESSION;
	for (int i = POINTNAME_XDP; i <= POINTNAME_RAW; i++) {
		if (is(&word, prefixes[i])) {
			*whole = rest;
			return i;
		}
	}
	return POINTNAME_AS_SESSION;
}

/* What stands behind a prefix must be of its side. */
static int check_prefix(const struct parse *p, const struct pointname *out, const struct part *kind)
{
	bool process = out->packets == POINTNAME_MBUF || out->packets == POINTNAME_RAW;

	if (out->packets == POINTNAME_XDP && (out->kind == POINTNAME_TRACEPOINT || is_process_kind(out->kind)))
		return refuse(p,
			      "the trace point %s has %.*s behind xdp:, and only functions and programs carry packets "
			      "of XDP: give xdp:FUNCTION or xdp:prog:PROGRAM",
			      p->whole.text, (int)kind->len, kind->text);
	if (!out->packets && is_process_kind(out->kind))
		return refuse(p,
			      "the trace point %s does not say what its packets are: put mbuf: in front for those of DPDK, or raw: "
			      "for plain bytes",
			      p->whole.text);
	if (process && !is_process_kind(out->kind))
		return refuse(p,
			      "the trace point %s has %.*s behind %s:, whose packets are in user space: give "
			      "%s:FUNCTION, %s:uretprobe:FUNCTION or %s:usdt:PROVIDER:PROBE",
			      p->whole.text, (int)kind->len, kind->text, prefixes[out->packets], prefixes[out->packets],
			      prefixes[out->packets], prefixes[out->packets]);
	return 0;
}

/* What stands behind the word for its kind. */
static int parse_kind(const struct parse *p, struct part rest, enum pointname_kind kind, struct pointname *out)
{
	if (is_process_kind(kind))
		return parse_process(p, rest, kind, out);
	return parse_function(p, rest, kind, out);
}

/* No word for the kind is in front. */
static int parse_plain(const struct parse *p, struct part whole, struct pointname *out)
{
	if (out->packets == POINTNAME_MBUF || out->packets == POINTNAME_RAW)
		return parse_process(p, whole, POINTNAME_UPROBE, out);
	return parse_function(p, whole, POINTNAME_FUNCTION, out);
}

static int parse_name(const struct parse *p, struct part whole, struct pointname *out)
{
	struct part rest, kind;
	int r;

	out->packets = cut_prefix(&whole);
	rest = whole;
	if (out->packets && cut_prefix(&rest))
		return refuse(p, "the trace point %s says twice what holds its packets: leave one out", p->whole.text);
	if (!cut(&rest, ':', &kind))
		return parse_plain(p, whole, out);
	if (is(&kind, "kretprobe"))
		return refuse(p,
			      "the trace point %s is of kind kretprobe, which this version does not trace: give fexit: "
			      "in front for the return of a kernel function",
			      p->whole.text);
	if (is(&kind, "tracepoint") || is(&kind, "tp")) {
		r = parse_tracepoint(p, rest, out);
		return r ?: check_prefix(p, out, &kind);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (is(&kind, kinds[i].word)) {
			r = parse_kind(p, rest, kinds[i].kind, out);
			return r ?: check_prefix(p, out, &kind);
		}
	}
	return parse_plain(p, whole, out);
}

int pointname_parse(const char *text, struct pointname *p, char *why, size_t size)
{
	struct parse parse = {.why = why, .size = size};
	struct part rest = {.text = text, .len = strlen(text)}, name;
	bool arguments;

	memset(p, 0, sizeof(*p));
	quote_text(&parse.whole, text, rest.len);
	if (!rest.len)
		return refuse(&parse, "a trace point is empty: " EXAMPLE);
	if (rest.len > LIMIT_POINT_BYTES)
		return refuse(&parse, "the trace point %s is %zu characters long: give at most %d",
			      parse.whole.text, rest.len, LIMIT_POINT_BYTES);
	arguments = cut(&rest, '@', &name);
	if (parse_name(&parse, name, p))
		return -EINVAL;
	return arguments ? parse_arguments(&parse, rest, p) : 0;
}

static const char *kind_word(enum pointname_kind kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].word;
	return kind == POINTNAME_TRACEPOINT ? "tracepoint" : NULL;
}

int pointname_format(const struct pointname *p, char *text, size_t size)
{
	const char *kind = p->packets && p->kind == POINTNAME_UPROBE ? NULL : kind_word(p->kind);
	int len = snprintf(text, size, "%s%s%s%s%s%s%s", p->packets ? prefixes[p->packets] : "", p->packets ? ":" : "",
			   kind ? kind : "", kind ? ":" : "", p->group, *p->group ? ":" : "", p->name);

	return (size_t)len < size ? len : -ENOBUFS;
}

bool pointname_says_side(const char *text)
{
	struct part rest = {.text = text, .len = strlen(text)}, kind;

	if (cut_prefix(&rest))
		return true;
	if (!cut(&rest, ':', &kind))
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (is(&kind, kinds[i].word))
			return !is_process_kind(kinds[i].kind);
	return is(&kind, "tracepoint") || is(&kind, "tp");
}

bool pointname_is_process(const struct pointname *p)
{
	return is_process_kind(p->kind);
}

bool pointname_is_pattern(const struct pointname *p)
{
	return strpbrk(p->name, PATTERN) || strpbrk(p->group, PATTERN);
}
