"""Bytes of binary and large files that changes refer to, each under its hash, in a private folder of ours."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from attache.foundation.files import private_dir, prune, write_atomic
from attache.schema.edits import FileState
from attache.workspace.spares import COPIED_BYTES, Place

KEPT_SECONDS = 30 * 86_400
"""Bytes that nothing was done with for so long are let go; undo then says that they are not there any more."""
KEPT_BYTES = 4_000_000_000
"""Of more, those that nothing was done with for longest are let go."""


class Blobs:
    """A store of bytes by their hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, hash_: str) -> Path:
        """Return where the bytes with this hash lie: young again, since what asks for them refers to them."""
        path = self._folder / hash_[:2] / hash_
        with suppress(OSError):
            os.utime(path)
        return path

    def keep(self, descriptor: int) -> FileState:
        """Take in the bytes of an open file; return its state."""
        private_dir(self._folder)
        temporary = self._folder / f".{secrets.token_hex(8)}"
        digest, size = hashlib.sha256(), 0
        try:
            with temporary.open("xb") as file:
                while data := os.read(descriptor, COPIED_BYTES):
                    digest.update(data)
                    file.write(data)
                    size += len(data)
            target = self.path(digest.hexdigest())
            private_dir(target.parent)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        return FileState(hash=digest.hexdigest(), size=size, mode=mode)

    def put(self, data: bytes, mode: int) -> FileState:
        """Take in bytes; return the state of a file that holds them."""
        hash_ = hashlib.sha256(data).hexdigest()
        path = self.path(hash_)
        if not path.is_file():
            private_dir(path.parent)
            write_atomic(path, data)
        return FileState(hash=hash_, size=len(data), mode=mode)

    def prune(self) -> None:
        """Let go of what is old, and of what a crash left half written."""
        files = (*self._folder.glob("??/*"), *self._folder.glob(".*"))
        prune(files, seconds=KEPT_SECONDS, most_bytes=KEPT_BYTES)


def state_of(place: Place, blobs: Blobs | None = None) -> FileState | None:
    """Return what stands under a name, a link taken for itself, and keep its bytes where a store is given.

    None: nothing, or neither a file nor a link. Raises OSError and PathRefused.
    """
    try:
        with place.root.spot(place.path, follow=False) as (folder, name):
            known = folder.stat(name)
            if known is None:
                return None
            if stat.S_ISLNK(known.st_mode):
                return FileState(target=os.readlink(folder.at(name), dir_fd=folder.fd))
            if not stat.S_ISREG(known.st_mode):
                return None
            descriptor = folder.open(name, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return blobs.keep(descriptor) if blobs else hashed(descriptor)
    finally:
        os.close(descriptor)


def described(state: FileState | None) -> str | None:
    """Return a state as a line that a diff can show, None for nothing."""
    if state is None:
        return None
    if state.target:
        return f"link to {state.target}"
    return f"{state.size:,} bytes, mode {state.mode:o}, sha256 {state.hash[:16]}"


def hashed(descriptor: int) -> FileState:
    """Return the state of an open file."""
    known = os.fstat(descriptor)
    digest = hashlib.sha256()
    while data := os.read(descriptor, COPIED_BYTES):
        digest.update(data)
    return FileState(hash=digest.hexdigest(), size=known.st_size, mode=stat.S_IMODE(known.st_mode))
