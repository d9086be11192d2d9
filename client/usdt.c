/* SPDX-License-Identifier: BSD-2-Clause */
#include "usdt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "quote.h"

#define OWNER	  "stapsdt"
#define NOTE_TYPE 3
#define ADDRESSES 3 /* of the place, of .stapsdt.base as it was linked, of the semaphore */

#define NEAREST	       3
#define PROVIDERS_MOST 8 /* that a sentence lists */

static int __attribute__((format(printf, 4, 5))) refuse(int err, char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return err;
}

/* ---- notes ---- */

/* A text that ends before end, which *at moves behind. NULL: it does not. */
static const char *read_text(const char **at, const char *end)
{
	const char *text = *at, *nul = memchr(text, '\0', (size_t)(end - text));

	if (nul)
		*at = nul + 1;
	return nul ? text : NULL;
}

static bool read_note(const struct elffile *f, const char *desc, size_t size, struct usdt_place *p)
{
	const char *at = desc + ADDRESSES * sizeof(uint64_t), *end = desc + size;
	uint64_t addresses[ADDRESSES];
	struct elffile_bytes base;

	if (size <= sizeof(addresses))
		return false;
	memcpy(addresses, desc, sizeof(addresses));
	p->provider = read_text(&at, end);
	p->name = p->provider ? read_text(&at, end) : NULL;
	p->args = p->name ? read_text(&at, end) : NULL;
	if (!p->args || !p->provider[0] || !p->name[0])
		return false;
	/* prelink(8) moves sections, and leaves notes as they are */
	if (elffile_section(f, ".stapsdt.base", &base))
		for (int i = 0; i < ADDRESSES; i += 2)
			addresses[i] += addresses[i] ? base.address - addresses[1] : 0;
	p->address = addresses[0];
	p->semaphore = 0;
	return elffile_offset(f, p->address, true, &p->offset) &&
	       (!addresses[2] || elffile_offset(f, addresses[2], false, &p->semaphore));
}

static bool walk_section(const struct elffile *f, Elf_Data *data, bool (*take)(void *, const struct usdt_place *),
			 void *arg)
{
	size_t at = 0, next, name, desc;
	struct usdt_place p;
	GElf_Nhdr note;

	while ((next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;

		if (note.n_type == NOTE_TYPE && note.n_namesz == sizeof(OWNER) &&
		    !memcmp(bytes + name, OWNER, sizeof(OWNER)) && read_note(f, bytes + desc, note.n_descsz, &p) &&
		    take(arg, &p))
			return true;
		at = next;
	}
	return false;
}

void usdt_each(const struct elffile *f, bool (*take)(void *arg, const struct usdt_place *place), void *arg)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(f->elf, section))) {
		Elf_Data *data = gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE ?
			elf_getdata(section, NULL) : NULL;

		if (data && data->d_buf && walk_section(f, data, take, arg))
			return;
	}
}

/* ---- finding ---- */

struct search {
	const char *provider, *name;
	struct usdt_places *places;
	bool is_full;
	const char *providers[PROVIDERS_MOST];
	size_t provider_count;
};

static void note_provider(struct search *s, const char *provider)
{
	for (size_t i = 0; i < s->provider_count; i++)
		if (!strcmp(s->providers[i], provider))
			return;
	if (s->provider_count < PROVIDERS_MOST)
		s->providers[s->provider_count++] = provider;
}

static bool take_place(void *arg, const struct usdt_place *p)
{
	struct search *s = arg;

	if (strcmp(p->name, s->name) || (s->provider && strcmp(p->provider, s->provider)))
		return false;
	note_provider(s, p->provider);
	for (size_t i = 0; i < s->places->count; i++)
		if (s->places->items[i].offset == p->offset)
			return false;
	s->is_full = s->places->count == USDT_PLACES_MOST;
	if (!s->is_full)
		s->places->items[s->places->count++] = *p;
	return s->is_full;
}

