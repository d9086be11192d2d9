# SPDX-License-Identifier: BSD-2-Clause
"""The user's own C: filters and actions, from the file to the output."""
import json
import pathlib
import re
import shutil

import pytest

import pcapng
from usercode import (ACTION, ALL_VALUES, COMPILE_SECONDS, DROP, EXAMPLES, FILTER, PORT, PROBE, QUEUE, SEGMENTS, capture,
                      exchange, heads, read_trace, shown)

pytestmark = [pytest.mark.skipif(not shutil.which("clang"), reason="clang is not installed"),
              pytest.mark.usefixtures("type_cache")]


# ---- the six examples ----

@pytest.mark.parametrize("option", ["--user-filter", "--ext-filter"])
def test_skb_user_filter(client, daemon, lab, option):
    with capture(client, daemon, "-f", f"{QUEUE},{DROP}", "-e", lab.expression("udp port 9000"), option,
                 EXAMPLES / "skb_user_filter.c") as process:
        before = len(read_trace())
        lab.send_udp(b"x", count=3)
    assert len(heads(process.out)) == 6, process.out
    said = read_trace()[before:]
    assert sorted(said) == 3 * ["user filter at trace point 0"] + 3 * ["user filter at trace point 1"]


def test_skb_filter_tcp_fin(client, daemon, lab):
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression("tcp port 8888"), "--ext-filter",
                 EXAMPLES / "skb_filter_tcp_fin.c") as process:
        exchange(lab)
    lines = heads(process.out)
    assert len(lines) == 2 and all("Flags [F" in line for line in lines), process.out
    counts = re.search(r"(\d+) hits = (\d+) filtered \+ 2 captured", process.err)
    assert counts and int(counts[1]) == int(counts[2]) + 2, process.err


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


def test_sk_stat_action(client, daemon, lab):
    """The tracepoint has the arguments of tcp_rcv_established(): a socket, and the packet."""
    with capture(client, daemon, "-f", PROBE, "-e", lab.expression("tcp dst port 8888"), "--ext-action",
                 EXAMPLES / "sk_stat_action.c") as process:
        exchange(lab)
    assert shown(process.out) == SEGMENTS, process.out


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


TABLES = """
static const u16 ports[] = {80, 443, 8080, 53, 99, 9001, 777, 22};
static const char names[][8] = {"zero", "one", "two", "three"};
static const u64 single = 0x123456789abcdef0;

""" + ACTION.format("""	u16 port;
	char name[8];
	bool same;
	u64 wide;  // format: 0x%x""", """	static const u8 inner[] = {9, 8, 7, 6};
	struct sk_buff *skb = pkt;
	const u8 later[] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1};
	const char *text = "veth";
	u32 mark = skb->mark;
	char name[16];

	user->port = ports[mark & 7] + inner[mark & 3] - later[mark & 15];
	bpf_probe_read_kernel_str(user->name, sizeof(user->name), names[mark & 3]);
	bpf_probe_read_kernel_str(name, sizeof(name), skb->dev->name);
	user->same = name[mark & 3] == text[mark & 3];
	user->wide = mark & 1 ? single : 0;
	bpf_printk("table says %s %d\\n", names[mark & 3], ports[mark & 7]);""")


def test_tables_and_texts(client, daemon, lab, tmp_path):
    """Constants outside of functions, of sizes that compilers put into sections of their own, and those in functions."""
    path = tmp_path / "tables.c"
    path.write_text(TABLES)
    before = len(read_trace(r"table says .*"))
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-action", path) as process:
        for mark in range(6):
            lab.send_udp(b"x", port=PORT, mark=mark)
    names = ["zero", "one", "two", "three", "zero", "one"]
    ports = [80, 443, 8080, 53, 99, 9001]
    wide = ["0x0", "0x123456789abcdef0"]
    assert shown(process.out) == [
        f"{{port: {ports[i] + 9 - i % 4 - (i + 1) % 2}; name: {names[i]}; same: true; wide: {wide[i % 2]}; }}"
        for i in range(6)], process.out
    assert read_trace(r"table says .*")[before:] == [f"table says {names[i]} {ports[i]}" for i in range(6)]
    # a source with a line is said with it, which takes the types to be taken by the kernel
    done = client.run("skb", "-f", DROP, "--user-action", path, "--dry-run", timeout=COMPILE_SECONDS)
    assert re.search(r"^; \d+: user->port = ", done.stdout, re.MULTILINE) and "= its constants + " in done.stdout
    # two objects, each with constants of its own
    filter_path = tmp_path / "tablefilter.c"
    filter_path.write_text("static const u32 marks[4] = {1, 3, 5, 7};\n" + FILTER.format(
        "\tu32 mark = ((struct sk_buff *)pkt)->mark;\n\n\treturn marks[(mark >> 1) & 3] == mark;"))
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression(f"udp port {PORT}"), "--user-filter", filter_path,
                 "--user-action", path) as process:
        for mark in range(6):
            lab.send_udp(b"x", port=PORT, mark=mark)
    assert [re.search("name: [a-z]+", line)[0] for line in shown(process.out)] == ["name: one", "name: three", "name: one"]


BITS = """
#include <net/tcp.h>
#include <net/ip.h>
""" + ACTION.format("\tu32 type, summed, l4_hash, cloned, syn, words;", """	struct sk_buff *skb = pkt;

	user->type = BPF_CORE_READ_BITFIELD(skb, pkt_type);
	user->summed = BPF_CORE_READ_BITFIELD(skb, ip_summed);
	user->l4_hash = BPF_CORE_READ_BITFIELD_PROBED(skb, l4_hash);
	user->cloned = BPF_CORE_READ_BITFIELD(skb, cloned);
	user->syn = tcp_hdr(skb)->syn;
	user->words = ip_hdr(skb)->ihl;""")


def test_bit_fields(client, daemon, lab, tmp_path):
    """A SYN and segments with data are kept for retransmission, so they go out as clones; their checksum is the device's."""
    path = tmp_path / "bits.c"
    path.write_text(BITS)
    with capture(client, daemon, "-f", QUEUE, "-e", lab.expression("tcp dst port 8888"), "--user-action", path) as process:
        exchange(lab)
    partial, lines = 3, shown(process.out)
    assert lines[0] == f"{{type: 0; summed: {partial}; l4_hash: 1; cloned: 1; syn: 1; words: 5; }}", process.out
    flags = [re.search(r"Flags \[(.*?)\]", line)[1] for line in heads(process.out)]
    cloned = [int(re.search(r"cloned: (\d)", line)[1]) for line in lines]
    assert len(flags) == len(cloned) and [flag != "." for flag in flags] == [bool(bit) for bit in cloned], process.out


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
