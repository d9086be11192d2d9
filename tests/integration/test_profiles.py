# SPDX-License-Identifier: BSD-2-Clause
"""Profiles: named lists of trace points, from files of several places."""
import json
import os
import pathlib
import signal

import pytest

from conftest import Client
from netcap import wait_until
from test_bad_input import assert_one_sentence

FAILED, USAGE = 1, 2
K = 37
RECEIVE, KFREE = "tracepoint:net:netif_receive_skb", "tracepoint:skb:kfree_skb"
SHIPPED = sorted(p.stem for p in pathlib.Path(__file__).parents[2].glob("client/profiles/*.profile"))


@pytest.fixture
def own(tmp_path):
    """Writes profiles of one's own; what the environment is for those."""
    class Own:
        directory = tmp_path / "config/netcap/profiles"
        env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}

        def write(self, name, content):
            path = self.directory / f"{name}.profile"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            return path
    Own.directory.mkdir(parents=True)
    return Own()


def listed(done):
    return {p["name"]: p for p in json.loads(done.stdout)["profiles"]}


def has_functions(client):
    features = json.loads(client.run("features", "--json").stdout)["features"]
    return any(f["available"] for f in features if f["name"] in ("fentry", "kprobe.multi", "kprobe"))


def test_list(lone_client, own):
    """The shipped ones, each with what it is for."""
    done = lone_client.run("profile", env=own.env)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["NAME", "FROM", "WHAT", "FOR"]
    assert [line.split()[0] for line in lines[1:]] == SHIPPED and len(SHIPPED) >= 10
    for profile in listed(lone_client.run("profile", "--json", env=own.env)).values():
        assert profile["usable"] and profile["points"] > 2 and profile["origin"] == "shipped"
        assert len(profile["description"]) > 20 and profile["hides"] == []
        assert profile["path"].endswith(f"/{profile['name']}.profile")


def test_own_profiles_come_first(client, own):
    path = own.write("rx-ipv4", f"# mine\n{KFREE}\n")
    own.write("other", f"{KFREE}\n")
    profiles = listed(client.run("profile", "--json", env=own.env))
    assert profiles["rx-ipv4"]["path"] == str(path)
    assert [p.endswith("/rx-ipv4.profile") for p in profiles["rx-ipv4"]["hides"]] == [True]
    assert profiles["other"].get("description") is None
    text = client.run("profile", env=own.env).stdout
    assert "user, hides shipped mine" in " ".join(text.split())
    plan = client.run("skb", "-f", "@rx-ipv4", "--dry-run", env=own.env)
    assert [line.split(": ")[0] for line in plan.stdout.splitlines()[:-1]] == [KFREE]


def test_the_environment_replaces_all(client, own, tmp_path):
    own.write("x", f"# x\n{KFREE}\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/y.profile").write_text(f"# y\n{KFREE}\n")
    env = {**os.environ, "NETCAP_PROFILES": f"{tmp_path}/nosuch:{own.directory}:{tmp_path}/more"}
    profiles = listed(client.run("profile", "--json", env=env))
    assert set(profiles) == {"x", "y"} and {p["origin"] for p in profiles.values()} == {"environment"}


def test_no_profiles_at_all(client, tmp_path):
    env = {**os.environ, "NETCAP_PROFILES": f"{tmp_path}/nosuch"}
    assert client.run("profile", env=env).stdout == "there are no profiles\n"
    assert listed(client.run("profile", "--json", env=env)) == {}


def test_show(client):
    """Tracepoints can be traced here; functions where there is a way to."""
    functions = has_functions(client)
    done = client.run("profile", "show", "rx-tcp")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("rx-tcp: a TCP packet over IPv4 on its way in")
    rows = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert rows[RECEIVE].endswith(" yes") and rows["tracepoint:tcp:tcp_probe"].endswith(" yes")
    assert functions or "no: this kernel has no way to attach to functions" in rows["tcp_v4_rcv"]
    assert "the program reads" in done.stdout
    shown = json.loads(client.run("profile", "show", "@rx-tcp", "--json").stdout)
    assert shown["asked"] and shown["name"] == "rx-tcp" and shown["origin"] == "shipped"
    points = {p["names"][0]["name"]: p for p in shown["points"]}
    assert points[RECEIVE]["use"] == RECEIVE and points[RECEIVE]["names"][0]["traceable"]
    assert "use" in points["tcp_v4_rcv"] or not functions
    assert list(points)[0] == RECEIVE
    traceable = sum("use" in p for p in shown["points"])
    assert f"\n{traceable} of {len(points)} can be traced on this machine\n" in done.stdout


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_work_without_functions(client, name):
    """Each has a tracepoint at least."""
    shown = json.loads(client.run("profile", "show", name, "--json").stdout)
    assert any(p.get("use", "").startswith("tracepoint:") for p in shown["points"])


