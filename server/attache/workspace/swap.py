"""Two names of a folder change places in one step, or one moves to a name that is free: nothing is ever overwritten.

What another program wrote a moment before is thereby set aside, where it can be seen and put back, instead of lost.
Linux and macOS have system calls for both. Elsewhere, and on file systems that lack them, links and renames do the same
in several steps: `settle` ends what a crash left half done, but a file that another program moves to the name between
two of these steps is overwritten.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from attache.workspace.paths import Folder

FREE, EXCHANGE = ("free", "exchange")
_FLAGS = {  # the function and its flags, as <linux/fs.h> and <sys/stdio.h> have them
    "linux": ("renameat2", {FREE: 1, EXCHANGE: 2}),
    "darwin": ("renameatx_np", {FREE: 4, EXCHANGE: 2}),
}
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


def exchange(folder: Folder, one: str, other: str) -> None:
    """Let two names of a folder change places; raises FileNotFoundError where either is free."""
    if _in_one_step(folder, one, other, EXCHANGE):
        return
    aside = _aside(other)
    try:
        link(folder, one, folder, aside)
    except FileNotFoundError:
        raise
    except OSError:  # no links here: for a moment nothing has the name
        _rename(folder, one, aside)
    _rename(folder, other, one)
    _rename(folder, aside, other)


def move(folder: Folder, name: str, new: str) -> None:
    """Give a file a name that is free; raises FileExistsError where it is not, FileNotFoundError where no file is."""
    if _in_one_step(folder, name, new, FREE):
        return
    try:
        link(folder, name, folder, new)
        folder.unlink(name)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # no links here
        if folder.stat(new) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
        _rename(folder, name, new)


def settle(folder: Folder, one: str, other: str) -> None:
    """End what was cut off in the middle of its steps; whether it then has happened is for the caller to see."""
    aside = _aside(other)
    if folder.stat(aside) is not None:
        if folder.stat(one) is None:
            _rename(folder, aside, one)
        elif folder.stat(other) is None:
            _rename(folder, aside, other)
        else:
            folder.unlink(aside)
    here, there = folder.stat(one), folder.stat(other)
    if here is not None and there is not None and os.path.samestat(here, there):
        folder.unlink(other)


def link(folder: Folder, name: str, into: Folder, new: str) -> None:
    """Give a file a second name, one that is free; raises OSError where the file system has no such thing."""
    if folder.fd is None or into.fd is None:
        os.link(folder.at(name), into.at(new))
    else:
        os.link(name, new, src_dir_fd=folder.fd, dst_dir_fd=into.fd, follow_symlinks=False)


def _rename(folder: Folder, name: str, new: str) -> None:
    os.replace(folder.at(name), folder.at(new), src_dir_fd=folder.fd, dst_dir_fd=folder.fd)


def _aside(name: str) -> str:
    return f"{name}~"


def _in_one_step(folder: Folder, name: str, new: str, how: str) -> bool:
    """Return whether the system did it; False where it, or the file system, cannot."""
    call, flags = _system_call()
    if call is None or folder.fd is None:
        return False
    ctypes.set_errno(0)
    if call(folder.fd, os.fsencode(name), folder.fd, os.fsencode(new), flags[how]) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), name, None, new)


@cache
def _system_call() -> tuple[Callable[..., int] | None, dict[str, int]]:
    name, flags = _FLAGS.get(sys.platform, ("", {}))
    with suppress(AttributeError, OSError):
        if name:
            call = getattr(ctypes.CDLL(None, use_errno=True), name)
            call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
            return call, flags
    return None, flags
