/* SPDX-License-Identifier: BSD-2-Clause */
#include "duration.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400

struct unit {
	const char *name;
	uint64_t ns;
};

static const struct unit units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};

#define UNITS (sizeof(units) / sizeof(units[0]))

static const struct unit *find_unit(const char *name)
{
	for (size_t i = 0; i < UNITS; i++) {
		if (!strcmp(name, units[i].name))
			return &units[i];
	}
	return NULL;
}

/* The digits before the point; *text is then behind them. */
static bool read_whole(const char **text, uint64_t unit, uint64_t max, uint64_t *ns)
{
	uint64_t n = 0;

	for (; isdigit((unsigned char)**text); ++*text) {
		unsigned digit = (unsigned)(**text - '0');

		if (n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n > max / unit)
		return false;
	*ns = n * unit;
	return true;
}

/* Those behind it. */
static bool add_fraction(const char **text, uint64_t unit, uint64_t *ns)
{
	for (; isdigit((unsigned char)**text); ++*text) {
		if (unit % 10 && **text != '0')
			return false;
		unit /= 10;
		*ns += unit * (unsigned)(**text - '0');
	}
	return true;
}

bool duration_parse(const char *text, uint64_t max, uint64_t *ns)
{
	size_t number = strspn(text, "0123456789.");
	const struct unit *unit = find_unit(text + number);
	const char *at = text;

	if (!unit || !isdigit((unsigned char)*text) || !read_whole(&at, unit->ns, max, ns))
		return false;
	if (*at == '.') {
		at++;
		if (!isdigit((unsigned char)*at) || !add_fraction(&at, unit->ns, ns))
			return false;
	}
	return at == text + number && *ns <= max;
}

const char *duration_format(uint64_t ns, const char *gap, char *text)
{
	const struct unit *unit = units;
	double value;
	int places;

	if (ns < 1000) {
		snprintf(text, DURATION_TEXT, "%u%sns", (unsigned)ns, gap);
		return text;
	}
	do {
		unit++;
		value = (double)ns / (double)unit->ns;
	} while (value >= 999.5 && unit < units + UNITS - 1);
	places = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	if (value >= 99999.5)
		snprintf(text, DURATION_TEXT, "%.0f%sd", value / DAY_SECONDS, gap);
	else
		snprintf(text, DURATION_TEXT, "%.*f%s%s", places, value, gap, unit->name);
	return text;
}
