# SPDX-License-Identifier: BSD-2-Clause
"""Objects of user code: without a compiler, of another kernel's types, and of strangers."""
import base64
import os
import random
import shutil
import subprocess

import pytest

from netcap import Session, assert_session_identity
from usercode import (ACTION, ALL_VALUES, DROP, EXAMPLES, FILTER, PORT, PROBE, QUEUE, SEGMENTS, capture, compiled, exchange,
                      heads, read_trace, section, shown)
from varlink import Error

TOP = EXAMPLES.parents[1]
VM_EXIT_BROKEN = 125  # of tests/vm

pytestmark = [pytest.mark.skipif(not shutil.which("clang"), reason="clang is not installed"),
              pytest.mark.usefixtures("type_cache")]


def test_an_object_of_one_file(client, daemon, lab, tmp_path):
    made = tmp_path / "both.o"
    source = tmp_path / "both.c"
    source.write_text(FILTER.format("\treturn ((struct sk_buff *)pkt)->mark == 3;") +
                      ACTION.format("\tu32 mark; // format: 0x%x", "\tuser->mark = ((struct sk_buff *)pkt)->mark;"))
    compiled(client, source, made)
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
    made = compiled(client, EXAMPLES / "skb_user_action.c", tmp_path / "action.o")
    bare = {"PATH": str(tmp_path)}
    done = client.run("skb", "-f", DROP, "--user-action", made, "--dry-run", env=bare)
    assert done.returncode == 0 and "the user's action, eBPF" in done.stdout, done.stderr
    done = client.run("skb", "-f", DROP, "--user-action", EXAMPLES / "skb_user_action.c", "--dry-run",
                      env={**bare, "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]})
    assert done.returncode == 1 and "clang, which compiles it, is not installed: apt install clang" in done.stderr


# ---- objects of another kernel's types ----

@pytest.fixture(scope="module", name="foreign")
def foreign_objects(build):
    """The examples, compiled for kernel 6.12: where the objects are."""
    done = subprocess.run([TOP / "tests/vm/foreign", build], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode == VM_EXIT_BROKEN:
        pytest.skip("kernel 6.12, whose types the objects are compiled for, cannot be had: " + done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return build / "tests/vm/foreign"


FOREIGN = {
    # example: option, trace point
    "skb_user_filter": ("--user-filter", QUEUE),
    "skb_filter_tcp_fin": ("--ext-filter", QUEUE),
    "skb_user_action": ("--user-action", DROP),
    "ip_output_action": ("--user-action", QUEUE),
    "sk_stat_action": ("--ext-action", PROBE),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_object_becomes_the_same(client, foreign, tmp_path, name):
    """Relocated for the running kernel, it has the instructions of one that was compiled for that."""
    option, point = FOREIGN[name]
    own = compiled(client, EXAMPLES / f"{name}.c", tmp_path / "own.o")
    shows = []
    for made in (own, foreign / f"{name}.o"):
        done = client.run("skb", "-f", point, option, made, "--dry-run")
        assert done.returncode == 0 and "eBPF, with the lines of its source:" in done.stdout, done.stderr
        shows.append(done.stdout)
    assert shows[0] == shows[1]
    if name == "sk_stat_action" and not os.uname().release.startswith("6.12."):
        # struct tcp_sock is not the same, so without relocation they are not
        assert section(own.read_bytes(), b"netcap/action") != section((foreign / f"{name}.o").read_bytes(), b"netcap/action")


def run_foreign(client, daemon, lab, foreign, name, expression, traffic):
    option, point = FOREIGN[name]
    with capture(client, daemon, "-f", point, "-e", lab.expression(expression), option, foreign / f"{name}.o") as process:
        traffic()
    return process


def test_foreign_filters_run(client, daemon, lab, foreign):
    before = len(read_trace())
    process = run_foreign(client, daemon, lab, foreign, "skb_user_filter", "udp port 9000",
                          lambda: lab.send_udp(b"x", count=3))
    assert len(heads(process.out)) == 3 and read_trace()[before:] == 3 * ["user filter at trace point 0"], process.out
    process = run_foreign(client, daemon, lab, foreign, "skb_filter_tcp_fin", "tcp port 8888", lambda: exchange(lab))
    lines = heads(process.out)
    assert len(lines) == 2 and all("Flags [F" in line for line in lines), process.out


def test_foreign_actions_run(client, daemon, lab, foreign):
    process = run_foreign(client, daemon, lab, foreign, "skb_user_action", "udp port 9000",
                          lambda: lab.send_udp(b"x", count=5))
    assert shown(process.out) == 5 * [ALL_VALUES], process.out
    process = run_foreign(client, daemon, lab, foreign, "ip_output_action", f"udp port {PORT}",
                          lambda: lab.send_udp(b"x" * 100, port=PORT))
    assert shown(process.out) == ["{skb_len: 142; skb_datalen: 0; gso_size: 0; gso_segs: 0; gso_type: 0x0; }"], process.out
    process = run_foreign(client, daemon, lab, foreign, "sk_stat_action", "tcp dst port 8888", lambda: exchange(lab))
    assert shown(process.out) == SEGMENTS, process.out


# ---- objects of strangers ----

def start_with(daemon, code, **more):
    with daemon.connect(timeout=30.0) as connection:
        with pytest.raises(Error) as caught:
            connection.call("Start", {"points": [DROP], "userCode": code, "userFilter": True, "dryRun": True, **more})
    return caught.value


def test_damaged_objects(client, daemon, tmp_path):
    good = compiled(client, EXAMPLES / "skb_filter_tcp_fin.c", tmp_path / "good.o").read_bytes()
    # cut, and with bytes in it that are others: refused, or as good as before
    damaged = [good[:len(good) * i // 12] for i in range(1, 12)]
    dice = random.Random(7)
    for i in range(60):
        code = bytearray(good)
        for _ in range(1 + i % 4):
            code[dice.randrange(16, len(code))] = dice.randrange(256)
        damaged.append(bytes(code))
    assert sum(ask(daemon, code, "userFilter") is not None for code in damaged) >= 11
    daemon.assert_answers()


REFUSED = {
    # what is said: of which objects that were made by hand (tests/fuzz/handmade.py)
    "has 4294967295 bytes, and 256 are the most":
        "structure-large",
    "has no conversion of a whole number":
        "formats-bad",
    "is none that user code may have: the object is damaged":
        "half-a-constant jump-out no-end register-of-none",
    "is of a type that is not complete":
        "array-of-itself",
    "is too deep in other structures":
        "structure-in-itself",
    "it calls a helper that this kernel does not have":
        "unknown-helper",
    "it hands over a function":
        "callback",
    "it has instructions that nothing leads to":
        "jump-for-ever",
    "it is no ELF file for BPF":
        "other-machine other-order",
    "it uses a map, or a variable outside":
        "config map-by-number map-value-by-number variable",
    "it uses a type or a member that this kernel does not have":
        "action formats-open name-far",
    "leads to one that is not there":
        "member-of-nothing",
    "netcap.format is empty":
        "formats-nothing",
    "the object cannot be read: ":
        "cut-headers far-headers far-name far-names long-code many-sections no-sections odd-code odd-symbols "
        "relocation-beyond-code relocation-of-half relocation-of-no-symbol relocations-of-nothing symbol-beyond-code "
        "symbol-of-no-section symbols-of-nothing",
    "the object cannot be taken by this kernel: ":
        "access-deep access-far access-odd access-of-a-kind access-of-a-number access-of-no-type access-size call-backwards "
        "call-of-itself call-of-nothing kfunc symbol",
    "as maps and parts of the kernel have: user code has no such data":
        "map oldmap struct-ops",
    "the object has no action: its source needs a function":
        "no-code",
    "the object has no type information":
        "enumerators-many members-many no-types texts-far types-far types-long types-of-another-kind",
    "the object is damaged: a relocation says no member":
        "access-huge access-negative access-of-no-text access-words",
    "the object is damaged: its section .BTF.ext makes no sense":
        "ext-functions-far ext-head-long ext-lines-odd ext-relocations-far ext-relocations-long lines-many "
        "records-huge records-many records-of-nothing",
    "the object is damaged: its types make no sense":
        "array-without-end member-far",
    "the verifier said: kernel btf_id 1 is not":
        "call-of-kfunc",
    "the verifier said: unknown opcode ff":
        "opcode-of-none",
}
# and those that are taken: good ones, and what is wrong does not matter
TAKEN = ("access-beyond-code functions loop mark pointer-to-itself relocated-table-beyond relocation-of-a-kind "
         "relocations tables type-of-itself ").split()


def ask(daemon, code, kind):
    """What is said of an object, None: it is taken."""
    with daemon.connect(timeout=30.0) as connection:
        try:
            connection.call("Start", {"points": [DROP], "userCode": base64.b64encode(code).decode(), kind: True,
                                      "dryRun": True})
        except Error as error:
            assert error.parameters["field"] == "userCode" and error.parameters["message"], error
            return error.parameters["message"]
    return None


def ask_for_either(daemon, code):
    said = ask(daemon, code, "userFilter")
    return ask(daemon, code, "userAction") if said and "has no filter" in said else said


CORPUS = TOP / "tests/fuzz/corpus/userobject"


def test_objects_made_by_hand(daemon):
    """Each gets its sentence from the daemon, with the real kernel behind it. pytest -s shows them all."""
    expected = {name: said for said, names in REFUSED.items() for name in names.split()}
    names = sorted(path.stem.removeprefix("made-") for path in CORPUS.glob("made-*.o"))
    assert names == sorted([*expected, *TAKEN]) and len(expected) >= 50
    for name in names:
        said = ask_for_either(daemon, (CORPUS / f"made-{name}.o").read_bytes())
        print(f"| {name} | {said or 'taken'} |")
        assert said is None if name in TAKEN else said and expected[name] in said, (name, said)
    daemon.assert_answers()


def test_objects_that_fuzzing_found(daemon):
    """They are refused, or taken; and nothing happens to the daemon, nor to another session."""
    paths = sorted(set(CORPUS.iterdir()) - set(CORPUS.glob("made-*.o")))
    assert len(paths) >= 20
    with Session(daemon, [DROP], filter="icmp", snaplen=64) as session:
        refused = sum(ask_for_either(daemon, path.read_bytes()) is not None for path in paths)
        final, _ = session.end()
    print(f"{refused} of {len(paths)} objects are refused")
    assert refused >= len(paths) // 2
    assert_session_identity(final)
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
