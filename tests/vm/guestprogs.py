# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel made of BPF programs, of which bpftool shows nothing without a disassembler (bpf(2))."""
import ctypes
import errno
import os
import struct

from guesttap import Failed

SYS_BPF = 321
PROG_GET_NEXT_ID, PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD = 11, 13, 15
INFO = struct.Struct("<II8sIIQQQIIQ16s")  # the begin of struct bpf_prog_info
# add %gs:this_cpu_off, %r9: what only programs with a stack for each CPU begin with (emit_private_frame_ptr())
CPU_STACK = bytes.fromhex("654c030c25")


def _bpf(command, attributes):
    call = ctypes.CDLL(None, use_errno=True).syscall
    done = call(SYS_BPF, command, attributes, len(attributes))
    if done < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return done


def _programs():
    number = 0
    while True:
        attributes = ctypes.create_string_buffer(struct.pack("<III", number, 0, 0))
        try:
            _bpf(PROG_GET_NEXT_ID, attributes)
        except OSError as why:
            if why.errno == errno.ENOENT:
                return
            raise
        number = struct.unpack_from("<I", attributes, 4)[0]
        yield _bpf(PROG_GET_FD_BY_ID, ctypes.create_string_buffer(struct.pack("<III", number, 0, 0)))


def _info(fd, size):
    """Name, length and machine code, of which size bytes are asked for."""
    code = ctypes.create_string_buffer(max(size, 1))
    info = ctypes.create_string_buffer(
        INFO.pack(0, 0, b"", size, 0, ctypes.addressof(code) if size else 0, 0, 0, 0, 0, 0, b""))
    _bpf(OBJ_GET_INFO_BY_FD, ctypes.create_string_buffer(struct.pack("<IIQ", fd, INFO.size, ctypes.addressof(info))))
    fields = INFO.unpack_from(info)
    return fields[-1].rstrip(b"\0").decode(), fields[3], code.raw[:size]


def machine_code(name):
    """That of each program of that name."""
    found = []
    for fd in _programs():
        try:
            called, size, _ = _info(fd, 0)
            if called == name:
                found.append(_info(fd, size)[2])
        finally:
            os.close(fd)
    if not found or not all(found):
        raise Failed(f"machine code of programs {name} was due, and there is {[len(code) for code in found]}")
    return found
