"""What a file shall hold, written to a spare name beside it with all that the system knows of the file itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from attache.schema.edits import FileState
from attache.workspace import swap
from attache.workspace.paths import Folder, Root

COPIED_BYTES = 1 << 20


class Disturbed(Exception):
    """Somebody else changed the file at this path while we were at it; theirs stands, and nothing of ours does."""


class Place(NamedTuple):
    """A file by its root and its path from there."""

    root: Root
    path: str


@dataclass(frozen=True, slots=True)
class DiskChange:
    """What a file shall hold: `before` are the bytes it has now, None where there is none; `after` likewise.

    With `raw`, states stand for them: then the mode counts too, and a link is taken for itself.
    """

    place: Place
    before: bytes | FileState | None
    after: bytes | FileState | None
    mode: int | None = None
    """Permission bits; None leaves those of a new file to the umask, and a file that is there keeps its own."""
    moved_from: Place | None = None
    """Where the same bytes lie now, so that the file itself moves, with all that the system knows of it."""
    source: Path | None = None
    """Where the bytes of a state lie."""

    @property
    def raw(self) -> bool:
        """Return whether it is about states, not about bytes."""
        return isinstance(self.before, FileState) or isinstance(self.after, FileState)


def stage(change: DiskChange, folder: Folder, name: str, spare: str) -> None:
    """Put what a file shall hold beside it, with all that the system knows of the file it replaces or continues."""
    if change.after is None:
        return
    if isinstance(change.after, FileState):
        _stage_state(change, change.after, folder, name, spare)
        return
    if change.moved_from is None:
        _write(change.after, folder, spare, change.mode, like=(folder, name) if change.before is not None else None)
        return
    with change.moved_from.root.spot(change.moved_from.path) as (source, old_name):
        try:
            swap.link(source, old_name, folder, spare)
        except OSError:  # on another file system, or on one without links
            _write(change.after, folder, spare, change.mode, like=(source, old_name))


def _stage_state(change: DiskChange, state: FileState, folder: Folder, name: str, spare: str) -> None:
    if state.target:
        os.symlink(state.target, folder.at(spare), dir_fd=folder.fd)
        return
    descriptor = folder.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if change.source is not None:
            with change.source.open("rb") as source:
                shutil.copyfileobj(source, file, COPIED_BYTES)
        else:  # the same bytes under another mode
            with os.fdopen(folder.open(name, os.O_RDONLY), "rb") as source:
                shutil.copyfileobj(source, file, COPIED_BYTES)
        file.flush()
        if isinstance(change.before, FileState) and not change.before.target:
            _copy_rights(folder, name, file.fileno(), folder, spare)
        os.chmod(folder.at(spare), state.mode, dir_fd=folder.fd)
        os.fsync(file.fileno())


def _write(data: bytes, folder: Folder, name: str, mode: int | None, like: tuple[Folder, str] | None) -> None:
    private = like is not None or mode is not None
    descriptor = folder.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if like is not None:
            _copy_rights(*like, file.fileno(), folder, name)
        if mode is not None:
            os.chmod(folder.at(name), mode, dir_fd=folder.fd)
        os.fsync(file.fileno())


def _copy_rights(folder: Folder, name: str, descriptor: int, into: Folder, new: str) -> None:
    """Give a file the owner, the extended attributes (access lists among them) and the mode of another."""
    known = folder.stat(name)
    if known is None:
        return
    if sys.platform != "win32":
        made = os.fstat(descriptor)
        with suppress(PermissionError):
            if (made.st_uid, made.st_gid) != (known.st_uid, known.st_gid):
                os.fchown(descriptor, known.st_uid, known.st_gid)
    if sys.platform == "linux":
        original = folder.open(name, os.O_RDONLY)
        try:
            for attribute in os.listxattr(original):
                with suppress(OSError):
                    os.setxattr(descriptor, attribute, os.getxattr(original, attribute))
        finally:
            os.close(original)
    os.chmod(into.at(new), stat.S_IMODE(known.st_mode), dir_fd=into.fd)


def missing_folders(changes: Iterable[DiskChange]) -> Iterator[tuple[str, str]]:
    """Yield the folders that the changes need and that are not there, the innermost first."""
    missing = {
        (str(change.place.root.path), str(parent))
        for change in changes
        if change.after is not None
        for parent in PurePosixPath(change.place.path).parents
        if not (change.place.root.path / parent).exists()
    }
    yield from sorted(missing, key=lambda folder: folder[1].count("/"), reverse=True)


def file_hash(folder: Folder, name: str) -> str | None:
    """Return the hash of a file's bytes; None where there is none, the empty string where it is no regular file."""
    known = folder.stat(name)
    if known is None:
        return None
    if not stat.S_ISREG(known.st_mode):
        return ""
    try:
        with os.fdopen(folder.open(name, os.O_RDONLY), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def proof(folder: Folder, name: str, *, raw: bool) -> str | None:
    """Return what proves what stands under a name: the hash of its bytes; with `raw`, of a whole state."""
    if not raw:
        return file_hash(folder, name)
    known = folder.stat(name)
    if known is None:
        return None
    if stat.S_ISLNK(known.st_mode):
        return state_proof(FileState(target=os.readlink(folder.at(name), dir_fd=folder.fd)))
    hashed = file_hash(folder, name)
    return state_proof(FileState(hash=hashed, mode=stat.S_IMODE(known.st_mode))) if hashed else hashed


def state_proof(state: FileState | None) -> str | None:
    """Return what `proof` says of this state."""
    if state is None:
        return None
    return f"link {state.target}" if state.target else f"{state.hash} {state.mode:o}"


def bytes_hash(data: bytes) -> str:
    """Return the hash that proves a file's bytes."""
    return hashlib.sha256(data).hexdigest()
