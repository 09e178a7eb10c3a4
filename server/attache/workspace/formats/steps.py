"""What an instruction asks for, a file each step, and what that comes to: changes against the texts as read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from attache.foundation.registry import near
from attache.schema.data import Uri
from attache.schema.documents import Snapshot
from attache.schema.edits import CreateFile, DeleteFile, EditFile, FileChange, RenameFile
from attache.schema.errors import EditRefused, FileMissing, FileSkipped
from attache.workspace.edits import diff
from attache.workspace.formats.hunks import BOM, Hunk
from attache.workspace.formats.names import prose
from attache.workspace.formats.replacing import replaced
from attache.workspace.formats.rewriting import by_numbers, overwritten, rewritten


@dataclass(frozen=True, slots=True)
class Write:
    """Give a file its whole text."""

    path: str
    text: str
    over: Literal["any", "empty", "none"] = "any"
    """What may stand there already."""
    ended: bool = False
    """Whether the format ends every last line, so that it says nothing about the file's."""
    executable: bool = False
    doubtful: bool = False
    """Whether its path may be prose, unless a file is there."""


@dataclass(frozen=True, slots=True)
class Update:
    """Make hunks in a file that is there, and move it or copy it where a new path is given."""

    path: str
    hunks: tuple[Hunk, ...]
    ordered: bool = True
    """Whether the hunks follow one another in the file."""
    vanishes: bool = False
    """Whether a file that is left without text is deleted."""
    new_path: str = ""
    copy: bool = False
    overwrite: bool = False
    """Whether a file at the new path is replaced."""
    blobs: tuple[str, str] = ("", "")
    """How git's names of the text before and afterwards begin, as the instruction tells them."""


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace a text that stands once in a file; an empty one stands for a file that is not there yet."""

    path: str
    search: str
    put: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a file; where hunks are given they must leave nothing of it."""

    path: str
    hunks: tuple[Hunk, ...] = ()


_LEAST_OF_BLOB = 7  # letters of a name, as git shortens it

Step = Write | Update | Replace | Delete


class Reader(Protocol):
    """Where files are read: the workspace, or texts in memory."""

    def uri(self, path: str) -> Uri:
        """Return the URI of a path."""
        ...

    async def read(self, path: str) -> Snapshot:
        """Return the text of a file; raises FileMissing or FileSkipped."""
        ...

    async def files(self) -> tuple[str, ...]:
        """Return the paths of all files."""
        ...


@dataclass(slots=True)
class _Draft:
    """A file while steps are carried out."""

    uri: Uri
    path: str
    before: Snapshot | None
    """What stands there."""
    base: Snapshot | None
    """What its text was made of; None for a new one."""
    text: str | None
    """What is to stand there, the byte-order mark included."""
    away: bool = False
    """Whether what stood there was moved away."""
    executable: bool = False


