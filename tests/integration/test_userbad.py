# SPDX-License-Identifier: BSD-2-Clause
"""What is said of bad user code, and that none of it does harm: pytest -s shows it as tables."""
import os
import pathlib
import re
import shutil
import time

import pytest

from netcap import Session, assert_session_identity, wait_until
from usercode import ACTION, COMPILE_SECONDS, DROP, EXAMPLES, FILTER

pytestmark = [pytest.mark.skipif(not shutil.which("clang"), reason="clang is not installed"),
              pytest.mark.usefixtures("type_cache")]


BAD = {
    # name: (source, what it is given to, what is said)
    "syntax": (FILTER.format("\treturn 1"), "filter", r"bad\.c:3:10: error: expected ';' after return"),
    "unknown type": (FILTER.format("\tstruct sk_buf *skb = pkt;\n\treturn skb->mark;"), "filter",
                     r"bad\.c:4:12: error: incomplete definition of type 'struct sk_buf'"),
    "no such member": (FILTER.format("\tstruct sk_buff *skb = pkt;\n\treturn skb->marc;"), "filter",
                       r"bad\.c:4:14: error: no member named 'marc' in 'struct sk_buff'"),
    "undeclared": (FILTER.format("\treturn some_function(pkt);"), "filter",
                   r"bad\.c:3:9: error: implicit declaration of function 'some_function'"),
    "no such header": ('#include "nothere.h"\n' + FILTER.format("\treturn 1;"), "filter",
                       r"bad\.c:1:10: fatal error: 'nothere.h' file not found"),
    "wrong name": ("static inline int xcap_user_filtre(void *ctx, void *pkt, u16 i) { return 1; }\n", "filter",
                   r"bad\.c has no filter: name it xcap_user_filter or xcap_ext_filter; it has the functions "
                   r"xcap_user_filtre \(line 1\)"),
    "a filter for an action": (FILTER.format("\treturn 1;"), "action",
                               r"bad\.c has no action: name it xcap_user_action or xcap_ext_action; it has the functions "
                               r"xcap_user_filter \(line 1\)"),
    "empty": ("", "filter", r"bad\.c has no filter: .*; it has no function at all"),
    "too few parameters": ("static inline int xcap_user_filter(void *ctx, void *pkt) { return 1; }\n", "filter",
                           r"bad\.c:1: xcap_user_filter has not the parameters and the result of a filter: write static "
                           r"inline int xcap_user_filter\(void \*ctx, void \*pkt, u16 trace_index\)"),
    "no result": ("\nstatic inline void xcap_ext_filter(void *ext, void *pkt, u16 i) { }\n", "filter",
                  r"bad\.c:2: xcap_ext_filter has not the parameters and the result of a filter"),
    "no structure": ("static inline int xcap_user_action(void *c, void *p, u32 l, struct xcap_user_extend *u, u16 i)\n"
                     "{ return 1; }\n", "action", r"bad\.c has an action, and no struct xcap_user_extend"),
    "floating point": (ACTION.format("\tint a;\n\tdouble ratio;", "\tuser->a = 1;"), "action",
                       r"the field ratio of struct xcap_user_extend is a floating-point number, which cannot be shown"),
    "128 bits": (ACTION.format("\t__int128 big;", "\tuser->big = 0;"), "action",
                 r"the field big of struct xcap_user_extend is a number of 128 bits"),
    "too many bytes": (ACTION.format("\tchar text[300];", "\tuser->text[0] = 0;"), "action",
                       r"struct xcap_user_extend has 300 bytes, and 256 are the most"),
    "format of text": (ACTION.format("\tint a; // format: %s", "\tuser->a = 1;"), "action",
                       r'the field a of struct xcap_user_extend: the format "%s" has no conversion of a whole number'),
    "format of two": (ACTION.format("\tint a; // format: %d %d", "\tuser->a = 1;"), "action",
                      r'the format "%d %d" has more than one'),
    "loop without end": (FILTER.format("\tstruct sk_buff *skb = pkt;\n\tint n = 0;\n\n"
                                       "\twhile (((char *)skb->head)[n] != 7)\n\t\tn++;\n\treturn n;"), "filter",
                         r'bad\.c:6: "while .*": the verifier gave up on the filter: it has too many ways to go'),
    "write": (FILTER.format("\tstruct sk_buff *skb = pkt;\n\n\tskb->mark = 1;\n\treturn 1;"), "filter",
              r"bad\.c:5: the filter: it writes to memory of the kernel"),
    "variable": ("static int count;\n" + FILTER.format("\treturn ++count & 1;"), "filter",
                 r"bad\.c:4: the filter: it uses a map, or a variable outside of its functions"),
    "table of addresses": ('static const char *const names[] = {"a", "b"};\n' +
                           FILTER.format("\treturn names[((struct sk_buff *)pkt)->mark & 1][0];"), "filter",
                           r"bad\.c: a table outside of its functions has addresses in it"),
    "index of a table": ("static const u16 ports[] = {80, 443, 8080, 53};\n" +
                         FILTER.format("\treturn ports[((struct sk_buff *)pkt)->mark] & 1;"), "filter",
                         r'bad\.c:4: "return ports.*": an index or size is not bounded'),
    "large table": ("static const char big[20000] = {1};\n" + FILTER.format("\treturn big[trace_index];"), "filter",
                    r"more than 16384 bytes of data outside of its functions"),
    "bit field": (FILTER.format("\tstruct sk_buff *skb = pkt;\n\n\treturn skb->pkt_type == 4;"), "filter",
                  r"bad\.c:5: pkt_type is a bit field, .* write BPF_CORE_READ_BITFIELD\(pointer, pkt_type\)"),
    "callback": ("static long (*const loop)(u32, void *, void *, u64) = (void *)181;\n"
                 "static long turn(u32 i, void *ctx) { return i; }\n" + FILTER.format("\treturn loop(9, turn, ctx, 0);"),
                 "filter", r"bad\.c:5: the filter: it hands over a function, which user code may not"),
    "stack": (FILTER.format("\tchar big[600];\n\n\tbpf_probe_read_kernel(big, sizeof(big), pkt);\n"
                            "\treturn big[trace_index & 511];"), "filter",
              r"the variables of the functions in .*bad\.c take more than 512 bytes"),
    "index": (FILTER.format('\tint v[4];\n\n\tbpf_probe_read_kernel(v, sizeof(v), pkt);\n\treturn v[trace_index];'),
              "filter", r'bad\.c:6: "return v\[trace_index\];": an index may be beyond the end of an array'),
    "helper": ("static long (*const redirect)(u32, u64) = (void *)23;\n" + FILTER.format("\treturn redirect(1, 0);"),
               "filter", r'bad\.c:4: "return redirect\(1, 0\);": it calls a helper that programs for tracing may not call'),
    "no such helper": ("static long (*const f)(void) = (void *)9999;\n" + FILTER.format("\treturn f();"), "filter",
                       r"it calls a helper that this kernel does not have"),
    # of the whole function: clang has lost the line of the load
    "gone": ("struct sk_buff___x { int gone; } __attribute__((preserve_access_index));\n" +
             FILTER.format("\treturn ((struct sk_buff___x *)pkt)->gone;"), "filter",
             r'bad\.c:2: "static inline int .*": it uses a type or a member that this kernel does not have'),
}