static int refuse_none(const struct search *s, const struct elffile *f, char *why, size_t size)
{
	struct quote provider, name, near;
	struct nearest best;

	quote_text(&name, s->name, strlen(s->name));
	nearest_init(&best, NEAREST);
	usdt_offer(f, s->name, &best);
	if (!best.count)
		return refuse(-ENOENT, why, size, "%s has no USDT probes: give a function, or a build with probes",
			      f->path);
	snprintf(why, size, "%s has no USDT probe %s%s%s", f->path, name.text, s->provider ? " of provider " : "",
		 s->provider ? quote_text(&provider, s->provider, strlen(s->provider)) : "");
	for (size_t i = 0; i < best.count; i++) {
		size_t n = strlen(why);

		snprintf(why + n, size - n, "%s%s", i ? ", " : "; there are ",
			 quote_text(&near, best.names[i], strlen(best.names[i])));
	}
	return -ENOENT;
}

static int refuse_several(const struct search *s, const struct elffile *f, char *why, size_t size)
{
	struct quote q;

	snprintf(why, size, "several providers in %s have the USDT probe %s", f->path,
		 quote_text(&q, s->name, strlen(s->name)));
	for (size_t i = 0; i < s->provider_count; i++) {
		size_t n = strlen(why);

		snprintf(why + n, size - n, "%s%s", i ? ", " : ": ",
			 quote_text(&q, s->providers[i], strlen(s->providers[i])));
	}
	return refuse(-ENOTUNIQ, why + strlen(why), size - strlen(why), "; give one, as in usdt:PROVIDER:PROBE");
}

int usdt_find(const struct elffile *f, const char *provider, const char *name, struct usdt_places *places, char *why,
	      size_t size)
{
	struct search s = { .provider = provider, .name = name, .places = places };
	struct quote q;

	places->count = 0;
	usdt_each(f, take_place, &s);
	if (!places->count)
		return refuse_none(&s, f, why, size);
	if (s.provider_count > 1)
		return refuse_several(&s, f, why, size);
	if (s.is_full)
		return refuse(-E2BIG, why, size, "the USDT probe %s is at more than %d places in %s: trace a function "
			      "instead", quote_text(&q, name, strlen(name)), USDT_PLACES_MOST, f->path);
	return 0;
}

struct offer {
	const char *wanted;
	struct nearest *nearest;
};

static bool take_offer(void *arg, const struct usdt_place *p)
{
	struct offer *o = arg;

	for (size_t i = 0; i < o->nearest->count; i++)
		if (!strcmp(o->nearest->names[i], p->name))
			return false;
	nearest_offer(o->nearest, o->wanted, p->name);
	return false;
}

void usdt_offer(const struct elffile *f, const char *wanted, struct nearest *nearest)
{
	struct offer o = { wanted, nearest };

	usdt_each(f, take_offer, &o);
}

/* ---- arguments ---- */

int usdt_argument(const struct usdt_place *place, unsigned n, char text[SDTARG_TEXT_BYTES], char *why, size_t size)
{
	const char *at = place->args;
	struct sdtarg parsed;
	unsigned i = 0;
	size_t len = 0;
	struct quote q;

	for (;; at += len) {
		at += strspn(at, " ");
		len = strcspn(at, " ");
		if (!len || ++i == n)
			break;
	}
	if (!len)
		return refuse(-EINVAL, why, size, "the USDT probe %s has %u arguments, and argument %u is asked for: "
			      "give the position of one that it has",
			      quote_text(&q, place->name, strlen(place->name)), i, n);
	snprintf(text, SDTARG_TEXT_BYTES, "%.*s", (int)(len < SDTARG_TEXT_BYTES ? len : SDTARG_TEXT_BYTES - 1), at);
	if (len >= SDTARG_TEXT_BYTES)
		return refuse(-EINVAL, why, size, "argument %u of the USDT probe %s is longer than any that can be "
			      "read: trace a function instead", n,
			      quote_text(&q, place->name, strlen(place->name)));
	return sdtarg_parse(text, &parsed, why, size);
}
