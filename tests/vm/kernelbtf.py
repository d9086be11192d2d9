#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The types of a kernel in the cache, for tests that compile for another kernel: kernelbtf.py VMLINUZ OUT.

A kernel's image holds its ELF file, compressed in one of several ways. The BTF in it is found by its own magic number.
"""
import gzip
import lzma
import shutil
import struct
import subprocess
import sys

MAGIC = struct.pack("<HBBI", 0xeb9f, 1, 0, 24)  # struct btf_header: magic, version, flags, hdr_len


def unpack(image):
    """The ELF file. ValueError: it is packed in a way that is not known here."""
    for magic, unpacker in ((b"\xfd7zXZ\0", lambda data: lzma.LZMADecompressor().decompress(data)),
                            (b"\x1f\x8b\x08\0", lambda data: gzip.zlib.decompressobj(31).decompress(data)),
                            (b"\x28\xb5\x2f\xfd", unpack_zstd)):
        at = image.find(magic)
        while at >= 0:
            try:
                data = unpacker(image[at:])
            except Exception:  # pylint: disable=broad-exception-caught  # these bytes mean something else there
                data = b""
            if data[:4] == b"\x7fELF":
                return data
            at = image.find(magic, at + 1)
    raise ValueError("no ELF file is in the kernel's image")


def unpack_zstd(data):
    if not shutil.which("zstd"):
        raise ValueError("zstd is not installed")
    # what follows the frame is no error of it
    return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False).stdout


def find_btf(elf):
    at = elf.find(MAGIC)
    while at >= 0:
        type_at, type_len, text_at, text_len = struct.unpack_from("<4I", elf, at + 8)
        if type_at == 0 and text_at == type_len and type_len > 1 << 20:
            return elf[at:at + 24 + text_at + text_len]
        at = elf.find(MAGIC, at + 1)
    raise ValueError("the kernel has no BTF")


def main(image_path, out_path):
    with open(image_path, "rb") as file:
        btf = find_btf(unpack(file.read()))
    with open(out_path, "wb") as file:
        file.write(btf)


if __name__ == "__main__":
    main(*sys.argv[1:])