def test_show_without_a_daemon(build, tmp_path):
    client = Client(build, tmp_path, tmp_path / "nobody")
    done = client.run("profile", "show", "drops")
    assert done.returncode == 0 and f"\n{KFREE}\n" in done.stdout and "can be traced" not in done.stdout
    assert_one_sentence(done.stderr, "no daemon")
    shown = json.loads(client.run("profile", "show", "drops", "--json").stdout)
    assert not shown["asked"] and "traceable" not in shown["points"][0]["names"][0]


def test_show_for_xdp(client, own):
    own.write("x", "xdp_do_redirect\n" + KFREE + "\n")
    lines = client.run("profile", "show", "x", "--xdp", env=own.env).stdout.splitlines()
    assert "none carries a packet of XDP" in next(line for line in lines if line.startswith(KFREE))
    lines = client.run("profile", "show", "x", env=own.env).stdout.splitlines()
    assert "netcapctl xdp captures there" in next(line for line in lines if line.startswith("xdp_do_redirect"))


def test_xdp_takes_profiles(client, own):
    own.write("x", "nosuch_function | xdp_do_redirect\nxdp_return_frame\n")
    done = client.run("xdp", "-f", "@x", "--dry-run", env=own.env)
    assert [line.split(":")[0] for line in done.stdout.splitlines()[:-1]] == ["xdp_do_redirect", "xdp_return_frame"]


