/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines under a packet: its metadata, and with -S the kernel stack. */
#ifndef PRINT_H
#define PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "meta.h"

#define PRINT_COLORS "red, green, yellow, blue, purple or cyan"
#define PRINT_COLOR_OFF "\033[0m" /* ends what a sequence of print_color() began */

/* The terminal sequence that switches to the colour, or NULL: no such name. */
const char *print_color(const char *name);
/* Whether colours may be used on this stream: a terminal, and NO_COLOR is not set. */
bool print_wants_color(FILE *out);
/*
 * One line of metadata, and one for each frame of the stack; stack_color: a sequence of
 * print_color(), NULL: none. Control characters in names are shown escaped.
 */
void print_meta(FILE *out, const struct meta *m, const char *stack_color);
/* The line without what stands in the steps of the packet's journey: its trace point, CPU and device. */
void print_meta_brief(FILE *out, const struct meta *m);

/* Pieces of a line, each with a blank in front, or nothing where there is nothing to say; ret may be NULL. */
void print_named(FILE *out, const char *label, const char *value);
void print_return(FILE *out, const char *point, const char *ret, uint64_t took_ns);
void print_device(FILE *out, const char *dev, uint32_t ifindex);
/* One line for each frame; color: as stack_color. */
void print_stack(FILE *out, const char *const *frames, unsigned count, const char *color);

#endif