def refused(client, source, kind, *options):
    path = pathlib.Path(client.directory) / "bad.c"
    path.write_text(source)
    done = client.run("skb", "-f", DROP, f"--user-{kind}", path, *options, timeout=COMPILE_SECONDS)
    assert done.returncode == 1 and not done.stdout, (done.stdout, done.stderr)
    return done.stderr


def first_of(words):
    """What a reader looks at first: without the path, and without the source that clang quotes."""
    first = next(line for line in words.splitlines() if re.search("error:|netcapctl:", line))
    return re.sub("[^ ]*/bad", "bad", first.removeprefix("netcapctl: "))


@pytest.mark.parametrize("name", BAD)
def test_bad_sources(client, daemon, name):
    source, kind, said = BAD[name]
    words = refused(client, source, kind)
    assert re.search(said, words), words
    print(f"\n| {name} | {first_of(words)} |")
    assert "netcap-filter:" not in words and "netcap-action:" not in words  # nobody has such files
    daemon.assert_answers()


def shown_rows(heading):
    """The rows of the table below a heading in docs/user-code.md, as lists of cells."""
    text = (EXAMPLES.parents[1] / "docs/user-code.md").read_text()
    lines = text[text.index(heading):].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    rows = lines[first + 1:lines.index("", first)]
    return [[cell.strip(" `") for cell in row.strip("|").split(" | ")] for row in rows]


@pytest.mark.parametrize("table", ["BAD", "BOMBS"])
def test_the_tables_of_the_tutorial(table):
    """They have a row for each bad source here, with what is said of it."""
    cases = {"BAD": BAD, "BOMBS": BOMBS}[table]
    rows = shown_rows({"BAD": "## What is said of mistakes", "BOMBS": "What would take"}[table])
    assert [row[0] for row in rows] == list(cases)
    for row in rows:
        assert re.search(cases[row[0]][-1], row[-1]), row


def test_the_log_on_request(client, daemon):
    source, kind, said = BAD["index"]
    words = refused(client, source, kind, "--user-log")
    assert re.search(said, words) and re.search(r"^\d+: \([0-9a-f]{2}\) ", words, re.MULTILINE), words
    done = client.run("skb", "-f", DROP, "--user-log")
    assert done.returncode == 2 and "it needs --user-filter or --user-action" in done.stderr


