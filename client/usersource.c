/* SPDX-License-Identifier: BSD-2-Clause */
#include "usersource.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT "xcap_user_extend"
#define FIELDS 16 /* of one declaration, "int a, b;" */

/* Of what the parser saw last, in the language's own words. */
struct word {
	char text[USERSOURCE_NAME_BYTES]; /* an identifier, else one character */
	unsigned line;
};

struct parser {
	struct usersource *s;
	const char *at, *end;
	unsigned line;
	struct word last[3]; /* the newest first */
	unsigned braces, parens;
	/* a function may be what stands before the outermost parentheses */
	struct word called;
	bool is_typedef;
	unsigned output_depth; /* braces in which struct xcap_user_extend is, 0: not in it */
	struct word fields[FIELDS]; /* of the declaration in it that is read, or that ended in this line */
	unsigned field_count;
	bool declared; /* the declaration is over: fields wait for a comment */
	FILE *formats;
	int error;
};

static bool is_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static bool is_name(char c)
{
	return is_name_start(c) || isdigit((unsigned char)c);
}

static void add(struct parser *p, struct usersource_names *names, const char *text, size_t len, unsigned line)
{
	struct usersource_name *items;

	if (names->count == USERSOURCE_NAMES || len >= USERSOURCE_NAME_BYTES)
		return;
	items = realloc(names->items, (names->count + 1) * sizeof(*items));
	if (!items) {
		p->error = -ENOMEM;
		return;
	}
	names->items = items;
	items += names->count++;
	memcpy(items->text, text, len);
	items->text[len] = '\0';
	items->line = line;
}

/* ---- comments ---- */

/* What stands behind "format:" is the format of the fields before it. */
static void take_comment(struct parser *p, const char *text, size_t len)
{
	const char *end = text + len, *colon = memmem(text, len, "format", 6);

	if (!colon || !p->output_depth || !p->field_count)
		return;
	for (colon += 6; colon < end && isblank((unsigned char)*colon); colon++)
		;
	if (colon == end || *colon++ != ':')
		return;
	while (colon < end && isblank((unsigned char)*colon))
		colon++;
	while (end > colon && isspace((unsigned char)end[-1]))
		end--;
	for (unsigned i = 0; colon < end && i < p->field_count; i++)
		fprintf(p->formats, "%s=%.*s\n", p->fields[i].text, (int)(end - colon), colon);
}

static void skip_line_comment(struct parser *p)
{
	const char *start = p->at + 2;

	while (p->at < p->end && *p->at != '\n')
		p->at++;
	take_comment(p, start, p->at - start);
}

static void new_line(struct parser *p)
{
	p->line++;
	if (p->declared)
		p->field_count = 0;
	p->declared = false;
}

static void skip_block_comment(struct parser *p)
{
	const char *start = p->at + 2, *end = memmem(start, p->end - start, "*/", 2);

	if (!end)
		end = p->end;
	take_comment(p, start, end - start);
	for (; p->at < end; p->at++)
		if (*p->at == '\n')
			new_line(p);
	p->at = end + 2 < p->end ? end + 2 : p->end;
}

static void skip_quoted(struct parser *p)
{
	char quote = *p->at++;

	for (; p->at < p->end && *p->at != quote && *p->at != '\n'; p->at++)
		if (*p->at == '\\' && p->at + 1 < p->end)
			p->at++;
	if (p->at < p->end && *p->at == quote)
		p->at++;
}

static void take_directive(struct parser *p)
{
	const char *start = p->at + 1, *open, *close;

	/* to the end of the line; the next ones belong to it behind a backslash */
	for (; p->at < p->end && *p->at != '\n'; p->at++) {
		if (*p->at == '\\' && p->at + 1 < p->end && p->at[1] == '\n') {
			p->at++;
			new_line(p);
		} else if (*p->at == '/' && p->at + 1 < p->end && p->at[1] == '*') {
			skip_block_comment(p);
			p->at--;
		}
	}
	while (start < p->at && isblank((unsigned char)*start))
		start++;
	if (p->at - start < 7 || strncmp(start, "include", 7))
		return;
	open = memchr(start, '<', p->at - start);
	close = open ? memchr(open, '>', p->at - open) : NULL;
	if (close)
		add(p, &p->s->headers, open + 1, close - open - 1, p->line);
}

/* ---- words ---- */

static bool is_tag_keyword(const char *word)
{
	return !strcmp(word, "struct") || !strcmp(word, "union") || !strcmp(word, "enum");
}

static void open_brace(struct parser *p)
{
	const struct word *name = &p->last[0];

	if (!p->braces && name->text[0] == ')' && p->called.text[0])
		add(p, &p->s->functions, p->called.text, strlen(p->called.text), p->called.line);
	if (is_name_start(name->text[0]) && is_tag_keyword(p->last[1].text)) {
		if (!strcmp(name->text, OUTPUT)) {
			p->output_depth = p->braces + 1;
			p->s->has_output = true;
			p->field_count = 0;
		} else {
			add(p, &p->s->types, name->text, strlen(name->text), name->line);
		}
	}
	p->braces++;
}