class Drafts:
    """Files as the steps so far leave them; nothing is touched."""

    def __init__(self, files: Reader) -> None:
        """Read through `files`."""
        self._files = files
        self._drafts: dict[Uri, _Draft] = {}

    async def add(self, step: Step) -> None:
        """Carry out a step in thought; raises EditRefused where that would be a guess."""
        match step:
            case Write():
                await self._write(step)
            case Update():
                await self._update(step)
            case Replace():
                await self._replace(step)
            case Delete():
                await self._delete(step)

    def changes(self) -> tuple[FileChange, ...]:
        """Return what the steps come to, in an order in which it can be made."""
        drafts = tuple(self._drafts.values())
        return (*_deletions(drafts), *_renames(drafts), *_texts(drafts))

    async def _write(self, step: Write) -> None:
        draft = await self._draft(step.path)
        if draft.text is None and step.doubtful and await self._prose(step.path):
            raise EditRefused(f"is {step.path!r} the name of a file?", hint="put a name that has blanks in backticks")
        if draft.text is None:
            draft.text, draft.base, draft.executable = step.text, None if draft.away else draft.before, step.executable
            return
        if step.over == "none" or (step.over == "empty" and draft.text.removeprefix(BOM)):
            raise EditRefused(
                f"{step.path} is there already", hint="edit it: quote the lines that are to be replaced"
            )  # fmt: skip
        draft.text = overwritten(draft.text, step.text, ended=step.ended)

    async def _prose(self, path: str) -> bool:
        """Whether a name with blanks, of a file that is not there, is rather a sentence about another file."""
        return prose(path) or path.rpartition(" ")[2] in await self._files.files()

    async def _update(self, step: Update) -> None:
        draft = await self._draft(step.path)
        before = await self._text(draft)
        if step.copy and draft.before is not None:
            before = _whole(draft.before)  # a copy is of what stood there, whatever else becomes of it
        text = _proven(before, step)
        if text is None:
            text = rewritten(before, step.hunks, step.path, ordered=step.ordered)
        if step.new_path and self._files.uri(step.new_path) != draft.uri:
            await self._move(draft, text, step)
        elif step.vanishes and before and not text.removeprefix(BOM):
            draft.text = None
        else:
            draft.text = text

    async def _move(self, draft: _Draft, text: str, step: Update) -> None:
        there = await self._draft(step.new_path)
        if there.text is not None and not step.overwrite:
            raise EditRefused(f"{step.new_path} is there already", hint="choose another name, or delete it first")
        there.text, there.base = text, None if step.copy else draft.base
        self._drafts[self._files.uri(step.new_path)] = self._drafts.pop(self._files.uri(step.new_path))  # now the last
        if not step.copy:
            draft.text, draft.away = None, draft.before is not None

    async def _replace(self, step: Replace) -> None:
        if not step.search:
            await self._write(Write(step.path, step.put, over="empty"))
            return
        draft = await self._draft(step.path)
        draft.text = replaced(await self._text(draft), step.search, step.put, step.path)

    async def _delete(self, step: Delete) -> None:
        draft = await self._draft(step.path)
        before = await self._text(draft)
        if step.hunks and rewritten(before, step.hunks, step.path).removeprefix(BOM):
            raise EditRefused(
                f"{step.path} holds more than what is to be deleted with it", hint="quote all of it, or delete it"
            )
        draft.text = None

    async def _draft(self, path: str) -> _Draft:
        uri = self._files.uri(path)
        if uri not in self._drafts:
            try:
                snapshot = await self._files.read(path)
            except FileMissing:
                self._drafts[uri] = _Draft(uri, path, None, None, None)
            except FileSkipped as error:
                raise EditRefused(error.message, hint=error.hint) from error
            else:
                self._drafts[uri] = _Draft(snapshot.uri, path, snapshot, snapshot, _whole(snapshot))
        return self._drafts[uri]

    async def _text(self, draft: _Draft) -> str:
        if draft.text is None:
            guesses = near(draft.path, await self._files.files())
            told = f"near: {', '.join(guesses)}" if guesses else "list the folder to see what is there"
            raise EditRefused(f"{draft.path} is not there", hint=told)
        return draft.text


def _proven(before: str, step: Update) -> str | None:
    """Return the text with the hunks made on the lines they name, where git's names of both texts prove it right."""
    old, new = step.blobs
    if min(len(old), len(new)) < _LEAST_OF_BLOB or not _blob(before).startswith(old):
        return None
    after = by_numbers(before, step.hunks, step.path)
    return after if after is not None and _blob(after).startswith(new) else None


def _blob(text: str) -> str:
    """Return the name that git gives to a file with this text."""
    data = text.encode("utf-8", "surrogateescape")
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _whole(snapshot: Snapshot) -> str:
    return BOM + snapshot.text if snapshot.bom else snapshot.text


# ---------------------------------------------------------------- as changes


def _deletions(drafts: Iterable[_Draft]) -> Iterator[FileChange]:
    for draft in drafts:
        replaced = draft.text is None or draft.base is not draft.before
        if draft.before is not None and not draft.away and replaced:
            yield DeleteFile(uri=draft.uri, base_hash=draft.before.hash)


def _renames(drafts: Iterable[_Draft]) -> Iterator[FileChange]:
    for draft in drafts:
        if draft.text is not None and draft.base is not None and draft.base is not draft.before:
            yield RenameFile(uri=draft.base.uri, new_uri=draft.uri, base_hash=draft.base.hash)


def _texts(drafts: Iterable[_Draft]) -> Iterator[FileChange]:
    for draft in drafts:
        if draft.text is None:
            continue
        base, bare = draft.base, draft.text.removeprefix(BOM)
        if base is None:
            marked = bare != draft.text
            yield CreateFile(uri=draft.uri, text=bare, bom=marked, executable=draft.executable)
        elif draft.text != _whole(base):
            if base.bom and bare == draft.text:
                raise EditRefused(f"{draft.path}: the byte-order mark cannot be removed", hint="keep it, or recode it")
            edits = diff(base.text, bare if base.bom else draft.text)
            yield EditFile(uri=draft.uri, base_hash=base.hash, base_version=base.version, edits=edits)
