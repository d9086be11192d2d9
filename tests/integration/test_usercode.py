# SPDX-License-Identifier: BSD-2-Clause
"""The user's own C: filters and actions, from the file to the output, and what is said of bad ones."""
import base64
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import time

import pytest

import pcapng
from netcap import Session, assert_session_identity, wait_until
from varlink import Error

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "usercode"
QUEUE = "tracepoint:net:net_dev_queue"
DROP = "tracepoint:skb:kfree_skb"
PORT = 9001
COMPILE_SECONDS = 60  # a second or two, but other work on the machine counts, too

FILTER = "static inline int xcap_user_filter(void *ctx, void *pkt, u16 trace_index)\n{{\n{}\n}}\n"
ACTION = ("struct xcap_user_extend {{\n{}\n}};\nstatic inline int xcap_user_action(void *ctx, void *pkt, u32 pkt_len, "
          "struct xcap_user_extend *user, u16 trace_index)\n{{\n{}\n\treturn 1;\n}}\n")

pytestmark = pytest.mark.skipif(not shutil.which("clang"), reason="clang is not installed")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The kernel's types are made once, and not where the user has them."""
    directory = tmp_path_factory.mktemp("cache")
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(directory)
    yield directory
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@contextlib.contextmanager
def capture(client, daemon, *argv):
    """A capture that is attached; it is ended behind the with, and its output complete then."""
    process = client.start("skb", *argv)
    daemon.wait_sessions(timeout=COMPILE_SECONDS)
    yield process
    time.sleep(0.1)
    assert process.interrupt() == 0, process.err


def shown(text):
    """The lines of actions."""
    return [line.strip() for line in text.splitlines() if line.startswith("    {")]


def heads(text):
    return [line for line in text.splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d{6} ", line)]


# ---- the six examples ----

def read_trace(count):
    """What programs print, until there is so much of it."""
    with open("/sys/kernel/tracing/trace", encoding="ascii", errors="replace") as file:
        return re.findall(r"bpf_trace_printk: (user filter at trace point \d+)", file.read())[-count:]


@pytest.mark.parametrize("option", ["--user-filter", "--ext-filter"])
def test_skb_user_filter(client, daemon, lab, option):
    with capture(client, daemon, "-f", f"{QUEUE},{DROP}", "-e", lab.expression("udp port 9000"), option,
                 EXAMPLES / "skb_user_filter.c") as process:
        before = len(read_trace(0x7fffffff))
        lab.send_udp(b"x", count=3)
    assert len(heads(process.out)) == 6, process.out
    said = read_trace(0x7fffffff)[before:]
    assert sorted(said) == 3 * ["user filter at trace point 0"] + 3 * ["user filter at trace point 1"]


def test_skb_filter_tcp_fin(client, daemon, lab):
    with lab.b.socket(kind=socket.SOCK_STREAM) as server, lab.a.socket(kind=socket.SOCK_STREAM) as one:
        server.bind((lab.b.address, 8888))
        server.listen()
        with capture(client, daemon, "-f", QUEUE, "-e", lab.expression("tcp port 8888"), "--ext-filter",
                     EXAMPLES / "skb_filter_tcp_fin.c") as process:
            one.connect((lab.b.address, 8888))
            other, _ = server.accept()
            one.sendall(b"hello")
            assert other.recv(5) == b"hello"
            one.close()
            assert other.recv(1) == b""
            other.close()
            wait_until(lambda: process.out.count("Flags [F") >= 2, 3)
    lines = heads(process.out)
    assert len(lines) == 2 and all("Flags [F" in line for line in lines), process.out
    counts = re.search(r"(\d+) hits = (\d+) filtered \+ 2 captured", process.err)
    assert counts and int(counts[1]) == int(counts[2]) + 2, process.err


ALL_VALUES = "{a: 0x12345678; b: 1000; c: 2002; x1: M; x2: 0x11; x3: 0xabcd; }"


@pytest.mark.parametrize("option", ["--user-action", "--ext-action"])
def test_skb_user_action(client, daemon, lab, option):
    with capture(client, daemon, "-f", DROP, "-e", lab.expression("udp port 9000"), option,
                 EXAMPLES / "skb_user_action.c") as process:
        lab.send_udp(b"x", count=5)
    lines = process.out.splitlines()
    assert shown(process.out) == 5 * [ALL_VALUES]
    for i in range(0, len(lines), 3):  # directly under the packet's own line
        assert heads(lines[i]) and lines[i + 1].strip() == ALL_VALUES and DROP in lines[i + 2], lines[i:i + 3]


def test_json_and_pcapng(client, daemon, lab, tmp_path):
    path = tmp_path / "packets.pcapng"
    for options in (["--json"], ["-w", path]):
        with capture(client, daemon, "-f", DROP, "-e", lab.expression("udp port 9000"), "--user-action",
                     EXAMPLES / "skb_user_action.c", *options) as process:
            lab.send_udp(b"x", count=2)
        if options == ["--json"]:
            packets = [json.loads(line)["user"] for line in process.out.splitlines()]
            assert packets == 2 * [{"a": 0x12345678, "b": 1000, "c": 2002, "x1": "M", "x2": 0x11, "x3": 0xabcd}]
    comments = [packet.comment for packet in pcapng.parse(path.read_bytes()).packets]
    assert len(comments) == 2
    for comment in comments:
        assert pcapng.parse_meta(comment)["user"] == "a:0x12345678;b:1000;c:2002;x1:'M';x2:0x11;x3:0xabcd"


def test_ip_output_action(client, daemon, lab):
    """Before and after the kernel cuts a large send into segments; the function is for kernels that have kprobes."""
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-action",
                 EXAMPLES / "ip_output_action.c") as process:
        lab.send_udp(b"x" * 100, port=PORT)
        lab.send_udp(b"x" * 3000, port=PORT, segment=1000)
    plain, large = shown(process.out)[:2]
    assert plain == "{skb_len: 142; skb_datalen: 0; gso_size: 0; gso_segs: 0; gso_type: 0x0; }"
    match = re.fullmatch(r"\{skb_len: (\d+); skb_datalen: (\d+); gso_size: (\d+); gso_segs: (\d+); gso_type: (0x[0-9a-f]+); \}",
                         large)
    assert match, large
    if match[3] != "0":  # a veth takes it in one piece
        assert (match[1], match[3], match[4]) == ("3042", "1000", "3") and int(match[5], 16), large


