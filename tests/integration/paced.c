/* SPDX-License-Identifier: BSD-2-Clause */
#include "paced.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define LINE 256

static unsigned long made;

static void put16(unsigned char *at, unsigned long value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static void put_sum(unsigned char *header, size_t size, unsigned char *at)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (unsigned long)header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(at, ~sum);
}

void paced_packet(unsigned char *packet, size_t size)
{
	static const unsigned char start[] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,                 /* Ethernet */
		0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0,                  /* IPv4 */
		192, 0, 2, 1, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0,       /* addresses, UDP */
	};
	unsigned char *ip = packet + 14, *udp = packet + 34;

	memcpy(packet, start, sizeof(start));
	put16(ip + 2, size - 14);
	put16(ip + 4, made);
	put_sum(ip, 20, ip + 10);
	put16(udp, 1000 + made % PACED_PORTS);
	put16(udp + 2, PACED_PORT);
	put16(udp + 4, size - 34);
	for (size_t i = sizeof(start); i < size; i++)
		packet[i] = (unsigned char)(made + i);
	made++;
}

unsigned long paced_count(void)
{
	return made;
}

uint64_t paced_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

void paced_wait(uint64_t start, unsigned long sent, unsigned long rate)
{
	uint64_t due = rate ? start + sent * 1000000000ull / rate : 0;
	uint64_t now = paced_now_ns();
	struct timespec t;

	if (due <= now)
		return;
	t.tv_sec = (time_t)((due - now) / 1000000000ull);
	t.tv_nsec = (long)((due - now) % 1000000000ull);
	nanosleep(&t, NULL);
}

static void *pages(size_t size, int protection)
{
	void *at = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return at;
}

void *paced_edge(size_t size)
{
	size_t whole = (size + PAGE - 1) / PAGE * PAGE;
	unsigned char *at = pages(whole + PAGE, PROT_READ | PROT_WRITE);

	mprotect(at + whole, PAGE, PROT_NONE);
	return at + whole - size;
}

void *paced_absent(void)
{
	return pages(PAGE, PROT_READ | PROT_WRITE);
}

static int numbers_of(char *text, unsigned long *numbers)
{
	int n = 0;

	for (char *word = strtok(text, " \n"); word && n < PACED_WORDS; word = strtok(NULL, " \n")) {
		char *end;

		numbers[n++] = strtoul(word, &end, 0);
		if (*end)
			return -1;
	}
	return n;
}

static void obey(const struct paced_command *commands, char *line)
{
	unsigned long numbers[PACED_WORDS] = {0};
	char *name = strsep(&line, " \n");
	int n = line ? numbers_of(line, numbers) : 0;

	for (; commands->name; commands++)
		if (!strcmp(commands->name, name)) {
			if (n < commands->numbers)
				puts("error numbers");
			else
				commands->run(numbers);
			return;
		}
	puts("error command");
}

int paced_loop(const struct paced_command *commands, char **argv)
{
	char line[LINE];

	setvbuf(stdin, NULL, _IONBF, 0); /* what is not read yet is for the program after exec */
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "exit\n"))
			break;
		if (!strcmp(line, "exec\n")) {
			execv("/proc/self/exe", argv);
			printf("error %s\n", strerror(errno));
		} else if (!strcmp(line, "pid\n")) {
			printf("%d\n", getpid());
		} else {
			obey(commands, line);
		}
		fflush(stdout);
	}
	return 0;
}
