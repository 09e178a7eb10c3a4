"""Landlock: which files a process, and all that it starts, may write to, for good and without any privilege."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress

from attache.workspace.view import kernel

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_CHANGES = sum(1 << bit for bit in range(4, 13)) | WRITE_FILE  # remove, make of every kind, and write
_OF_FILES = WRITE_FILE | TRUNCATE | IOCTL_DEV | EXECUTE | READ_FILE
_SCOPES = 0b11  # abstract sockets and signals stay inside


def abi() -> int:
    """Return the version of Landlock that this kernel has, 0 where it has none."""
    try:
        return kernel.call(_CREATE, None, 0, 1)
    except OSError:
        return 0


def confine(writable: Iterable[str], readable: Iterable[str] = ("/",), *, scoped: bool = True) -> None:
    """Let this process and its children write only below `writable` and read only below `readable`.

    Paths that are not there are passed over. `no_new_privs` must be set. Raises OSError.
    """
    version = abi()
    changes = _CHANGES | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)  # noqa: PLR2004 - ABIs
    changes |= IOCTL_DEV if version >= 5 else 0  # noqa: PLR2004 - an ABI
    reads = EXECUTE | READ_FILE | READ_DIR
    scopes = _SCOPES if scoped and version >= 6 else 0  # noqa: PLR2004 - an ABI
    fields = struct.pack("=QQQ", changes | reads, 0, scopes)
    size = 24 if version >= 6 else 16 if version >= 4 else 8  # noqa: PLR2004 - ABIs
    ruleset = kernel.call(_CREATE, ctypes.create_string_buffer(fields[:size]), size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, reads)
        for path in writable:
            _allow(ruleset, path, changes | reads)
        kernel.call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                rights &= _OF_FILES
            rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd))
            kernel.call(_ADD_RULE, ruleset, 1, rule, 0)
        finally:
            os.close(fd)