def test_the_second_argument(client, daemon, lab):
    """At kfree_skb argument 2 is where the packet was freed, which the metadata shows, too."""
    code = "struct xcap_user_extend { void *at; };\n" \
           "static inline int xcap_ext_action(void *ext, void *pkt, u32 pkt_len, struct xcap_user_extend *user, " \
           "u16 trace_index)\n{ user->at = ext; return ext != NULL; }\n"
    path = pathlib.Path(client.directory) / "second.c"
    path.write_text(code)
    for point, lines in ((DROP + "@1@2", 3), (DROP + "@1", 0)):
        with capture(client, daemon, "-f", point, "-e", lab.expression("udp port 9000"), "--ext-action",
                     path) as process:
            lab.send_udp(b"x", count=3)
        assert len(heads(process.out)) == 3
        found = shown(process.out)
        assert len(found) == lines and all(re.fullmatch(r"\{at: 0xffffffff[0-9a-f]{8}; \}", line) for line in found)
    done = client.run("skb", "-f", DROP + "@1@2")
    assert done.returncode == 1 and "the second one is for user code, which was not given" in done.stderr


def test_mbuf_action(client, daemon, lab):
    with capture(client, daemon, "-f", DROP, "-e", lab.expression("udp port 9000"), "--ext-action",
                 EXAMPLES / "mbuf_action.c") as process:
        lab.send_udp(b"x", count=2)
    assert all(re.fullmatch(r"\{mbuf: 0xffff[0-9a-f]{12}; id: 7; trace_index: 0; \}", line)
               for line in shown(process.out)) and len(shown(process.out)) == 2, process.out


# ---- what an action may show ----

