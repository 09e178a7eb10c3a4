"""Linux system calls that Python has no function for: namespaces, detached mounts, capabilities."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from contextlib import suppress
from functools import cache

MACHINES = ("x86_64", "aarch64")
"""Machines whose table of system calls is known here; on others no namespaces are tried."""

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_SLAVE = 1, 2, 4, 8, 0x4000, 0x80000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
EMPTY_PATH, RECURSIVE, CLONE, CLOEXEC = 0x1000, 0x8000, 1, 0o2000000
AT_FDCWD = -100
PDEATHSIG, DUMPABLE, CAPBSET_DROP, SUBREAPER, NO_NEW_PRIVS = 1, 4, 24, 36, 38
FSCONFIG_FLAG, FSCONFIG_STRING, FSCONFIG_CREATE = 0, 1, 6
KEPT_BY_ROOT = (0, 1, 3, 4)  # CHOWN, DAC_OVERRIDE, FOWNER, FSETID: what root needs to work with files of others
LAST_CAP = 63

_CLONE = {"x86_64": 56, "aarch64": 220}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_OPEN_TREE, _MOVE_MOUNT, _FSOPEN, _FSCONFIG, _FSMOUNT, _MOUNT_SETATTR = 428, 429, 430, 431, 432, 442


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


@cache
def libc() -> ctypes.CDLL:
    """Return the C library, its `syscall` returning a long."""
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | ctypes.Structure | None) -> int:
    """Make a system call; raises OSError."""
    values: list[object] = []
    for each in arguments:
        match each:
            case int():
                values.append(ctypes.c_long(each))
            case bytes() | None:
                values.append(ctypes.c_char_p(each))
            case _:
                values.append(ctypes.byref(each))
    result: int = libc().syscall(ctypes.c_long(number), *values)
    return checked(result)


def checked(result: int) -> int:
    """Return the result of a call into C; raises OSError where it is negative."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def machine() -> str:
    """Return the kind of machine."""
    return os.uname().machine


def fork_into(namespaces: int) -> int:
    """Fork into new namespaces and return as `os.fork`; only for a process with a single thread."""
    return call(_CLONE[machine()], namespaces | 17, 0, 0, 0, 0)


def prctl(option: int, value: int = 0) -> None:
    """Set a property of this process; raises OSError."""
    checked(libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)))


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount in the old way; raises OSError."""
    named = None if kind is None else kind.encode()
    checked(
        libc().mount(
            os.fsencode(source), os.fsencode(target), named, ctypes.c_ulong(flags), data.encode() if data else None
        )
    )


def overlay(lowers: list[int], upper: int, work: int) -> int:
    """Return a detached overlay of open folders, the topmost lower one first; raises OSError."""
    fs = call(_FSOPEN, b"overlay", 1)
    try:
        settings = {
            "lowerdir": ":".join(f"/proc/self/fd/{fd}" for fd in lowers),
            "upperdir": f"/proc/self/fd/{upper}",
            "workdir": f"/proc/self/fd/{work}",
        }
        for name, value in settings.items():
            call(_FSCONFIG, fs, FSCONFIG_STRING, name.encode(), value.encode(), 0)
        call(_FSCONFIG, fs, FSCONFIG_FLAG, b"userxattr", None, 0)
        call(_FSCONFIG, fs, FSCONFIG_CREATE, None, None, 0)
        return call(_FSMOUNT, fs, 1, ATTR_NOSUID | ATTR_NODEV)
    finally:
        os.close(fs)


def tree(path: str) -> int:
    """Return a detached copy of a folder or file with what is mounted below it; raises OSError."""
    return call(_OPEN_TREE, AT_FDCWD, os.fsencode(path), CLONE | CLOEXEC | RECURSIVE)


def restrict(fd: int, path: str, attributes: int) -> None:
    """Add restrictions to a mount and all below it, by descriptor (path empty) or by path; raises OSError."""
    attr = _MountAttr(attributes, 0, 0, 0)
    flags = RECURSIVE | (0 if path else EMPTY_PATH)
    call(_MOUNT_SETATTR, fd if fd >= 0 else AT_FDCWD, os.fsencode(path), flags, attr, ctypes.sizeof(attr))


def attach(fd: int, path: str) -> None:
    """Mount a detached tree on a path; raises OSError."""
    call(_MOVE_MOUNT, fd, b"", AT_FDCWD, os.fsencode(path), 4)
    os.close(fd)


def raise_loopback() -> None:
    """Let 127.0.0.1 answer in a fresh network namespace; raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        fcntl.ioctl(door, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))


def drop_capabilities(kept: tuple[int, ...] = ()) -> None:
    """Give up all capabilities but the kept ones, for good; raises OSError."""
    for number in range(LAST_CAP + 1):
        if number not in kept:
            with suppress(OSError):  # past the last that this kernel knows, or not ours to drop
                prctl(CAPBSET_DROP, number)
    mask = sum(1 << number for number in kept)
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    data = ctypes.create_string_buffer(struct.pack("=6I", mask, mask, 0, 0, 0, 0))
    call(_CAPSET[machine()], header, data)
