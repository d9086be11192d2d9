#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the objects of corpus/userobject that are made by hand, good ones and such as no compiler makes.

handmade.py NETCAPCTL TYPES OUT: TYPES is tests/fuzz/usertypes.c, compiled with OTHER. What netcapd says of each of them
is in tests/integration/test_userobjects.py.
"""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

HEAD = "static inline int xcap_user_{}(void *ctx, void *pkt, {}u16 trace_index)\n"
FILTER = HEAD.format("filter", "")
ACTION = HEAD.format("action", "u32 pkt_len, struct xcap_user_extend *user, ")

GOOD = {
    "mark": FILTER + "{ struct sk_buff *skb = pkt; return skb->mark == 7 && skb->dev->mtu; }",
    "functions": "struct pair { u64 a, b; };\n"
                 "static __attribute__((noinline)) int sum(struct pair *p, void *at) { return p->a + p->b + *(u32 *)at; }\n"
                 + FILTER.replace("user", "ext").replace("ctx", "ext") +
                 "{ struct pair p = { trace_index, (u64)ext }; return sum(&p, pkt) + sum(&p, pkt + 8); }",
    "action": "enum state { A = 1, B = -70000 };\nstruct xcap_user_extend {\n\tu8 a; // format: 0x%x\n\tchar text[8];\n"
              "\tenum state state;\n\tstruct { u16 x, y[2]; } in;\n\tu32 low : 3, high : 5;\n\tvoid *at;\n\tbool yes;\n};\n"
              + ACTION + "{ struct sk_buff *skb = pkt; user->a = skb->len; user->state = B; user->at = skb->sk; "
              "user->low = skb->sk->counts[trace_index & 3]; bpf_probe_read_kernel_str(user->text, 8, skb->dev->name); "
              "return 1; }",
    "tables": "static const u16 ports[] = {80, 443, 53, 22};\n"
              "static const char names[][4] = {\"one\", \"two\"};\n" + FILTER +
              "{ u32 i = ((struct sk_buff *)pkt)->mark & 3; bpf_printk(\"%s\", names[i & 1]); return ports[i] == i; }",
    "relocations": FILTER + "{ struct sk_buff *skb = pkt; return BPF_CORE_READ_BITFIELD(skb, cloned) + "
                   "bpf_core_field_exists(skb->mark) + bpf_core_type_size(struct sock) + "
                   "bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_MAX); }",
    "loop": FILTER + "{ u32 *at = pkt, n = 0; for (int i = 0; i < 100; i++) n ^= at[i & trace_index]; return n; }",
}
MORE = {  # what libbpf knows, and user code has not; netcapctl makes no objects with some of these sections (put_names())
    "map": "struct { int (*type)[2]; u32 *key; u64 *value; int (*max_entries)[8]; } counts SEC(\".mapz\");\n"
           "static void *(*const look)(void *, const void *) = (void *)1;\n" + FILTER +
           "{ u32 key = trace_index; return look(&counts, &key) != NULL; }",
    "oldmap": "struct { u32 type, key, value, max, flags; } counts SEC(\"mapz\") = {2, 4, 8, 1, 0};\n"
              "static void *(*const look)(void *, const void *) = (void *)1;\n" + FILTER +
              "{ u32 key = trace_index; return look(&counts, &key) != NULL; }",
    "variable": "u64 count;\n" + FILTER + "{ return ++count & 1; }",
    "config": "extern int CONFIG_HZ __attribute__((section(\".kconfig\")));\n" + FILTER + "{ return CONFIG_HZ; }",
    "symbol": "extern const void jiffies __attribute__((section(\".ksyms\")));\n" + FILTER + "{ return (u64)&jiffies; }",
    "kfunc": "extern int bpf_nothing(void *p) __attribute__((section(\".ksyms\")));\n" + FILTER +
             "{ return bpf_nothing(pkt); }",
    "struct ops": "struct tcp_congestion_ops { u64 a; } ops SEC(\".struct_opz\");\n" + FILTER + "{ return 1; }",
    "callback": "static long (*const loop)(u32, void *, void *, u64) = (void *)181;\n"
                "static long turn(u32 i, void *c) { return i; }\n" + FILTER + "{ return loop(9, turn, ctx, 0); }",
}


def put_names(data):
    return data.replace(b"mapz\0", b"maps\0").replace(b".struct_opz\0", b".struct_ops\0")


class Object:
    """An ELF file of 64 bits, little-endian, whose parts can be overwritten."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.headers, = struct.unpack_from("<Q", data, 40)
        self.count, self.names = struct.unpack_from("<2H", data, 60)

    def put(self, at, form, *values):
        struct.pack_into("<" + form, self.data, at, *values)

    def get(self, at, form):
        return struct.unpack_from("<" + form, self.data, at)[0]

    def header(self, name):
        """Where the header of a section is."""
        texts = self.get(self.headers + 64 * self.names + 24, "Q")
        for i in range(self.count):
            at = texts + self.get(self.headers + 64 * i, "I")
            if self.data[at:self.data.index(0, at)] == name.encode():
                return self.headers + 64 * i
        raise KeyError(name)

    def start(self, name):
        return self.get(self.header(name) + 24, "Q")

    def size(self, name):
        return self.get(self.header(name) + 32, "Q")

    def types(self):
        """Where each type is, by number; numbers begin with 1."""
        start = self.start(".BTF")
        at = start + self.get(start + 4, "I") + self.get(start + 8, "I")
        end = at + self.get(start + 12, "I")
        found = [None]
        while at < end:
            found.append(at)
            info = self.get(at + 4, "I")
            kind, count = info >> 24 & 31, info & 0xffff
            at += 12 + {1: 4, 3: 12, 4: 12 * count, 5: 12 * count, 6: 8 * count, 13: 8 * count, 14: 4, 15: 12 * count,
                        17: 4, 19: 12 * count}.get(kind, 0)
        return found

    def type(self, kind, name=None):
        """The number of a type."""
        start = self.start(".BTF")
        texts = start + self.get(start + 4, "I") + self.get(start + 16, "I")
        for number, at in enumerate(self.types()):
            if at and self.get(at + 4, "I") >> 24 & 31 == kind:
                text = texts + self.get(at, "I")
                if name is None or self.data[text:self.data.index(0, text)] == name.encode():
                    return number, at
        raise KeyError(name)

    def ext(self, what):
        """Where records of .BTF.ext begin: their size, the first section's name and count, then they."""
        start = self.start(".BTF.ext")
        offset = {"functions": 8, "lines": 16, "relocations": 24}[what]
        return start + self.get(start + 4, "I") + self.get(start + offset, "I")

    def relocations(self, section):
        return self.start(".rel" + section)

    def text(self, offset, text):
        """Writes over a text of the types."""
        start = self.start(".BTF")
        at = start + self.get(start + 4, "I") + self.get(start + 16, "I") + offset
        self.data[at:at + len(text) + 1] = text.encode() + b"\0"