BOMBS = {
    # name: (source, what is said)
    "includes itself": ('#include "bad.c"\n#include "bad.c"\n' + FILTER.format("\treturn 1;"),
                        r"bad\.c includes itself, or one of its files does"),
    "macro": ("#define A x x x x x x x x x x\n" + "".join(
        f"#define {chr(66 + i)} {' '.join(10 * [chr(65 + i)])}\n" for i in range(12)) +
              FILTER.format("\tint M;\n\treturn 1;"),
              r"wanted more than 1024 MiB of memory|took more than \d+ s, and was stopped|ended by signal"),
    "unrolled": (FILTER.format("\tint n = 0;\n#pragma clang loop unroll(full)\n\tfor (int i = 0; i < 100000000; i++)\n"
                               "\t\tn += ((int *)pkt)[i * trace_index];\n\treturn n;"),
                 # a fast machine comes to the end of what the compiler unrolls
                 r"wanted more than 1024 MiB of memory|took more than \d+ s, and was stopped|ended by signal|"
                 r"take more than 512 bytes, all that a BPF program has"),
    "deep": (FILTER.format("\treturn " + 100000 * "(" + "1" + 100000 * ")" + ";"),
             r"bad\.c:3:265: fatal error: bracket nesting level exceeded maximum of 256"),
    "large data": ("const char big[1u << 31] = {1};\n" + FILTER.format("\treturn big[trace_index];"),
                   r"has more than 32 MiB, and it was stopped|wanted more than 1024 MiB"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(client, daemon, name):
    path = pathlib.Path(client.directory) / "bad.c"
    source, said = BOMBS[name]
    path.write_text(source)
    start = time.monotonic()
    process = client.start("skb", "-f", DROP, "--user-filter", path)
    # of the client, and of the compiler that it has waited for
    ended = wait_until(lambda: next((found for found in [os.wait4(process.pid, os.WNOHANG)] if found[0]), None), 60)
    assert ended, f"it goes on: {process.err[:2000]}"
    _, status, usage = ended
    process.process.returncode = os.waitstatus_to_exitcode(status)
    seconds, mib = time.monotonic() - start, usage.ru_maxrss / 1024
    words = process.err
    print(f"\n| {name} | {seconds:.1f} s | {usage.ru_utime + usage.ru_stime:.1f} s | {mib:.0f} MiB | "
          f"{first_of(words)} |")
    assert process.process.returncode == 1 and not process.out and re.search(said, words), words[:2000]
    assert seconds < 35 and usage.ru_utime + usage.ru_stime < 13 and mib < 1100 and len(words) < 20000, words[:2000]
    assert not list(pathlib.Path(os.environ["XDG_CACHE_HOME"], "netcap").glob("work-*"))
    daemon.assert_answers()


def test_other_sessions_do_not_notice(client, daemon, lab):
    with Session(daemon, [DROP], filter=lab.expression("udp port 9000"), snaplen=64) as session:
        for name in ("index", "loop without end", "gone"):
            lab.send_udp(b"x", count=7)
            refused(client, *BAD[name][:2])
        final, captured = session.end()
    assert_session_identity(final)
    assert final["counters"]["captured"] == len(captured.packets) == 21


def test_dry_run_shows_source_and_instructions(client, daemon):
    done = client.run("skb", "-f", DROP, "--user-filter", EXAMPLES / "skb_filter_tcp_fin.c", "--dry-run",
                      timeout=COMPILE_SECONDS)
    assert done.returncode == 0, done.stderr
    assert "static inline int xcap_ext_filter(void *ext, void *pkt, u16 trace_index)" in done.stdout
    assert "the user's filter, eBPF, with the lines of its source:" in done.stdout
    assert re.search(r"^; \d+: if \(th->bits & FIN\)\n +\d+: ", done.stdout, re.MULTILINE)
    assert "call helper 113" in done.stdout


def test_the_object_replaces_nothing_else(client, tmp_path):
    """The source, a pipe and a link are what they were."""
    source = tmp_path / "filter.c"
    shutil.copy(EXAMPLES / "skb_filter_tcp_fin.c", source)
    text = source.read_bytes()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(source)
    for name, why in (("filter.c", "the source itself"), ("pipe", "no regular file"), ("link", "no regular file")):
        done = client.run("compile", source, "-o", tmp_path / name, timeout=COMPILE_SECONDS)
        assert done.returncode == 1 and why in done.stderr and name in done.stderr, done
    assert source.read_bytes() == text and (tmp_path / "pipe").is_fifo() and (tmp_path / "link").is_symlink()
