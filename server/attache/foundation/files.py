"""Small files of our own: written whole or not at all, and for the user's eyes only."""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def private_dir(path: Path) -> Path:
    """Create a folder that only the user can enter (on Windows: with the rights of its parent) and return it.

    So are the parents that have to be made for it. One that is there already, and is the user's, is closed to others;
    one that many write to, such as `/tmp`, is left as it is.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    if os.name == "posix":
        known = path.stat()
        if known.st_mode & 0o077 and not known.st_mode & stat.S_ISVTX and known.st_uid == os.getuid():
            path.chmod(stat.S_IMODE(known.st_mode) & ~0o077)
    return path


def write_atomic(path: Path, data: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
    """Replace `path` by `data`: a reader, or a crash at any moment, finds the old bytes or the new ones.

    Where `durable` is false, a loss of power may leave an empty file or the old one.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_dir(path.parent)


def prune(files: Iterable[Path], *, seconds: float, most_bytes: int) -> int:
    """Remove files older than so many seconds, then the oldest until the rest fits; return how many bytes went."""
    known: list[tuple[float, int, Path]] = []
    for path in files:
        with suppress(OSError):
            if stat.S_ISREG((status := path.lstat()).st_mode):
                known.append((status.st_mtime, status.st_size, path))
    left, gone = sum(size for _, size, _ in known), 0
    for changed, size, path in sorted(known):
        if left - gone <= most_bytes and time.time() - changed <= seconds:
            break
        with suppress(OSError):
            path.unlink()
            gone += size
    return gone


def sync_dir(path: Path) -> None:
    """Make names in a folder durable. Windows has no such call and orders them by itself."""
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