def planned(client, own, points):
    done = client.run("skb", "-f", points, "--dry-run", "--json", env=own.env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["points"]


def test_alternatives(client, own):
    """The first that works, in the profile's place among others; optional points go without a word."""
    own.write("mine", f"# mine\ntracepoint:skb:nosuch | {KFREE}@1 | {RECEIVE}\n?tracepoint:skb:nosuch\n"
                      f"?{RECEIVE}\ntracepoint:net:nosuch | tracepoint:net:nosuch2\n")
    points = planned(client, own, "tracepoint:net:net_dev_queue,@mine,tracepoint:skb:consume_skb")
    assert [p["name"] for p in points] == ["tracepoint:net:net_dev_queue", KFREE, RECEIVE, "tracepoint:net:nosuch",
                                           "tracepoint:skb:consume_skb"]
    assert [p["name"] for p in points if p.get("reason")] == ["tracepoint:net:nosuch"]


def test_a_point_that_is_named_twice(client, own):
    points = planned(client, own, f"ip_output,@rx-ipv4,{RECEIVE},@rx-ipv4")
    names = [p["name"] for p in points]
    assert names[:2] == ["ip_output", RECEIVE] and len(names) == len(set(names))


def test_all_profiles_together(client):
    """They overlap, and what is in several counts once."""
    done = client.run("skb", "-f", ",".join("@" + name for name in SHIPPED), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"{RECEIVE}: would be attached") == 1


def test_capture(client, lab):
    """Exact counts at the tracepoints of a profile; functions may be refused, with their reason, and the rest runs."""
    process = client.start("skb", "-f", f"@rx-udp,{KFREE}", "--json", "-e", lab.expression("udp dst port 9000"))
    assert wait_until(lambda: "capturing at" in process.err), process.err
    lab.send_udp(b"x", K)
    assert wait_until(lambda: process.out.count("\n") >= 2 * K)
    assert process.interrupt() == 0
    points = [json.loads(line)["point"] for line in process.out.splitlines()]
    functions = [p for p in json.loads(client.run("profile", "show", "rx-udp", "--json").stdout)["points"]
                 if ":" not in p["names"][0]["name"]]
    assert points.count(RECEIVE) == K and points.count(KFREE) == K
    assert "nothing was lost." in process.err
    assert has_functions(client) or process.err.count("not attached: ") == len(functions)


def test_ctrl_c_is_heard(client, own):
    process = client.start("skb", "-f", "@drops", "-e", "udp port 1")
    assert wait_until(lambda: "capturing at" in process.err), process.err
    process.signal(signal.SIGINT)
    assert process.wait() == 0


@pytest.mark.parametrize("arguments, status, parts", [
    (["skb", "-f", "@rx-ipv5"], FAILED, ["rx-ipv5", "rx-ipv4", "rx-ipv6", "/etc/netcapd/profiles"]),
    (["xdp", "-f", "@nosuch"], FAILED, ["no profile nosuch"]),
    (["skb", "-f", "@"], USAGE, ['""']),
    (["skb", "-f", "@../profiles/rx-ipv4"], USAGE, ["../profiles/rx-ipv4"]),
    (["skb", "-f", "@/etc/passwd"], USAGE, ["/etc/passwd"]),
    (["skb", "-f", "@rx-ipv4@1"], USAGE, ["rx-ipv4@1"]),
    (["skb", "-f", "ip_rcv|icmp_rcv"], USAGE, ["ip_rcv|icmp_rcv"]),
    (["profile", "show", "rx-ipv5"], FAILED, ["rx-ipv5", "did you mean rx-ipv4", "rx-ipv5.profile"]),
    (["profile", "show"], USAGE, ["name"]),
    (["profile", "show", "a", "b"], USAGE, ['"b"']),
    (["profile", "rx-ipv4"], USAGE, ['"rx-ipv4"', "profile show NAME"]),
    (["profile", "--xdp"], USAGE, ["show"]),
    (["profile", "--nosuch"], USAGE, ["--nosuch"]),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_bad_input(client, arguments, status, parts):
    done = client.run(*arguments)
    assert_one_sentence(done.stderr, *parts)
    assert done.returncode == status and done.stdout == ""


@pytest.mark.parametrize("content, parts", [
    ("", ["no trace point"]),
    ("# x\nip_rcv\nip_rcv, icmp_rcv\n", ["line 3", "ip_rcv, icmp_rcv"]),
    ("# x\n@rx-ipv4\n", ["line 2", "another profile"]),
    (b"\x7fELF\x02\x01\x01\0\0\0", ["line 1", "\\x7f"]),
    (b"ip_rcv\n\0\n", ["line 2", "\\x00"]),
    ("ip_rcv\n" + "#" * 513 + "\n", ["line 2", "513"]),
    ("#\n" * 40000, ["65536"]),
    ("ip_rcv\n" * 65, ["line 65", "64"]),
    ("# \x1b[31mred\nip_rcv\n", ["line 1", "\\x1b"]),
], ids=range(9))
def test_damaged_files(client, own, content, parts):
    """Captures refuse one, and the list goes on and says so."""
    path = own.write("rx-ipv4", content)
    for arguments in (["skb", "-f", "@rx-ipv4"], ["profile", "show", "rx-ipv4"]):
        done = client.run(*arguments, env=own.env)
        assert_one_sentence(done.stderr, str(path), *parts)
        assert done.returncode == FAILED and done.stdout == ""
    done = client.run("profile", env=own.env)
    assert done.returncode == FAILED and "cannot be used" in done.stdout
    assert_one_sentence(done.stderr, str(path), *parts)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == SHIPPED
    assert not listed(client.run("profile", "--json", env=own.env))["rx-ipv4"]["usable"]


@pytest.mark.parametrize("make", [lambda p: os.mkfifo(p), lambda p: p.mkdir(), lambda p: p.symlink_to("/dev/zero"),
                                  lambda p: p.symlink_to(p)], ids=["fifo", "directory", "device", "loop"])
def test_what_is_no_file(client, own, make):
    path = own.directory / "odd.profile"
    make(path)
    done = client.run("skb", "-f", "@odd", env=own.env)
    assert_one_sentence(done.stderr, str(path))
    assert done.returncode == FAILED


def test_files_of_other_systems(client, own):
    own.write("dos", f"# from there\r\n{KFREE}\r\n")
    assert [p["name"] for p in planned(client, own, "@dos")] == [KFREE]


def test_nothing_is_left(client, own):
    """Of a profile in which all is optional, and nothing is there."""
    own.write("none", "?tracepoint:skb:nosuch\n?nosuch_function\n")
    done = client.run("skb", "-f", "@none", env=own.env)
    assert_one_sentence(done.stderr, "optional")
    assert done.returncode == FAILED


def test_more_points_than_a_session_has(client, own):
    own.write("many", "".join(f"p{n}\n" for n in range(60)))
    done = client.run("skb", "-f", f"@many,{KFREE},@rx-ipv4", env=own.env)
    assert_one_sentence(done.stderr, "64")
    assert done.returncode == USAGE
