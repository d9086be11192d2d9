/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcpdumpflags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One-letter flags that only change the printing, and those of them that take a value. */
#define PLAIN_FLAGS "AbeHKlnNOpqSuUvxX"
#define VALUE_FLAGS "EMsT"

static const char *const plain_long_flags[] = {
	"--absolute-tcp-sequence-numbers",
	"--dont-verify-checksums",
	"--lengths",
	"--no-optimize",
	"--no-promiscuous-mode",
};

/* Refused flags that people do type, and what they should use. */
static const struct {
	char letter;
	const char *instead;
} hints[] = {
	{'c', "netcapctl's own -c N ends the capture after N packets"},
	{'C', "netcapctl's own --write-file-rotate N bounds a file"},
	{'F', "netcapctl's own -e takes the filter expression"},
	{'G', "netcapctl's own --write-file-rotate N bounds a file"},
	{'i', "netcapctl's own -i chooses the device"},
	{'r', "the packets come from the capture"},
	{'w', "netcapctl's own -w FILE writes a file"},
	{'W', "netcapctl's own --write-file-rotate N bounds a file"},
	{'y', "the link type comes with each packet"},
};

static int refuse_letter(char letter, char *why, size_t size)
{
	const char *instead = "-t takes only flags that change how a packet is printed: "
			      "-" PLAIN_FLAGS VALUE_FLAGS "t#";

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (hints[i].letter == letter)
			instead = hints[i].instead;
	}
	snprintf(why, size, "-t cannot pass -%c on to tcpdump: %s.", letter, instead);
	return -EINVAL;
}

/*
 * Splits the copy in f->store in place. Returns the number of words, or -EINVAL. A word is only
 * ever written over characters that were read already.
 */
static int split(struct tcpdumpflags *f, char **words, char *why, size_t size)
{
	char *in = f->store, *out = f->store;
	int count = 0;

	for (;;) {
		char quote = 0;

		in += strspn(in, " \t\n");
		if (!*in)
			return count;
		if (count == TCPDUMPFLAGS_MAX - 1) {
			snprintf(why, size, "-t has more than %d words.", TCPDUMPFLAGS_MAX - 1);
			return -EINVAL;
		}
		words[count++] = out;
		for (; *in && (quote || !strchr(" \t\n", *in)); in++) {
			if (!quote && (*in == '"' || *in == '\''))
				quote = *in;
			else if (quote && *in == quote)
				quote = 0;
			else
				*out++ = *in;
		}
		if (quote) {
			snprintf(why, size, "-t has a %c that is never closed.", quote);
			return -EINVAL;
		}
		if (*in)
			in++;
		*out++ = '\0';
	}
}

static int precision(struct tcpdumpflags *f, const char *value, char *why, size_t size)
{
	if (value && (!strcmp(value, "nano") || !strcmp(value, "micro"))) {
		f->stamp.nano = value[0] == 'n';
		return 0;
	}
	snprintf(why, size, "-t: --time-stamp-precision takes micro or nano.");
	return -EINVAL;
}

/*
 * A word that begins with "--". Returns how many words it takes up, with *keep set if tcpdump is to
 * see it, or -EINVAL.
 */
static int long_flag(struct tcpdumpflags *f, const char *word, const char *next, bool *keep,
		     char *why, size_t size)
{
	static const char stamp_precision[] = "--time-stamp-precision";
	size_t n = sizeof(stamp_precision) - 1;

	*keep = false;
	if (!strcmp(word, "--number")) {
		f->stamp.number = true;
		return 1;
	}
	if (!strcmp(word, "--nano") || !strcmp(word, "--micro"))
		return precision(f, word + 2, why, size) ? -EINVAL : 1;
	if (!strncmp(word, stamp_precision, n) && word[n] == '=')
		return precision(f, word + n + 1, why, size) ? -EINVAL : 1;
	if (!strcmp(word, stamp_precision))
		return precision(f, next, why, size) ? -EINVAL : 2;
	for (size_t i = 0; i < sizeof(plain_long_flags) / sizeof(plain_long_flags[0]); i++) {
		if (!strcmp(word, plain_long_flags[i])) {
			*keep = true;
			return 1;
		}
	}
	snprintf(why, size, "-t cannot pass %s on to tcpdump: it takes only flags that change how "
			    "a packet is printed.", word);
	return -EINVAL;
}

/*
 * A word of one-letter flags. What netcapctl does itself (t and #) is cut out of it. Returns the
 * number of words taken up (2: the last letter's value is the next word), or -EINVAL.
 */
static int short_flags(struct tcpdumpflags *f, char *word, const char *next, char *why, size_t size)
{
	char *out = word + 1;

	for (const char *in = out; *in; in++) {
		if (*in == '#') {
			f->stamp.number = true;
		} else if (*in == 't') {
			if (f->stamp.style == STAMP_FROM_FIRST) {
				snprintf(why, size, "-t has more than five t flags: tcpdump knows "
						    "-t to -ttttt.");
				return -EINVAL;
			}
			f->stamp.style++;
		} else if (strchr(VALUE_FLAGS, *in)) {
			const char *value = in[1] ? in + 1 : next;
			int taken = in[1] ? 1 : 2;

			if (!value) {
				snprintf(why, size, "-t: tcpdump's -%c needs a value.", *in);
				return -EINVAL;
			}
			if (*in == 'E' && !strncmp(value, "file", 4)) {
				snprintf(why, size, "-t: tcpdump's -E cannot read a file here; "
						    "give the secret itself.");
				return -EINVAL;
			}
			memmove(out, in, strlen(in) + 1);
			return taken;
		} else if (strchr(PLAIN_FLAGS, *in)) {
			*out++ = *in;
		} else {
			return refuse_letter(*in, why, size);
		}
	}
	*out = '\0';
	return 1;
}

static int check(struct tcpdumpflags *f, char **words, int count, char *why, size_t size)
{
	int kept = 0;

	for (int i = 0; i < count;) {
		char *next = i + 1 < count ? words[i + 1] : NULL;
		bool keep;
		int taken;

		if (words[i][0] != '-' || !words[i][1]) {
			snprintf(why, size, "-t has \"%s\", which is no tcpdump flag; a filter "
					    "expression goes to -e.", words[i]);
			return -EINVAL;
		}
		if (words[i][1] == '-') {
			taken = long_flag(f, words[i], next, &keep, why, size);
		} else {
			taken = short_flags(f, words[i], next, why, size);
			keep = words[i][1] != '\0';
		}
		if (taken < 0)
			return taken;
		for (int j = 0; keep && j < taken; j++)
			f->words[kept++] = words[i + j];
		i += taken;
	}
	f->words[kept] = NULL;
	return 0;
}

int tcpdumpflags_parse(struct tcpdumpflags *f, const char *text, char *why, size_t size)
{
	char *words[TCPDUMPFLAGS_MAX];
	int count;

	memset(f, 0, sizeof(*f));
	f->store = strdup(text);
	if (!f->store)
		return -ENOMEM;
	count = split(f, words, why, size);
	return count < 0 ? count : check(f, words, count, why, size);
}

void tcpdumpflags_clear(struct tcpdumpflags *f)
{
	if (!f)
		return;
	free(f->store);
	memset(f, 0, sizeof(*f));
}
