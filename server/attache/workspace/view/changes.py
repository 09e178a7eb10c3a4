"""From what lay under a name before a command and what lies there after it to changes that can be reviewed and land."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from attache.schema.edits import (
    CreateFile,
    DeleteFile,
    EditFile,
    FileChange,
    FileState,
    RenameFile,
    ReplaceFile,
    SetFolder,
    SetMode,
)
from attache.schema.errors import FileSkipped
from attache.workspace.blobs import Blobs, hashed
from attache.workspace.documents import text_hash
from attache.workspace.edits import diff
from attache.workspace.files import MAX_BYTES, Decoded, decode
from attache.workspace.paths import to_uri


@dataclass(frozen=True, slots=True)
class Entry:
    """A name, where what it held lies, and where what it holds now lies; None for nothing."""

    at: Path
    before: Path | None
    after: Path | None


@dataclass(slots=True)
class Found:
    """What a command left behind."""

    entries: list[Entry] = field(default_factory=list[Entry])
    made: list[Path] = field(default_factory=list[Path])
    """Folders that are new, so that those without a file in them are made, and undo removes all."""
    removed: list[Path] = field(default_factory=list[Path])
    kept: list[str] = field(default_factory=list[str])
    """Ignored paths that changed: they stay in the view."""
    strange: list[str] = field(default_factory=list[str])
    """What cannot be taken over, with the reason."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What lies under a name: a file or a link."""

    place: Path
    mode: int
    target: str = ""
    data: bytes | None = None
    """None for a link, and for a file too large to be text."""
    text: Decoded | None = None

    def state(self, blobs: Blobs | None = None) -> FileState:
        """Return it by reference, its bytes kept where a store is given."""
        if self.target:
            return FileState(target=self.target)
        descriptor = os.open(self.place, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            return blobs.keep(descriptor) if blobs else hashed(descriptor)
        finally:
            os.close(descriptor)


def changes(found: Found, blobs: Blobs) -> tuple[FileChange, ...]:
    """Return the changes that make of what was there before what the command left."""
    made = [change for entry in found.entries for change in _changes(entry, blobs, found)]
    folders = [SetFolder(uri=to_uri(path), there=True) for path in found.made]
    folders += [SetFolder(uri=to_uri(path), there=False) for path in found.removed]
    return (*_with_renames(made), *folders)


def _changes(entry: Entry, blobs: Blobs, found: Found) -> Iterator[FileChange]:
    try:
        before, after = _thing(entry.before), _thing(entry.after)
    except (OSError, FileSkipped) as error:
        found.strange.append(f"{entry.at.name} ({getattr(error, 'strerror', None) or error})")
        return
    if before is None and after is None:
        return
    uri = to_uri(entry.at)
    if (
        before
        and after
        and (before.target, before.data) == (after.target, after.data)
        and (before.data is not None or before.target)
    ):
        if before.mode != after.mode:
            yield _mode(entry, before, after)
        return
    texts = [thing.text for thing in (before, after) if thing]
    if all(texts) and not (before and not before.mode & 0o222):
        if before is None and after and after.text:
            text, encoding, bom, _ = after.text
            yield CreateFile(uri=uri, text=text, encoding=encoding, bom=bom, mode=after.mode)
            return
        if before and before.text and after is None:
            yield DeleteFile(uri=uri, base_hash=text_hash(before.text.text))
            return
        if before and after and before.text and after.text and before.text[1:3] == after.text[1:3]:
            edits = diff(before.text.text, after.text.text)
            yield EditFile(uri=uri, base_hash=text_hash(before.text.text), edits=edits)
            if before.mode != after.mode:
                yield _mode(entry, before, after)
            return
    states = before and before.state(), after and after.state(blobs)
    if states[0] != states[1]:
        yield ReplaceFile(uri=uri, before=states[0], after=states[1])


def _mode(entry: Entry, before: Thing, after: Thing) -> FileChange:
    if before.text is not None and before.mode & 0o222:
        return SetMode(uri=to_uri(entry.at), before=before.mode, mode=after.mode)
    return ReplaceFile(uri=to_uri(entry.at), before=before.state(), after=after.state())


def _thing(place: Path | None) -> Thing | None:
    if place is None:
        return None
    known = place.lstat()
    if stat.S_ISLNK(known.st_mode):
        return Thing(place, 0, target=str(place.readlink()))
    if not stat.S_ISREG(known.st_mode):
        raise FileSkipped("neither a file nor a link")
    mode = stat.S_IMODE(known.st_mode)
    if known.st_size > MAX_BYTES:
        return Thing(place, mode)
    data = place.read_bytes()
    try:
        return Thing(place, mode, data=data, text=decode(data))
    except FileSkipped:
        return Thing(place, mode, data=data)


def _with_renames(made: Iterable[FileChange]) -> Iterator[FileChange]:
    """Let a file that is gone and one that is new with the same text be one that has moved, where no other fits."""
    listed = list(made)
    gone: dict[str, list[DeleteFile]] = {}
    new: dict[str, list[CreateFile]] = {}
    for change in listed:
        if isinstance(change, DeleteFile):
            gone.setdefault(change.base_hash, []).append(change)
        elif isinstance(change, CreateFile) and change.text:
            new.setdefault(text_hash(change.text), []).append(change)
    moved = {
        gone[hash_][0].uri: created[0]
        for hash_, created in new.items()
        if len(created) == 1 and len(gone.get(hash_, ())) == 1
    }  # fmt: skip
    taken = {created.uri for created in moved.values()}
    for change in listed:
        if isinstance(change, DeleteFile) and change.uri in moved:
            created = moved[change.uri]
            yield RenameFile(uri=change.uri, new_uri=created.uri, base_hash=change.base_hash)
        elif not (isinstance(change, CreateFile) and change.uri in taken):
            yield change
