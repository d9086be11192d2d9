/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/usertrial.h"

#define LOG_BYTES   (16 << 20) /* kernels before 6.4 keep the beginning, and the end is wanted */
#define LOG_LEVEL   1
#define FIRST_INSNS 48         /* of the program that calls */
#define QUOTE_BYTES 160        /* of the verifier's words, or of a line */
#define POISON      195896080  /* libbpf calls a helper of that number where a type is missing */

static struct bpf_insn insn(uint8_t code, int dst, int src, int off, int imm)
{
	return (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm };
}

/* A number that the verifier does not know: one of the registers that a kprobe's context has. */
static struct bpf_insn any_number(int reg)
{
	return insn(BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_6, 8 * reg, 0);
}

/* Calls the program with arguments as it gets them. Instructions. */
static size_t begin(struct bpf_insn *to, const struct usercode_program *p, bool action)
{
	size_t n = 0;

	to[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	for (int at = -USERCODE_BYTES; action && at < 0; at += 8)
		to[n++] = insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, at, 0);
	if (p->argument)
		to[n++] = any_number(BPF_REG_1);
	for (int reg = BPF_REG_2; reg <= BPF_REG_5; reg++)
		to[n++] = any_number(reg);
	if (action) {
		to[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_4, BPF_REG_10, 0, 0);
		to[n++] = insn(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_4, 0, 0, -USERCODE_BYTES);
	}
	to[n++] = insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 2);
	to[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	to[n++] = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return n;
}

/* ---- the verifier's words ---- */

static const struct {
	const char *said, *means; /* the first of the list that is found */
} meanings[] = {
	{ "unknown#195896080", "it uses a type or a member that this kernel does not have: ask "
			       "bpf_core_field_exists() before" },
	{ "invalid func unknown", "it calls a helper that this kernel does not have" },
	{ "unknown func", "it calls a helper that programs for tracing may not call" },
	{ "program of this type cannot use helper", "it calls a helper that programs for tracing may not call" },
	{ "back-edge", "it has a loop whose end the verifier cannot see: give it a constant number of turns" },
	{ "infinite loop", "it has a loop that may never end: give it a constant number of turns" },
	{ "too large", "the verifier gave up: it has too many ways to go; give loops few turns, and a constant bound" },
	{ "too complex",
	  "the verifier gave up: it has too many ways to go; give loops few turns, and a constant bound" },
	{ "combined stack size",
	  "its variables take more of the stack than there is (512 bytes for all functions): use smaller ones" },
	{ "invalid write to stack", "it writes beyond a variable" },
	{ "invalid indirect read from stack",
	  "it hands over a variable that has no value yet, or not in all of its bytes" },
	{ "invalid indirect access to stack", "it hands over more bytes than the variable has" },
	{ "invalid read from stack", "it reads a variable that has no value yet" },
	{ "invalid stack", "an index may be beyond the end of an array: compare it with the array's size first" },
	{ "invalid access to map value",
	  "an index may be beyond the end of a table: compare it with the table's size first" },
	{ "write into map forbidden", "it writes to a constant" },
	{ "invalid variable-offset",
	  "an index may be beyond the end of an array: compare it with the array's size first" },
	{ "unbounded", "an index or size is not bounded: compare it with the array's size first" },
	{ "min value is negative", "an index or size may be negative: make it unsigned, or check it" },
	{ "R0 !read_ok", "it may end without return" },
	{ "!read_ok", "it uses a variable that has no value yet" },
	{ "invalid bpf_context access", "it reads what the context of a trace point does not have" },
	{ "modified ctx", "the context may be read at constant places only" },
	{ "invalid mem access", "it reads or writes through something that is no address there" },
	{ "pointer arithmetic", "it calculates with an address in a way that is not allowed" },
	{ "unreachable insn", "it has instructions that nothing leads to" },
	{ "At program exit", "it returns something that is no number" },
	{ "R0 leaks addr", "it returns an address" },
	{ "jump out of range", "the object is damaged" },
};

static const char *meaning(const char *words)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (strstr(words, meanings[i].said))
			return meanings[i].means;
	return "the kernel's verifier does not take it";
}

/* Does a line of the log show an instruction, as "12: (61) r1 = ..."? Then *number is its. */
static bool is_insn(const char *line, uint32_t *number)
{
	int end = 0;

	return sscanf(line, "%u: (%*2[0-9a-f])%n", number, &end) == 1 && end > 0;
}

