"""Opening beneath a folder, out of which neither `..` nor a link leads: by Linux's openat2, elsewhere by a walk."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from typing import NamedTuple

from attache.schema.errors import PathRefused

MAX_LINKS = 40  # as Linux has it
ATTEMPTS = 8  # how often a walk starts again because a name turned into a link, or back, under its hands

# ---------------------------------------------------------------- the kernel's way

OPENAT2 = 437
NUMBERED_SO = frozenset({"x86_64", "aarch64", "armv7l", "i686", "riscv64", "ppc64le", "s390x", "loongarch64"})
"""Machines whose table of system calls is known to have openat2 at 437; on others we do not try."""

NO_MAGICLINKS = 0x02  # RESOLVE_NO_MAGICLINKS: those of /proc, which lead anywhere
BENEATH = 0x08  # RESOLVE_BENEATH: neither "..", nor a link, nor an absolute path gets out


class _How(ctypes.Structure):
    """The kernel's struct open_how."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


@cache
def kernel_can() -> bool:
    """Return whether this kernel, and the sandbox we may run in, lets us call openat2."""
    if not hasattr(os, "uname") or os.uname().sysname != "Linux" or os.uname().machine not in NUMBERED_SO:
        return False
    folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.close(open_by_kernel(folder, ".", os.O_RDONLY | os.O_DIRECTORY))
    except OSError:
        return False
    finally:
        os.close(folder)
    return True


def open_by_kernel(folder: int, path: str, flags: int, mode: int = 0) -> int:
    """Open `path` beneath the open `folder`; raises OSError, with EXDEV where the path leads out."""
    how = _How(flags | os.O_CLOEXEC, mode if flags & os.O_CREAT else 0, BENEATH | NO_MAGICLINKS)
    libc = _libc()
    descriptor: int = libc.syscall(
        ctypes.c_long(OPENAT2),
        ctypes.c_int(folder),
        ctypes.c_char_p(os.fsencode(path)),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)
    return descriptor


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


# ---------------------------------------------------------------- the walk


class Spot(NamedTuple):
    """Where a path really leads, its links followed: a folder held open, and a name in it that is no link."""

    fd: int
    folder: str
    """The folder's own path relative to the root, empty for the root itself."""
    name: str
    """The last name, or "." where the path leads to the folder itself."""


def leads_out(path: str, root: str) -> PathRefused:
    """Return the error for a path that leaves its root."""
    return PathRefused(f"{path} lies outside {root}", hint="name a path inside the workspace")


def open_by_walk(root_fd: int, root: str, path: str, flags: int, mode: int) -> int:
    """Open `path` beneath the root; never through a link that leads out, even one put there meanwhile."""
    for attempt in range(ATTEMPTS):
        try:
            with spot(root_fd, root, path) as place:
                return os.open(place.name, flags | os.O_NOFOLLOW, mode, dir_fd=place.fd)
        except OSError as error:
            if error.errno not in {errno.ELOOP, errno.EMLINK, errno.ENOTDIR} or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


@contextmanager
def spot(root_fd: int, root: str, path: str, *, create: bool = False, follow: bool = True) -> Generator[Spot]:
    """Yield where `path` really leads; `create` makes the folders on the way that are not there.

    Without `follow`, the last name is taken for itself, be it a link.

    Each folder is opened by its name in the one before, never as a link, and `..` goes back to the one that was opened:
    so nothing that moves meanwhile changes where we are. Links are read as text and walked the same way.
    """
    with ExitStack() as held:
        way: list[tuple[int, str]] = [(root_fd, "")]
        names = path.split("/")[::-1]
        links = 0
        while names:
            name = names.pop()
            fd, _ = way[-1]
            if name in {"", "."}:
                continue
            if name == "..":
                if len(way) == 1:
                    raise leads_out(path, root)
                way.pop()
                continue
            last = not any(rest not in {"", "."} for rest in names)
            target = None if last and not follow else _link(name, fd)
            if target is not None:
                links += 1
                if links > MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                if target.startswith("/"):
                    target = _inside(root, target, path)
                    del way[1:]
                names.extend(target.split("/")[::-1])
                continue
            if last:
                yield Spot(fd, "/".join(part for _, part in way[1:]), name)
                return
            entered = _enter(name, fd, create=create)
            held.callback(os.close, entered)
            way.append((entered, name))
        yield Spot(way[-1][0], "/".join(part for _, part in way[1:]), ".")


def _link(name: str, fd: int) -> str | None:
    """Return what a link says, None for what is no link or not there."""
    try:
        return os.readlink(name, dir_fd=fd)
    except OSError as error:
        if error.errno in {errno.EINVAL, errno.ENOENT}:
            return None
        raise


def _enter(name: str, fd: int, *, create: bool) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=fd)
    return os.open(name, flags, dir_fd=fd)


def _inside(root: str, target: str, path: str) -> str:
    """Return an absolute link's target as a path from the root; walking it again proves that it holds."""
    real = os.path.realpath(target)
    if real != root and not real.startswith(root.rstrip("/") + "/"):
        raise leads_out(path, root)
    return real[len(root) :]
