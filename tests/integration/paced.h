/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs share that tests trace in user space: numbered packets, memory that cannot be read, and commands
 * one to a line on standard input, so that a test says what happens, and when.
 */
#ifndef PACED_H
#define PACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACED_MIN   60   /* bytes of the shortest packet */
#define PACED_MAX   9000
#define PACED_PORT  9000 /* UDP, to which all go */
#define PACED_PORTS 3    /* packet N comes from 1000 + N % 3 */
#define PACED_WORDS 4    /* numbers behind a command */

struct paced_command {
	const char *name;
	int numbers; /* how many it needs at least */
	/* Prints one line. At most PACED_WORDS numbers; those that were not given are 0. */
	void (*run)(const unsigned long *numbers);
};

/*
 * Prints "ready PID", then obeys until the end of input or "exit". Further commands that all have: "exec" (the process
 * becomes the program in argv[0] anew), "pid". What is wrong prints "error" with a word why.
 */
int paced_loop(const struct paced_command *commands, char **argv);

/* The next packet, size bytes of Ethernet, IPv4 and UDP with its number as IP's identification. */
void paced_packet(unsigned char *packet, size_t size);
/* The number of packets made so far. */
unsigned long paced_count(void);

uint64_t paced_now_ns(void);
/* Sleeps until packet number sent of a stream of rate a second is due, which began at start. */
void paced_wait(uint64_t start, unsigned long sent, unsigned long rate);

/* size bytes, behind which there is a page that cannot be read. */
void *paced_edge(size_t size);
/* A page that is mapped and was never touched: reading it in a trace point fails. */
void *paced_absent(void);

#endif
