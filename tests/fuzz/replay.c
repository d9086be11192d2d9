/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of libFuzzer: replay DIRECTORY... runs a target once for each file, in every build, and counts them. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool run(const char *path)
{
	FILE *in = fopen(path, "rb");
	struct stat st;
	uint8_t *data;
	bool whole;

	if (!in)
		return false;
	whole = !fstat(fileno(in), &st) && S_ISREG(st.st_mode);
	data = whole ? malloc(st.st_size ? st.st_size : 1) : NULL; /* as long as it is, for sanitizers */
	whole = data && fread(data, 1, st.st_size, in) == (size_t)st.st_size;
	fclose(in);
	if (whole) {
		printf("%s\n", path);
		fflush(stdout); /* the last one is the one to look at */
		LLVMFuzzerTestOneInput(data, st.st_size);
	}
	free(data);
	return whole;
}

/* How many there were, or -1. */
static int run_all(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort), done = 0;

	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			done = done >= 0 && run(path) ? done + 1 : -1;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count < 0 ? -1 : done;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int count = run_all(argv[i]);

		if (count <= 0) {
			fprintf(stderr, "replay: %s has no files, or one that cannot be read\n", argv[i]);
			return EXIT_FAILURE;
		}
		total += count;
	}
	printf("%d files\n", total);
	return total ? EXIT_SUCCESS : EXIT_FAILURE;
}
