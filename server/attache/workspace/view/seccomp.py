"""Seccomp: which system calls a command may not make, as the small program that the kernel asks at each of them."""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Iterable, Sequence

from attache.workspace.view import kernel

_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _AT_ARCH, _ARGUMENTS = 0, 4, 16
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: they type into the user's terminal

_CLONE, _SOCKET, _IOCTL = ({"x86_64": pair[0], "aarch64": pair[1]} for pair in ((56, 220), (41, 198), (16, 29)))
_MISSING = {"x86_64": (435, 425, 426, 427), "aarch64": (435, 425, 426, 427)}
"""Answered as if this kernel did not have them: clone3, whose flags cannot be looked at, and io_uring, which would do
unasked what is refused here; programs then take the older ways."""
_REFUSED = {
    "x86_64": (
        272, 308, 165, 166, 155, 161, 428, 429, 430, 431, 432, 433, 442,  # namespaces and mounts
        101, 310, 311, 438, 312,  # ptrace and the memory of others
        321, 298, 323, 250, 248, 249,  # bpf, perf, userfaultfd, keys
        246, 320, 175, 313, 176, 169, 167, 168, 163, 164, 227, 305, 159, 179, 443, 303, 304, 103, 153, 172, 173,
        135, 134, 180, 212, 170, 171,
    ),
    "aarch64": (
        97, 268, 40, 39, 41, 51, 428, 429, 430, 431, 432, 433, 442,
        117, 270, 271, 438, 272,
        280, 241, 282, 219, 217, 218,
        104, 294, 105, 273, 106, 142, 224, 225, 89, 170, 112, 266, 171, 60, 443, 264, 265, 116, 58,
        92, 42, 18, 161, 162,
    ),
}  # fmt: skip
"""In this order: unshare setns mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick
mount_setattr; ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp; bpf perf_event_open userfaultfd keyctl
add_key request_key; kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff acct
settimeofday clock_settime clock_adjtime adjtimex quotactl quotactl_fd name_to_handle_at open_by_handle_at syslog
vhangup
(iopl ioperm) personality (uselib) nfsservctl lookup_dcookie sethostname setdomainname."""

Line = tuple[int, int, int, int]


def program(families: Sequence[int]) -> bytes:
    """Return the filter for this machine; sockets may be of the families alone, and pairs of any kind."""
    machine = kernel.machine()
    lines: list[Line] = [
        (_LOAD, 0, 0, _AT_ARCH),
        (_JEQ, 1, 0, _ARCH[machine]),
        _refuse(errno.EPERM),
        (_LOAD, 0, 0, _NR),
    ]
    if machine == "x86_64":
        lines += [(_JGE, 0, 1, _X32), _refuse(errno.ENOSYS)]
    for number in _MISSING[machine]:
        lines += [(_JEQ, 0, 1, number), _refuse(errno.ENOSYS)]
    for number in _REFUSED[machine]:
        lines += [(_JEQ, 0, 1, number), _refuse(errno.EPERM)]
    lines += _when(_CLONE[machine], [*_argument(0), (_JSET, 0, 1, _NAMESPACES), _refuse(errno.EPERM)])
    lines += _when(_IOCTL[machine], [*_argument(1), *_each(_TERMINAL_INPUT, _refuse(errno.EPERM))])
    lines += _when(_SOCKET[machine], _sockets(families))
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", code, yes, no, value) for code, yes, no, value in lines)


def install(filter_: bytes) -> None:
    """Put this process and its children under the filter, for good; raises OSError."""
    code = ctypes.create_string_buffer(filter_)
    head = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", len(filter_) // 8, ctypes.addressof(code)))
    kernel.call(_SECCOMP[kernel.machine()], 1, 0, head)


def _sockets(families: Sequence[int]) -> list[Line]:
    """Allow the families; netlink for its first protocol alone, which lists the interfaces."""
    netlink = int(getattr(socket, "AF_NETLINK", 16))
    allowed: Line = (_RETURN, 0, 0, _ALLOW)
    lines = [*_argument(0), *_each([family for family in families if family != netlink], allowed)]
    if netlink in families:
        lines += [(_JEQ, 0, 3, netlink), *_argument(2), (_JEQ, 0, 1, 0), allowed]
    return [*lines, _refuse(errno.EAFNOSUPPORT)]


def _each(values: Iterable[int], then: Line) -> list[Line]:
    return [line for value in values for line in ((_JEQ, 0, 1, value), then)]


def _when(number: int, lines: list[Line]) -> list[Line]:
    """Do the lines for one system call; the number is loaded before and after."""
    return [(_JEQ, 0, len(lines) + 1, number), *lines, (_LOAD, 0, 0, _NR)]


def _argument(index: int) -> list[Line]:
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * index)]


def _refuse(code: int) -> Line:
    return _RETURN, 0, 0, _ERRNO | code
