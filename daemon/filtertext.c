/* SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "daemon/filtertext.h"
#include "proto/limit.h"

static_assert(sizeof(struct filter_insn) == sizeof(struct bpf_insn), "filter_insn: size");
static_assert(offsetof(struct filter_insn, k) == offsetof(struct bpf_insn, k), "filter_insn: k");
static_assert(offsetof(struct filter_insn, jf) == offsetof(struct bpf_insn, jf), "filter_insn: jf");

static int copy_program(struct filter_classic *out, const struct bpf_insn *insns, size_t count)
{
	out->insns = reallocarray(NULL, count, sizeof(*out->insns));
	if (!out->insns)
		return -ENOMEM;
	memcpy(out->insns, insns, count * sizeof(*insns));
	out->count = count;
	return 0;
}

static int reject_all(struct filter_classic *out)
{
	const struct bpf_insn reject = {.code = BPF_RET | BPF_K};

	return copy_program(out, &reject, 1);
}

/* -EINVAL: libpcap refuses; message (size bytes) has what it says. */
static int compile_start(int link, const char *text, struct filter_classic *out, char *message,
			 size_t size)
{
	pcap_t *pcap =
	    pcap_open_dead_with_tstamp_precision(link, LIMIT_SNAPLEN, PCAP_TSTAMP_PRECISION_NANO);
	struct bpf_program program;
	int err = 0;

	if (!pcap)
		return -ENOMEM;
	if (pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(message, size, "%s", pcap_geterr(pcap));
		err = -EINVAL;
	} else {
		err = copy_program(out, program.bf_insns, program.bf_len);
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return err;
}

/* What libpcap says when an expression is well-formed but can never hold. */
static bool rejects_all(const char *message)
{
	return strcmp(message, "expression rejects all packets") == 0;
}

static int compile_both(const char *text, struct filter_programs *out, char *message, size_t size)
{
	char raw_message[PCAP_ERRBUF_SIZE];
	int ethernet, raw;

	ethernet = compile_start(DLT_EN10MB, text, &out->ethernet, message, size);
	if (ethernet && !(ethernet == -EINVAL && rejects_all(message)))
		return ethernet;
	raw = compile_start(DLT_RAW, text, &out->raw, raw_message, sizeof(raw_message));
	if (raw && (raw != -EINVAL || ethernet))
		return raw;
	if (ethernet)
		return reject_all(&out->ethernet);
	return raw ? reject_all(&out->raw) : 0;
}

int filtertext_compile(const char *text, struct filter_programs *out, char *why, size_t size)
{
	char message[PCAP_ERRBUF_SIZE] = "";
	int err;

	*out = (struct filter_programs){0};
	if (strlen(text) > LIMIT_FILTER_BYTES) {
		snprintf(why, size,
			 "the filter expression has %zu bytes; at most %d are possible: use a "
			 "shorter one, such as networks or port ranges instead of single values",
			 strlen(text), LIMIT_FILTER_BYTES);
		return -E2BIG;
	}
	err = compile_both(text, out, message, sizeof(message));
	if (!err)
		return 0;
	filter_programs_clear(out);
	if (err == -ENOMEM)
		snprintf(why, size, "no memory to compile the filter");
	else if (rejects_all(message))
		snprintf(why, size,
			 "no packet can match the filter expression \"%s\" (libpcap: %s): look for "
			 "conditions in it that exclude each other",
			 text, message);
	else
		snprintf(why, size,
			 "libpcap does not accept the filter expression \"%s\": %s; see "
			 "pcap-filter(7) for what can be written",
			 text, message);
	return err;
}

char *filtertext_classic_text(const struct filter_classic *program)
{
	struct bpf_insn insn;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < program->count; i++) {
		memcpy(&insn, &program->insns[i], sizeof(insn));
		fprintf(f, "%s\n", bpf_image(&insn, (int)i));
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
