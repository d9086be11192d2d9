/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "limit.h"
#include "pointchoice.h"
#include "pointname.h"
#include "quote.h"
#include "utf8.h"

#define BLANKS  " \t"
#define LICENSE "SPDX-License-Identifier:"

struct reader {
	struct profile *profile;
	char *pending; /* owned; comment lines that wait for their trace point */
	unsigned line;
	char *why;
	size_t size;
};

static int __attribute__((format(printf, 2, 3))) refuse(const struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->why, r->size, format, args);
	va_end(args);
	return -EINVAL;
}

/* Cuts blanks off at both ends. */
static char *trim(char *s)
{
	size_t len;

	s += strspn(s, BLANKS);
	for (len = strlen(s); len && strchr(BLANKS, s[len - 1]); len--)
		;
	s[len] = '\0';
	return s;
}

/* Adds a line to a text that may be NULL yet. 0 or -ENOMEM. */
static int append(char **text, const char *line)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *text ? *text : "", *text ? "\n" : "", line) < 0)
		return -ENOMEM;
	free(*text);
	*text = longer;
	return 0;
}

/* Is it a control character, in UTF-8 of len bytes? Those from U+0080 on begin sequences on some terminals. */
static bool is_control(const char *c, size_t len)
{
	const unsigned char *byte = (const unsigned char *)c;

	return len == 1 ? *byte < ' ' || *byte == 0x7f : len == 2 && byte[0] == 0xc2 && byte[1] < 0xa0;
}

/* Text for a terminal: UTF-8 without control characters, but for tabs. */
static int check_bytes(const struct reader *r, const char *line, size_t len)
{
	struct quote q;
	size_t n;

	if (len > PROFILE_LINE_BYTES)
		return refuse(r, "it has %zu bytes, and lines have %d at most", len, PROFILE_LINE_BYTES);
	for (size_t i = 0; i < len; i += n) {
		n = utf8_length(line + i, len - i);
		if (!n || (is_control(line + i, n) && line[i] != '\t'))
			return refuse(r, "it holds %s, which is no text: give a text file",
				      quote_text(&q, line + i, n ? n : 1));
	}
	return 0;
}

/* choice: it is one of several, or may be missing, which the daemon will be asked about. */
static int check_name(const struct reader *r, const char *name, bool choice)
{
	struct pointname parsed;
	struct quote q;
	char why[512];

	if (!*name)
		return refuse(r, "a trace point is missing beside \"|\" or behind \"?\"");
	quote_text(&q, name, strlen(name));
	if (*name == '@')
		return refuse(r, "%s would be another profile, and a profile holds trace points only: give both to -f",
			      q.text);
	if (strpbrk(name, BLANKS ","))
		return refuse(r, "%s is more than one trace point: give each a line of its own, and put \"#\" before "
			      "a comment", q.text);
	if (pointname_parse(name, &parsed, why, sizeof(why)))
		return refuse(r, "%s", why);
	if (choice && pointname_is_process(&parsed))
		return refuse(r, "%s is in user space, where a profile cannot choose: give it a line of its own, without \"?\" and "
			      "\"|\"", q.text);
	return 0;
}

/* "?A | B" becomes "A|B|". */
static int make_text(const struct reader *r, char *words, char **text)
{
	bool optional = *words == '?', choice = optional || strchr(words, '|');
	char *rest = words + optional, *name;
	size_t count = 0;
	int err = 0;

	*text = calloc(1, strlen(words) + 2);
	if (!*text)
		return -ENOMEM;
	while (!err && (name = strsep(&rest, "|"))) {
		name = trim(name);
		err = check_name(r, name, choice);
		if (!err && ++count > POINTCHOICE_MOST)
			err = refuse(r, "it has more than %d trace points to choose from", POINTCHOICE_MOST);
		if (count > 1)
			strcat(*text, "|");
		strcat(*text, name);
	}
	if (optional)
		strcat(*text, "|");
	return err;
}

