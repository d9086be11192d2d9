/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes are refused with a sentence, or are a program in which functions and probes are looked for: whatever is
 * found is in the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/elfdebug.h"
#include "client/elffile.h"
#include "client/elfsymbol.h"
#include "client/mbuffind.h"
#include "client/usdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_symbols(const struct elffile *f)
{
	static const char *const texts[] = { "main", "target_function+2", "0x1000", "ns::Class::method", "operator+",
					     "target_twin" };
	struct elfsymbol found;
	char why[512];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int err = elfsymbol_find(f, NULL, texts[i], &found, why, sizeof(why));

		check(err ? strnlen(why, sizeof(why)) < sizeof(why) : found.offset < f->size);
	}
}

static bool check_place(void *arg, const struct usdt_place *place)
{
	const struct elffile *f = arg;
	char text[SDTARG_TEXT_BYTES], why[512];
	struct sdtarg a;

	check(place->offset < f->size && place->semaphore < f->size);
	check(strlen(place->provider) && strlen(place->name));
	for (unsigned n = 1; n < 14; n++)
		if (!usdt_argument(place, n, text, why, sizeof(why)))
			check(!sdtarg_parse(text, &a, why, sizeof(why)));
	return false;
}

static void check_probes(struct elffile *f)
{
	static struct usdt_places places;
	char why[512];

	usdt_each(f, check_place, f);
	usdt_find(f, NULL, "shared", &places, why, sizeof(why));
	usdt_find(f, "net", "packet", &places, why, sizeof(why));
	check(places.count <= USDT_PLACES_MOST);
}

/* Where no debug file is. */
static int nowhere(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
	check(fd >= 0);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("program", MFD_CLOEXEC);
	struct elffile f, debug;
	char why[512] = "";

	check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (elffile_take(&f, fd, "/program", why, sizeof(why))) {
		check(why[0] && f.fd == -1);
		return 0;
	}
	check_symbols(&f);
	check_probes(&f);
	check(elfdebug_open(&debug, &f, nowhere(), why, sizeof(why)) == -ENOENT);
	mbuffind_abi_of_file(&f);
	elffile_close(&f);
	return 0;
}