/* The instruction that was looked at last, and what was said behind it. */
static void find_last(char *log, uint32_t *number, char *words, size_t size)
{
	char *rest, *line;

	words[0] = '\0';
	for (line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		uint32_t at;

		if (is_insn(line, &at))
			*number = at;
		else if (strncmp(line, "processed ", 10) && strncmp(line, "verification time", 17) &&
			 strncmp(line, "stack depth", 11) && line[0] != ';')
			snprintf(words, size, "%s", line);
		else if (sscanf(line, "back-edge from insn %u", &at) == 1)
			*number = at;
	}
	if (sscanf(words, "back-edge from insn %u", number) != 1)
		sscanf(words, "unreachable insn %u", number);
}

const char *usertrial_file(const struct usercode *code, const struct usercode_line *line)
{
	const char *file = code->strings + line->file;

	return strncmp(file, "./", 2) ? file : file + 2;
}

static void explain(const struct usercode *code, const struct usercode_program *p, bool action, char *log,
		    uint32_t first, char *why, size_t size)
{
	const char *what = action ? "action" : "filter";
	const struct usercode_line *line;
	char words[QUOTE_BYTES];
	uint32_t number = 0;

	find_last(log, &number, words, sizeof(words));
	line = number >= first ? usercode_line(code, p, number - first) : NULL;
	if (line)
		snprintf(why, size, "%s:%u: \"%.*s\": %s; the verifier said: %s", usertrial_file(code, line),
			 line->line, QUOTE_BYTES, code->strings + line->text, meaning(words), words);
	else
		snprintf(why, size, "the %s: %s; the verifier said: %s", what, meaning(words),
			 *words ? words : "nothing");
}

/* The verifier gave up, which is no one instruction's fault: most often a loop's, which is where a jump leads back. */
static void explain_size(const struct usercode *code, const struct usercode_program *p, bool action, char *why,
			 size_t size)
{
	const struct usercode_line *line = NULL;

	for (uint32_t i = 0; i < p->count && !line; i++)
		if (BPF_CLASS(p->insns[i].code) == BPF_JMP && BPF_OP(p->insns[i].code) != BPF_CALL &&
		    p->insns[i].off < 0)
			line = usercode_line(code, p, i + 1 + p->insns[i].off);
	if (line)
		snprintf(why, size, "%s:%u: \"%.*s\": ", usertrial_file(code, line), line->line, QUOTE_BYTES,
			 code->strings + line->text);
	snprintf(why + strlen(why), size - strlen(why),
		 "the verifier gave up on the %s: it has too many ways to go, as a loop has whose number of turns is "
		 "large, or not known; give loops few turns, and a constant bound",
		 action ? "action" : "filter");
}

static char *tail_of(const char *log)
{
	size_t len = strlen(log);

	return strdup(len < USERTRIAL_LOG ? log : log + len - USERTRIAL_LOG + 1);
}

/* Once more, for the log. */
static void ask_why(const struct bpf_insn *insns, size_t count, const struct usercode *code,
		    const struct usercode_program *p, bool action, char *why, size_t size, char **log)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .log_size = LOG_BYTES, .log_level = LOG_LEVEL);
	char *said = calloc(1, LOG_BYTES);

	options.log_buf = said;
	if (!said) {
		snprintf(why, size, "no memory for what the verifier says of the user code");
		return;
	}
	bpf_prog_load(BPF_PROG_TYPE_KPROBE, "netcap_trial", "Dual BSD/GPL", insns, count, &options);
	if (log && !*log)
		*log = tail_of(said);
	explain(code, p, action, said, count - p->count, why, size);
	free(said);
}

static int check(const struct usercode *code, const struct usercode_program *p, bool action, char *why, size_t size,
		 char **log)
{
	struct bpf_insn *insns;
	size_t first;
	int fd;

	if (!p->count)
		return 0;
	insns = calloc(FIRST_INSNS + p->count, sizeof(*insns));
	if (!insns) {
		snprintf(why, size, "no memory to try the user code");
		return -EINVAL;
	}
	why[0] = '\0';
	first = begin(insns, p, action);
	memcpy(insns + first, p->insns, p->count * sizeof(*insns));
	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "netcap_trial", "Dual BSD/GPL", insns, first + p->count, NULL);
	if (fd >= 0)
		close(fd);
	else if (errno == E2BIG && !log)
		explain_size(code, p, action, why, size); /* it would take as long again to say so */
	else
		ask_why(insns, first + p->count, code, p, action, why, size, log);
	free(insns);
	return fd < 0 ? -EINVAL : 0;
}

int usertrial_check(const struct usercode *code, char *why, size_t size, char **log)
{
	int r = check(code, &code->filter, false, why, size, log);

	return r ? r : check(code, &code->action, true, why, size, log);
}
