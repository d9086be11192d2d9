# SPDX-License-Identifier: BSD-2-Clause
"""Reads pcapng, written from the format's specification and not from proto/pcapng.c."""
import re
import struct
import urllib.parse
from dataclasses import dataclass, field

SECTION, INTERFACE, PACKET, STATISTICS = 0x0A0D0D0A, 1, 6, 5
FIELD = re.compile(r"^([a-z][a-z0-9_]*)=([!-$&-+\--<>-~]|,|%[0-9A-F]{2})*$")


@dataclass
class Interface:
    link: int
    snaplen: int
    options: dict


@dataclass
class Packet:
    interface: Interface
    time_ns: int
    wire_len: int
    data: bytes
    comment: str
    meta: dict = field(default_factory=dict)
    journey: "Journey" = None


@dataclass
class Journey:
    """A packet's way (proto/journey.h): steps are dictionaries with point, ns, cpu and what else they say."""
    end: str
    steps: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    more: int = 0
    unsure: bool = False

    def points(self):
        return [step["point"] for step in self.steps]


@dataclass
class Capture:
    interfaces: list
    packets: list
    statistics: list
    rest: bytes  # an unfinished block at the end


def parse_meta(comment):
    """The grammar of proto/meta.h, strictly: values decoded, the stack as a list."""
    meta = {}
    for word in comment.split(" "):
        if not FIELD.match(word):
            raise ValueError(f"not a field of a comment: {word!r} in {comment!r}")
        key, value = word.split("=", 1)
        if key in meta:
            raise ValueError(f"field {key} is there twice: {comment!r}")
        parts = [urllib.parse.unquote(part) for part in value.split(",")]
        meta[key] = parts if key == "stack" else ",".join(parts)
    return meta


STAYS = ("dev", "ifindex", "netns", "pid", "skb")  # until another step says otherwise


def parse_step(value, before):
    point, ns, cpu, *words = value.split(",")
    step = {name: before[name] for name in STAYS if name in before}
    step.update(point=urllib.parse.unquote(point), ns=int(ns), cpu=int(cpu))
    for word in words:
        name, text = word.split(":", 1)
        step[name] = urllib.parse.unquote(text)
    return step


def parse_journey(comment):
    """The grammar of proto/journey.h, strictly."""
    words = [word.split("=", 1) for word in comment.split(" ")]
    if words[0][0] != "journey":
        raise ValueError(f"not a packet's way: {comment!r}")
    way = Journey(words[0][1])
    for key, value in words[1:]:
        if key == "step":
            way.steps.append(parse_step(value, way.steps[-1] if way.steps else {}))
        elif key == "stack":
            way.steps[-1]["stack"] = [urllib.parse.unquote(frame) for frame in value.split(",")]
        elif key == "missing":
            way.missing = [urllib.parse.unquote(point) for point in value.split(",")]
        elif key == "more":
            way.more = int(value)
        elif key == "unsure":
            way.unsure = value == "1"
        else:
            raise ValueError(f"unknown field {key} in a packet's way: {comment!r}")
    return way


def parse_options(data, order):
    """By their codes; of a code that comes again, the second is under minus it."""
    options = {}
    while len(data) >= 4:
        code, length = struct.unpack(order + "HH", data[:4])
        if code == 0:
            break
        options.setdefault(-code if code in options else code, data[4:4 + length])
        data = data[4 + (length + 3 & ~3):]
    return options


def blocks(data):
    """Yields (type, body, byte order); the last is (None, unfinished bytes, order)."""
    order, start = "<", 0
    while len(data) - start >= 12:
        kind, length = struct.unpack_from(order + "II", data, start)
        if kind == SECTION:
            order = "<" if data[start + 8:start + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            length, = struct.unpack_from(order + "I", data, start + 4)
        if length < 12 or length % 4:
            raise ValueError(f"block of type {kind:#x} with length {length}")
        end = start + length
        if end > len(data):
            break
        if struct.unpack_from(order + "I", data, end - 4)[0] != length:
            raise ValueError(f"block of type {kind:#x}: the two lengths differ")
        yield kind, data[start + 8:end - 4], order
        start = end
    yield None, data[start:], order


def parse(data):
    capture = Capture([], [], [], b"")
    for kind, body, order in blocks(data):
        if kind is None:
            capture.rest = body
        elif kind == INTERFACE:
            link, _, snaplen = struct.unpack(order + "HHI", body[:8])
            capture.interfaces.append(Interface(link, snaplen, parse_options(body[8:], order)))
        elif kind == PACKET:
            capture.packets.append(parse_packet(capture, body, order))
        elif kind == STATISTICS:
            capture.statistics.append(parse_options(body[12:], order))
    return capture


def parse_packet(capture, body, order):
    number, high, low, cap_len, wire_len = struct.unpack(order + "IIIII", body[:20])
    interface = capture.interfaces[number]
    if interface.options.get(9, b"\x06")[0] != 9:
        raise ValueError("timestamps are not in nanoseconds")
    options = parse_options(body[20 + (cap_len + 3 & ~3):], order)
    comment, journey = options.get(1, b"").decode(), options.get(-1, b"").decode()
    return Packet(interface, high << 32 | low, wire_len, body[20:20 + cap_len], comment,
                  parse_meta(comment) if comment else {}, parse_journey(journey) if journey else None)