static void close_brace(struct parser *p)
{
	if (p->braces && p->output_depth == p->braces)
		p->output_depth = 0;
	p->braces -= p->braces > 0;
	if (!p->braces)
		p->called.text[0] = '\0';
}

static void add_field(struct parser *p)
{
	if (p->declared) {
		p->field_count = 0;
		p->declared = false;
	}
	if (p->field_count < FIELDS && is_name_start(p->last[0].text[0]))
		p->fields[p->field_count++] = p->last[0];
}

static void end_statement(struct parser *p)
{
	if (!p->braces && p->is_typedef && is_name_start(p->last[0].text[0]))
		add(p, &p->s->types, p->last[0].text, strlen(p->last[0].text), p->last[0].line);
	if (!p->braces) {
		p->is_typedef = false;
		p->called.text[0] = '\0';
	}
}

static void take_sign(struct parser *p, char c)
{
	bool in_output = p->output_depth && p->braces == p->output_depth;

	/* a field's name stands before one of these; what is in brackets or behind a colon is none */
	if (in_output && (c == ';' || c == ',' || c == '[' || c == ':') && p->last[0].text[0] != ']')
		add_field(p);
	if (in_output && c == ';')
		p->declared = true;
	if (c == '(' && !p->braces && !p->parens++ && is_name_start(p->last[0].text[0]))
		p->called = p->last[0];
	else if (c == ')' && !p->braces && p->parens)
		p->parens--;
	else if (c == '{')
		open_brace(p);
	else if (c == '}')
		close_brace(p);
	else if (c == ';')
		end_statement(p);
}

static void push(struct parser *p, const char *text, size_t len)
{
	p->last[2] = p->last[1];
	p->last[1] = p->last[0];
	len = len < USERSOURCE_NAME_BYTES ? len : USERSOURCE_NAME_BYTES - 1;
	memcpy(p->last[0].text, text, len);
	p->last[0].text[len] = '\0';
	p->last[0].line = p->line;
}

static void take_name(struct parser *p)
{
	const char *start = p->at;

	while (p->at < p->end && is_name(*p->at))
		p->at++;
	push(p, start, p->at - start);
	if (!p->braces && !strcmp(p->last[0].text, "typedef"))
		p->is_typedef = true;
}

static void step(struct parser *p, bool *fresh)
{
	char c = *p->at, next = p->at + 1 < p->end ? p->at[1] : '\0';

	if (c == '\n')
		new_line(p);
	if (c == '#' && *fresh) {
		take_directive(p);
	} else if (c == '/' && next == '/') {
		skip_line_comment(p);
	} else if (c == '/' && next == '*') {
		skip_block_comment(p);
	} else if (c == '"' || c == '\'') {
		push(p, p->at, 1);
		skip_quoted(p);
	} else if (is_name(c)) {
		take_name(p);
	} else {
		if (!isspace((unsigned char)c)) {
			take_sign(p, c);
			push(p, &c, 1);
		}
		p->at++;
	}
	*fresh = c == '\n' || (*fresh && isspace((unsigned char)c));
}

int usersource_parse(struct usersource *s, char *text, size_t len)
{
	struct parser p = {.s = s, .at = text, .end = text + len, .line = 1};
	size_t size;
	bool fresh = true;

	memset(s, 0, sizeof(*s));
	s->text = text;
	s->len = len;
	p.formats = open_memstream(&s->formats, &size);
	if (!p.formats)
		return -ENOMEM;
	while (p.at < p.end)
		step(&p, &fresh);
	if (fclose(p.formats))
		p.error = -ENOMEM;
	return p.error;
}

static int read_text(int fd, char **text, size_t *len)
{
	char *bytes = malloc(USERSOURCE_BYTES + 1);
	ssize_t n = 0;

	*len = 0;
	if (!bytes)
		return -ENOMEM;
	while (*len <= USERSOURCE_BYTES && (n = read(fd, bytes + *len, USERSOURCE_BYTES + 1 - *len)) > 0)
		*len += n;
	if (n < 0 || *len > USERSOURCE_BYTES) {
		free(bytes);
		return n < 0 ? -errno : -EFBIG;
	}
	bytes[*len] = '\0';
	*text = bytes;
	return 0;
}

int usersource_read(struct usersource *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err;
	struct stat st;
	char *text = NULL;
	size_t len = 0;

	memset(s, 0, sizeof(*s));
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : S_ISREG(st.st_mode) ? read_text(fd, &text, &len) : -EISDIR;
	close(fd);
	return err ? err : usersource_parse(s, text, len);
}

void usersource_clear(struct usersource *s)
{
	free(s->text);
	free(s->functions.items);
	free(s->types.items);
	free(s->headers.items);
	free(s->formats);
	memset(s, 0, sizeof(*s));
}

const struct usersource_name *usersource_find(const struct usersource_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i].text, name))
			return &names->items[i];
	return NULL;
}