KINDS = """
enum shade { DARK = 1, BRIGHT = 70000 };
struct xcap_user_extend {
	s8 small;      // format:   %d
	/* nothing about this one */
	u8 octal;      /* format: 0%o */
	char letter;   // format: %c
	char name[16];
	enum shade shade, other;
	bool yes;
	struct { u16 x; u8 y[2]; } in;
	u32 low : 3, high : 29;  // format: %u
	int padded;    // format: %08x
	u64 big;
	s64 least;
	void *where;
	int port;      // format: port %d!
};
static inline u32 five(void) { return 5; }
static inline int xcap_user_action(void *ctx, void *pkt, u32 pkt_len, struct xcap_user_extend *user, u16 trace_index)
{
	struct sk_buff *skb = pkt;

	user->small = -7;
	user->octal = 8;
	user->letter = ';';
	bpf_probe_read_kernel_str(user->name, sizeof(user->name), skb->dev->name);
	user->shade = BRIGHT;
	user->other = 5;
	user->yes = skb->len == pkt_len;
	user->in.x = 300;
	user->in.y[1] = 9;
	user->low = five();
	user->high = 1 << 28;
	user->padded = -1;
	user->big = ~0ULL;
	user->least = 1ULL << 63;
	user->port = 80;
	return 1;
}
"""


def test_kinds_of_values(client, daemon, lab):
    path = pathlib.Path(client.directory) / "kinds.c"
    path.write_text(KINDS)
    options = ["-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-action", path]
    with capture(client, daemon, *options) as process:
        lab.send_udp(b"x", port=PORT)
    assert shown(process.out) == [
        "{small: -7; octal: 010; letter: ;; name: veth0; shade: BRIGHT; other: 5; yes: true; in.x: 300; in.y[0]: 0; "
        "in.y[1]: 9; low: 5; high: 268435456; padded: ffffffff; big: 18446744073709551615; "
        "least: -9223372036854775808; where: 0x0; port: port 80!; }"]
    with capture(client, daemon, *options, "--json") as process:
        lab.send_udp(b"x", port=PORT)
    user = json.loads(process.out)["user"]
    assert user["big"] == 2 ** 64 - 1 and user["least"] == -2 ** 63 and user["letter"] == ";"
    assert user["shade"] == "BRIGHT" and user["octal"] == "010" and user["port"] == "port 80!"


def test_an_action_may_show_nothing(client, daemon, lab):
    path = pathlib.Path(client.directory) / "some.c"
    path.write_text(ACTION.format("\tint length;", "\tuser->length = pkt_len;\n\tif (pkt_len < 100)\n\t\treturn 0;"))
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-action",
                 path) as process:
        lab.send_udp(b"x", port=PORT)
        lab.send_udp(b"x" * 100, port=PORT)
    assert len(heads(process.out)) == 2
    assert shown(process.out) == ["{length: 142; }"]


def test_by_mark_and_with_a_type_of_its_own(client, daemon, lab):
    path = pathlib.Path(client.directory) / "mark.c"
    path.write_text("#include <linux/skbuff.h>\n#include <net/sock.h>\nstruct udphdr { u16 from, to, length, check; };\n"
                    + FILTER.format("\tstruct sk_buff *skb = pkt;\n"
                                    "\tstruct udphdr *udp = (void *)skb->head + skb->transport_header;\n\n"
                                    f"\treturn skb->mark == 7 && ntohs(udp->to) == {PORT};"))
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression("udp"), "--user-filter", path) as process:
        lab.send_udp(b"x", count=3, port=PORT, mark=7)
        lab.send_udp(b"x", count=5, port=PORT, mark=8)
        lab.send_udp(b"x", count=5, port=PORT + 1, mark=7)
    assert len(heads(process.out)) == 3
    assert re.search(r"filtered \+ 3 captured \+ 0 lost", process.err), process.err


def test_ten_thousand_packets_a_second(client, daemon, lab):
    """Packet N carries the mark N, which only the action shows; its number is in the payload, which only tcpdump shows."""
    count, path = 20001, pathlib.Path(client.directory) / "mark.c"
    path.write_text(ACTION.format("\tu32 mark;", "\tuser->mark = ((struct sk_buff *)pkt)->mark;"))
    process = client.start("skb", "-f", QUEUE, "-t", "-A", "-c", count, "--ring-size", "64M", "-e",
                           lab.expression(f"udp dst port {PORT}"), "--user-action", path)
    daemon.wait_sessions(timeout=COMPILE_SECONDS)
    lab.flood(count, 10000, size=64, port=PORT, mark=True)
    assert process.wait(90) == 0, process.err
    text = process.out
    number, seen = 0, 0
    for line in text.splitlines():
        if heads(line):
            seen += 1
        elif match := re.search(r"#(\d{8})#", line):
            number = int(match[1])
        elif line.startswith("    {"):
            assert line == f"    {{mark: {number}; }}" and number == seen, (line, number, seen)
    assert seen == count == len(shown(text)), process.err
    assert f"filtered + {count} captured + 0 lost" in process.err, process.err