F, A = "netcap/filter", "netcap/action"
DAMAGE = {
    # name: (the good object it is made of, what is done to it)
    "no-sections": ("mark", lambda o: o.put(60, "H", 0)),
    "many-sections": ("mark", lambda o: o.put(60, "H", 0xfeff)),
    "cut-headers": ("mark", lambda o: o.data.__delitem__(slice(o.headers + 100, None))),
    "far-headers": ("mark", lambda o: o.put(40, "Q", 1 << 62)),
    "far-names": ("mark", lambda o: o.put(62, "H", 0xfff0)),
    "far-name": ("mark", lambda o: o.put(o.header(F), "I", 1 << 30)),
    "long-code": ("mark", lambda o: o.put(o.header(F) + 32, "Q", 1 << 40)),
    "odd-code": ("mark", lambda o: o.put(o.header(F) + 32, "Q", o.size(F) - 3)),
    "no-code": ("mark", lambda o: o.put(o.header(F) + 32, "Q", 0)),
    "symbols-of-nothing": ("mark", lambda o: o.put(o.header(".symtab") + 40, "I", 99)),
    "odd-symbols": ("mark", lambda o: o.put(o.header(".symtab") + 56, "Q", 7)),
    "symbol-of-no-section": ("functions", lambda o: [o.put(o.start(".symtab") + 24 * i + 6, "H", 0x7777) for i in range(
        1, o.size(".symtab") // 24)]),
    "symbol-beyond-code": ("functions", lambda o: [o.put(o.start(".symtab") + 24 * i + 8, "Q", 1 << 33) for i in range(
        1, o.size(".symtab") // 24)]),
    "relocations-of-nothing": ("functions", lambda o: o.put(o.header(".rel" + F + ".arg") + 44, "I", 99)),
    "relocation-beyond-code": ("functions", lambda o: o.put(o.relocations(F + ".arg"), "Q", 1 << 40)),
    "relocation-of-half": ("functions", lambda o: o.put(o.relocations(F + ".arg"), "Q", 4)),
    "relocation-of-no-symbol": ("functions", lambda o: o.put(o.relocations(F + ".arg") + 12, "I", 0xffffff)),
    "relocation-of-a-kind": ("functions", lambda o: o.put(o.relocations(F + ".arg") + 8, "I", 77)),
    "relocated-table-beyond": ("tables", lambda o: o.put(o.start(".rodata") - 0, "Q", 0)),
    "types-of-another-kind": ("mark", lambda o: o.put(o.start(".BTF"), "H", 0x1234)),
    "types-far": ("mark", lambda o: o.put(o.start(".BTF") + 8, "I", 0x7fffffff)),
    "types-long": ("mark", lambda o: o.put(o.start(".BTF") + 12, "I", 0xfffffff0)),
    "texts-far": ("mark", lambda o: o.put(o.start(".BTF") + 16, "I", 0xffffff00)),
    "type-of-itself": ("mark", lambda o: o.put(o.type(8)[1] + 8, "I", o.type(8)[0])),
    "pointer-to-itself": ("mark", lambda o: o.put(o.type(2)[1] + 8, "I", o.type(2)[0])),
    "structure-in-itself": ("action", lambda o: o.put(o.type(4, "xcap_user_extend")[1] + 12 + 4, "I",
                                                      o.type(4, "xcap_user_extend")[0])),
    "array-of-itself": ("action", lambda o: o.put(o.type(3)[1] + 12, "I", o.type(3)[0])),
    "array-without-end": ("action", lambda o: o.put(o.type(3)[1] + 20, "I", 0xffffffff)),
    "member-of-nothing": ("action", lambda o: o.put(o.type(4, "xcap_user_extend")[1] + 12 + 4, "I", 0xfffff)),
    "member-far": ("action", lambda o: o.put(o.type(4, "xcap_user_extend")[1] + 12 + 8, "I", 0xfffff8)),
    "members-many": ("action", lambda o: o.put(o.type(4, "xcap_user_extend")[1] + 4, "I", 0x0400ffff)),
    "structure-large": ("action", lambda o: o.put(o.type(4, "xcap_user_extend")[1] + 8, "I", 0xffffffff)),
    "enumerators-many": ("action", lambda o: o.put(o.type(6, "state")[1] + 4, "I", 0x0600ffff)),
    "name-far": ("action", lambda o: o.put(o.type(4, "xcap_user_extend")[1] + 12, "I", 0xfffffff)),
    "ext-head-long": ("mark", lambda o: o.put(o.start(".BTF.ext") + 4, "I", 0x10000)),
    "ext-functions-far": ("mark", lambda o: o.put(o.start(".BTF.ext") + 8, "I", 0xfffffff0)),
    "ext-lines-odd": ("mark", lambda o: o.put(o.start(".BTF.ext") + 16, "I", 3)),
    "ext-relocations-far": ("mark", lambda o: o.put(o.start(".BTF.ext") + 24, "I", 0x7fffff00)),
    "ext-relocations-long": ("mark", lambda o: o.put(o.start(".BTF.ext") + 28, "I", 0xfffffffc)),
    "records-of-nothing": ("mark", lambda o: o.put(o.ext("relocations"), "I", 0)),
    "records-huge": ("mark", lambda o: o.put(o.ext("relocations"), "I", 0xfffffff0)),
    "records-many": ("mark", lambda o: o.put(o.ext("relocations") + 8, "I", 0xffffffff)),
    "lines-many": ("mark", lambda o: o.put(o.ext("lines") + 8, "I", 0xffffffff)),
    "access-far": ("mark", lambda o: o.text(o.get(o.ext("relocations") + 12 + 8, "I"), "0:9999")),
    "access-negative": ("mark", lambda o: o.text(o.get(o.ext("relocations") + 12 + 8, "I"), "0:-1")),
    "access-words": ("mark", lambda o: o.text(o.get(o.ext("relocations") + 12 + 8, "I"), "::x:")),
    "access-deep": ("mark", lambda o: o.text(o.get(o.ext("relocations") + 12 + 8, "I"), "0" + 2 * ":0")),
    "access-huge": ("mark", lambda o: o.text(o.get(o.ext("relocations") + 12 + 8, "I"), "99999999999999999999:1")),
    "access-of-no-text": ("mark", lambda o: o.put(o.ext("relocations") + 12 + 8, "I", 0xffffff)),
    "access-of-no-type": ("mark", lambda o: o.put(o.ext("relocations") + 12 + 4, "I", 0xffffff)),
    "access-of-a-number": ("mark", lambda o: o.put(o.ext("relocations") + 12 + 4, "I", o.type(1)[0])),
    "access-odd": ("mark", lambda o: o.put(o.ext("relocations") + 12, "I", 5)),
    "access-beyond-code": ("mark", lambda o: o.put(o.ext("relocations") + 12, "I", 1 << 20)),
    "access-of-a-kind": ("mark", lambda o: o.put(o.ext("relocations") + 12 + 12, "I", 99)),
    "access-size": ("mark", lambda o: o.put(o.ext("relocations") + 12 + 12, "I", 1)),
    "unknown-helper": ("loop", lambda o: o.put(o.start(F), "BBhi", 0x85, 0, 0, 0x7fffffff)),
    "call-of-nothing": ("loop", lambda o: o.put(o.start(F), "BBhi", 0x85, 0x10, 0, 0x10000)),
    "call-backwards": ("loop", lambda o: o.put(o.start(F), "BBhi", 0x85, 0x10, 0, -100)),
    "call-of-itself": ("loop", lambda o: o.put(o.start(F) + 8, "BBhi", 0x85, 0x10, 0, -2)),
    "call-of-kfunc": ("loop", lambda o: o.put(o.start(F), "BBhi", 0x85, 0x20, 0, 1)),
    "jump-out": ("loop", lambda o: o.put(o.start(F), "BBhi", 5, 0, 0x7fff, 0)),
    "jump-for-ever": ("loop", lambda o: o.put(o.start(F), "BBhi", 5, 0, -1, 0)),
    "map-by-number": ("loop", lambda o: o.put(o.start(F), "BBhiBBhi", 0x18, 0x10, 0, 3, 0, 0, 0, 0)),
    "map-value-by-number": ("loop", lambda o: o.put(o.start(F), "BBhiBBhi", 0x18, 0x20, 0, 3, 0, 0, 0, 64)),
    "half-a-constant": ("loop", lambda o: o.put(o.start(F) + o.size(F) - 8, "BBhi", 0x18, 0, 0, 3)),
    "register-of-none": ("loop", lambda o: o.put(o.start(F), "BBhi", 0xbf, 0xff, 0, 0)),
    "opcode-of-none": ("loop", lambda o: o.put(o.start(F), "BBhi", 0xff, 0, 0, 0)),
    "no-end": ("loop", lambda o: o.put(o.start(F) + o.size(F) - 8, "BBhi", 0xb7, 0, 0, 0)),
    "formats-open": ("action", lambda o: o.put(o.header("netcap.format") + 32, "Q", 1)),
    "formats-nothing": ("action", lambda o: o.put(o.header("netcap.format") + 32, "Q", 0)),
    "formats-bad": ("action", lambda o: o.put(o.start("netcap.format"), "7s", b"a=%s%n\0")),
    "other-machine": ("mark", lambda o: o.put(18, "H", 62)),
    "other-order": ("mark", lambda o: o.put(5, "B", 2)),
    "no-types": ("mark", lambda o: o.put(o.header(".BTF"), "I", o.get(o.header(".BTF.ext"), "I") + 4)),
}


def main(client, types, out):
    out = pathlib.Path(out)
    with tempfile.TemporaryDirectory() as directory:
        def compiled(name, code):
            source = pathlib.Path(directory) / "x.c"
            source.write_text(code + "\n")
            made = pathlib.Path(directory) / "x.o"
            subprocess.run([client, "compile", "x.c", "--btf", types, "-o", "x.o"], check=True, cwd=directory,
                           env={**os.environ, "XDG_CACHE_HOME": directory})
            (out / f"made-{name}.o").write_bytes(put_names(made.read_bytes()))
            return made.read_bytes()

        good = {name: compiled(name, code) for name, code in GOOD.items()}
        for name, code in MORE.items():
            compiled(name.replace(" ", "-"), code)
    for name, (base, damage) in DAMAGE.items():
        o = Object(good[base])
        damage(o)
        (out / f"made-{name}.o").write_bytes(o.data)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3])