static int add_point(struct reader *r, char *words)
{
	struct profile *p = r->profile;
	struct profile_point *points;
	int err;

	if (p->count == LIMIT_POINTS)
		return refuse(r, "it is one trace point too many: a session has %d at most", LIMIT_POINTS);
	points = realloc(p->points, (p->count + 1) * sizeof(*points));
	if (!points)
		return -ENOMEM;
	p->points = points;
	points[p->count] = (struct profile_point){.comment = r->pending, .line = r->line};
	r->pending = NULL;
	err = make_text(r, words, &points[p->count].text);
	p->count++;
	return err;
}

static int take_comment(struct reader *r, const char *comment)
{
	struct profile *p = r->profile;

	if (!strncmp(comment, LICENSE, strlen(LICENSE)))
		return 0;
	if (!p->description && !p->count)
		return *comment ? append(&p->description, comment) : 0;
	return append(&r->pending, comment);
}

static int take_line(struct reader *r, char *line)
{
	struct profile *p = r->profile;
	char *comment = strchr(line, '#');
	int err = 0;

	if (comment)
		*comment++ = '\0';
	line = trim(line);
	if (*line)
		err = add_point(r, line);
	if (!err && comment)
		return *line ? append(&p->points[p->count - 1].comment, trim(comment)) :
			       take_comment(r, trim(comment));
	/* an empty line ends the comment that is of the whole file */
	if (!err && !*line && !p->count && !p->notes) {
		p->notes = r->pending;
		r->pending = NULL;
	}
	return err;
}

static int parse_line(struct reader *r, const char *text, size_t len)
{
	char line[PROFILE_LINE_BYTES + 1];
	int err;

	if (len && text[len - 1] == '\r')
		len--;
	err = check_bytes(r, text, len);
	if (err)
		return err;
	memcpy(line, text, len);
	line[len] = '\0';
	return take_line(r, line);
}

int profile_parse(struct profile *p, const char *text, size_t len, unsigned *line, char *why, size_t size)
{
	struct reader r = {.profile = p, .why = why, .size = size};
	const char *end = text + len;
	int err = 0;

	*p = (struct profile){0};
	while (!err && text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		r.line++;
		err = parse_line(&r, text, (size_t)((stop ? stop : end) - text));
		text = stop ? stop + 1 : end;
	}
	free(r.pending);
	*line = r.line;
	if (!err && !p->count) {
		*line = 0;
		err = refuse(&r, "it has no trace point: give one a line, as in tracepoint:skb:kfree_skb");
	}
	return err;
}

static int read_all(int fd, char *text, size_t size, size_t *len)
{
	*len = 0;
	while (*len < size) {
		ssize_t n = read(fd, text + *len, size - *len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			break;
		*len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int profile_read(struct profile *p, const char *path, unsigned *line, char *why, size_t size)
{
	/* a FIFO would keep the opener waiting */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = 0;
	struct reader r = {.why = why, .size = size};
	char *text = NULL;
	struct stat st;
	size_t len;

	*p = (struct profile){0};
	*line = 0;
	*why = '\0';
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = refuse(&r, "it is no regular file");
	if (!err && !(text = malloc(PROFILE_FILE_BYTES + 1)))
		err = -ENOMEM;
	if (!err)
		err = read_all(fd, text, PROFILE_FILE_BYTES + 1, &len);
	if (!err && len > PROFILE_FILE_BYTES)
		err = refuse(&r, "it has more than %d bytes", PROFILE_FILE_BYTES);
	if (!err)
		err = profile_parse(p, text, len, line, why, size);
	free(text);
	close(fd);
	return err;
}

void profile_clear(struct profile *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->points[i].text);
		free(p->points[i].comment);
	}
	free(p->points);
	free(p->description);
	free(p->notes);
	*p = (struct profile){0};
}