# ---- objects ----

def test_an_object_of_one_file(client, daemon, lab):
    made = pathlib.Path(client.directory) / "both.o"
    source = pathlib.Path(client.directory) / "both.c"
    source.write_text(FILTER.format("\treturn ((struct sk_buff *)pkt)->mark == 3;") +
                      ACTION.format("\tu32 mark; // format: 0x%x", "\tuser->mark = ((struct sk_buff *)pkt)->mark;"))
    done = subprocess.run([client.program, "compile", source, "-o", made], capture_output=True, text=True,
                          timeout=COMPILE_SECONDS, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-filter", made,
                 "--user-action", made) as process:
        lab.send_udp(b"x", count=2, port=PORT, mark=3)
        lab.send_udp(b"x", count=2, port=PORT, mark=4)
    assert shown(process.out) == 2 * ["{mark: 0x3; }"]
    # two objects become one, of which only what was asked for is used
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-action", made) as process:
        lab.send_udp(b"x", count=2, port=PORT, mark=4)
    assert shown(process.out) == 2 * ["{mark: 0x4; }"]


def test_no_compiler_is_needed_for_an_object(client, daemon, lab, tmp_path):
    made = tmp_path / "action.o"
    done = subprocess.run([client.program, "compile", EXAMPLES / "skb_user_action.c", "-o", made], capture_output=True,
                          text=True, timeout=COMPILE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    bare = {"PATH": str(tmp_path)}
    done = client.run("skb", "-f", DROP, "--user-action", made, "--dry-run", env=bare)
    assert done.returncode == 0 and "the user's action, eBPF" in done.stdout, done.stderr
    done = client.run("skb", "-f", DROP, "--user-action", EXAMPLES / "skb_user_action.c", "--dry-run",
                      env={**bare, "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]})
    assert done.returncode == 1 and "clang, which compiles it, is not installed: apt install clang" in done.stderr


def test_dry_run_shows_source_and_instructions(client, daemon):
    done = client.run("skb", "-f", DROP, "--user-filter", EXAMPLES / "skb_filter_tcp_fin.c", "--dry-run",
                      timeout=COMPILE_SECONDS)
    assert done.returncode == 0, done.stderr
    assert "static inline int xcap_ext_filter(void *ext, void *pkt, u16 trace_index)" in done.stdout
    assert "the user's filter, eBPF, with the lines of its source:" in done.stdout
    assert re.search(r"^; \d+: if \(th->bits & FIN\)\n +\d+: ", done.stdout, re.MULTILINE)
    assert "call helper 113" in done.stdout


# ---- what is wrong ----

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
    "data": ("static int count;\n" + FILTER.format("\treturn ++count & 1;"), "filter",
             r"bad\.c:4: the filter uses a map, or data outside of its functions"),
    "stack": (FILTER.format("\tchar big[600];\n\n\tbpf_probe_read_kernel(big, sizeof(big), pkt);\n"
                            "\treturn big[trace_index & 511];"), "filter",
              r"the variables of the functions in .*bad\.c take more than 512 bytes"),
    "index": (FILTER.format('\tint v[4];\n\n\tbpf_probe_read_kernel(v, sizeof(v), pkt);\n\treturn v[trace_index];'),
              "filter", r'bad\.c:6: "return v\[trace_index\];": an index may be beyond the end of an array'),
    "helper": ("static long (*const redirect)(u32, u64) = (void *)23;\n" + FILTER.format("\treturn redirect(1, 0);"),
               "filter", r'bad\.c:4: "return redirect\(1, 0\);": it calls a helper that programs for tracing may not call'),
    "no such helper": ("static long (*const f)(void) = (void *)9999;\n" + FILTER.format("\treturn f();"), "filter",
                       r"it calls a helper that this kernel does not have"),
    "gone": ("struct sk_buff___x { int gone; } __attribute__((preserve_access_index));\n" +
             FILTER.format("\treturn ((struct sk_buff___x *)pkt)->gone;"), "filter",
             r"it uses a type or a member that this kernel does not have"),
}


def refused(client, source, kind, *options):
    path = pathlib.Path(client.directory) / "bad.c"
    path.write_text(source)
    done = client.run("skb", "-f", DROP, f"--user-{kind}", path, *options, timeout=COMPILE_SECONDS)
    assert done.returncode == 1 and not done.stdout, (done.stdout, done.stderr)
    return done.stderr


@pytest.mark.parametrize("name", BAD)
def test_bad_sources(client, daemon, name):
    source, kind, said = BAD[name]
    words = refused(client, source, kind)
    assert re.search(said, words), words
    assert "netcap-filter:" not in words and "netcap-action:" not in words  # nobody has such files
    daemon.assert_answers()


def test_the_log_on_request(client, daemon):
    source, kind, said = BAD["index"]
    words = refused(client, source, kind, "--user-log")
    assert re.search(said, words) and re.search(r"^\d+: \([0-9a-f]{2}\) ", words, re.MULTILINE), words
    done = client.run("skb", "-f", DROP, "--user-log")
    assert done.returncode == 2 and "it needs --user-filter or --user-action" in done.stderr


BOMBS = {
    "includes itself": '#include "bad.c"\n#include "bad.c"\n' + FILTER.format("\treturn 1;"),
    "macro": "#define A x x x x x x x x x x\n" + "".join(
        f"#define {chr(66 + i)} {' '.join(10 * [chr(65 + i)])}\n" for i in range(12)) + FILTER.format("\tint M;\n\treturn 1;"),
    "unrolled": FILTER.format("\tint n = 0;\n#pragma clang loop unroll(full)\n\tfor (int i = 0; i < 100000000; i++)\n"
                              "\t\tn += ((int *)pkt)[i * trace_index];\n\treturn n;"),
    "deep": FILTER.format("\treturn " + 100000 * "(" + "1" + 100000 * ")" + ";"),
    "large data": "const char big[1u << 31] = {1};\n" + FILTER.format("\treturn big[trace_index];"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(client, daemon, name):
    start = time.monotonic()
    words = refused(client, BOMBS[name], "filter")
    seconds = time.monotonic() - start
    assert seconds < 35 and len(words) < 20000, (seconds, words[:2000])
    assert not list(pathlib.Path(os.environ["XDG_CACHE_HOME"], "netcap").glob("work-*"))
    daemon.assert_answers()
    print(f"{name}: {seconds:.1f} s: {words.splitlines()[0][:200]}")


def test_other_sessions_do_not_notice(client, daemon, lab):
    with Session(daemon, [DROP], filter=lab.expression("udp port 9000"), snaplen=64) as session:
        for name in ("index", "loop without end", "gone"):
            lab.send_udp(b"x", count=7)
            refused(client, *BAD[name][:2])
        final, captured = session.end()
    assert_session_identity(final)
    assert final["counters"]["captured"] == len(captured.packets) == 21


# ---- objects of strangers ----

def start_with(daemon, code, **more):
    with daemon.connect(timeout=30.0) as connection:
        with pytest.raises(Error) as caught:
            connection.call("Start", {"points": [DROP], "userCode": code, "userFilter": True, "dryRun": True, **more})
    return caught.value


def test_damaged_objects(client, daemon, tmp_path):
    made = tmp_path / "good.o"
    subprocess.run([client.program, "compile", EXAMPLES / "skb_filter_tcp_fin.c", "-o", made], check=True,
                   timeout=COMPILE_SECONDS)
    good = made.read_bytes()
    # cut, and with bytes in it that are others: refused, or as good as before
    damaged = [good[:len(good) * i // 12] for i in range(1, 12)]
    dice = random.Random(7)
    for i in range(60):
        code = bytearray(good)
        for _ in range(1 + i % 4):
            code[dice.randrange(16, len(code))] = dice.randrange(256)
        damaged.append(bytes(code))
    refusals = 0
    for code in damaged:
        with daemon.connect(timeout=30.0) as connection:
            try:
                connection.call("Start", {"points": [DROP], "userCode": base64.b64encode(code).decode(),
                                          "userFilter": True, "dryRun": True})
            except Error as error:
                refusals += 1
                assert error.parameters["field"] == "userCode" and error.parameters["message"], error
    assert refusals >= 11
    daemon.assert_answers()


def test_what_is_no_object(daemon):
    for code, said in (("AAAA", "no ELF file"), (base64.b64encode(b"x" * 1000).decode(), "no ELF file"),
                       ("AAA", "4 bytes at least"), ("A===", "not base64"), ("AA=A", "not base64")):
        error = start_with(daemon, code)
        assert error.parameters["field"] == "userCode", error
        assert said in error.parameters["message"] or len(code) < 4, error.parameters
    with daemon.connect() as connection, pytest.raises(Error) as caught:
        connection.call("Start", {"points": [DROP], "userCode": "AAAA", "dryRun": True})
    assert "say by userFilter and userAction which is wanted" in caught.value.parameters["message"]


# ---- the tutorial ----

def tutorial():
    """The examples of docs/user-code.md, by the names in their first lines."""
    text = (EXAMPLES.parents[1] / "docs/user-code.md").read_text()
    return {code.split()[1]: code for code in re.findall(r"```c\n(.*?)```", text, re.DOTALL)}


@pytest.fixture(name="example")
def example_file(tmp_path):
    def write(name):
        path = tmp_path / name
        path.write_text(tutorial()[name])
        return path
    return write


def test_the_tutorial_has_five_examples():
    assert sorted(tutorial()) == ["by-mark.c", "cgroup.c", "gso.c", "socket.c", "tcp-fin.c"]


def test_tutorial_by_mark(client, daemon, lab, example):
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression("udp"), "--user-filter", example("by-mark.c")) as process:
        lab.send_udp(b"x", count=3, port=PORT, mark=0x10)
        lab.send_udp(b"x", count=3, port=PORT, mark=0x11)
    assert len(heads(process.out)) == 3


def test_tutorial_gso(client, daemon, lab, example):
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-action",
                 example("gso.c")) as process:
        lab.send_udp(b"x" * 10, port=PORT)
        lab.send_udp(b"x" * 3000, port=PORT, segment=1000)
    found = shown(process.out)
    assert len(found) == 1 and re.fullmatch(
        r"\{length: 3042; in_pages: \d+; size: 1000; segs: 3; type: 0x[0-9a-f]+; \}", found[0]), process.out


def exchange(lab, during=None):
    """A connection with some bytes, closed on both sides."""
    with lab.b.socket(kind=socket.SOCK_STREAM) as server, lab.a.socket(kind=socket.SOCK_STREAM) as one:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((lab.b.address, 8888))
        server.listen()
        one.connect((lab.b.address, 8888))
        other, _ = server.accept()
        for _ in range(3):
            one.sendall(b"hello")
            assert other.recv(5) == b"hello"
        one.close()
        assert other.recv(1) == b""
        other.close()
        time.sleep(0.3)


def test_tutorial_tcp_fin(client, daemon, lab, example):
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression("tcp port 8888"), "--user-filter",
                 example("tcp-fin.c")) as process:
        exchange(lab)
    lines = heads(process.out)
    assert len(lines) == 2 and all("Flags [F" in line for line in lines), process.out


def test_tutorial_socket(client, daemon, lab, example):
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(
            "tcp dst port 8888 and tcp[tcpflags] & tcp-push != 0"), "--user-action", example("socket.c")) as process:
        exchange(lab)
    found = shown(process.out)
    assert len(found) == 3, process.out
    for line in found:
        match = re.fullmatch(r"\{state: ESTABLISHED; srtt: (\d+) us; cwnd: (\d+); \}", line)
        assert match and 0 < int(match[1]) < 1000000 and int(match[2]) >= 10, line


def test_tutorial_cgroup(client, daemon, lab, example):
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-action",
                 example("cgroup.c"), "--json") as process:
        lab.flood(3, 0, size=64, port=PORT)
    for packet in map(json.loads, process.out.splitlines()):
        assert packet["user"]["task"] == "flood" == packet["comm"] and packet["user"]["cgroup"] > 0, packet
    assert len(process.out.splitlines()) == 3
