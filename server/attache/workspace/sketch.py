"""What a change set comes to, file by file: made in thought, and checked as a whole, before anything is touched.

The changes of a set follow one another, each upon what the one before it left: a file may be renamed and then edited.

An open file is edited in its editor, never on disk. It is deleted or renamed on disk, and only while the editor holds
just what is saved there: its buffer then stays open with the text, as when a person deletes it in a shell, and nothing
unsaved can be lost. A new file appears on disk; where its name is open already, the buffer must hold the same text or
`overwrite` be said, and then it is the buffer that changes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from attache.schema.data import Uri
from attache.schema.edits import (
    ChangeSet,
    CreateFile,
    DeleteFile,
    EditFile,
    FileChange,
    FileOutcome,
    FileState,
    RenameFile,
    ReplaceFile,
    SetFolder,
    SetMode,
    TextEdit,
)
from attache.schema.errors import EditRefused, PathRefused
from attache.workspace.blobs import state_of
from attache.workspace.documents import text_hash
from attache.workspace.edits import apply, diff, rebase, same_but_newlines
from attache.workspace.files import decode, encode, read_bytes
from attache.workspace.held import Files, Held, OpenEdit, Stored
from attache.workspace.paths import key, to_path, to_uri
from attache.workspace.spares import DiskChange, Disturbed, Place, bytes_hash, state_proof


class Sketch:
    """Change sets made in thought upon the files as they stand."""

    def __init__(self, files: Files, recall: Callable[[str], str | None]) -> None:
        """Look at files through `files`; `recall` knows texts that were read before, by their hash."""
        self.outcomes: list[FileOutcome] = []
        """Of the change set that was added last."""
        self._files = files
        self._recall = recall
        self._first: dict[str, Held | None] = {}
        self._now: dict[str, Held | None] = {}
        self._uris: dict[str, Uri] = {}
        self._raw: dict[Place, DiskChange] = {}
        self._modes: dict[Place, DiskChange] = {}
        """Permissions of files that an editor holds."""
        self._folders: dict[Uri, SetFolder] = {}

    async def add(self, change_set: ChangeSet) -> None:
        """Make a change set in thought, leaving in `outcomes` what it came to.

        Raises EditRefused, FileSkipped or PathRefused where any part of it cannot be made; then nothing of it is.
        """
        kept = dict(self._first), dict(self._now), dict(self._raw), dict(self._modes), dict(self._folders)
        self.outcomes = []
        try:
            for change in change_set.files:
                match change:
                    case EditFile():
                        await self._edit(change)
                    case CreateFile():
                        await self._create(change)
                    case DeleteFile():
                        await self._delete(change)
                    case RenameFile():
                        await self._rename(change)
                    case ReplaceFile():
                        await self._replace(change)
                    case SetMode():
                        await self._set_mode(change)
                    case SetFolder():
                        self._folders[change.uri] = change
                        self._other(change)
        except BaseException:
            self._first, self._now, self._raw, self._modes, self._folders = kept
            raise

    async def held(self, uri: Uri) -> Held | None:
        """Return what a name holds after the changes so far."""
        at = self._at(uri)
        if at not in self._now:
            raw = self._raw_of(uri)
            found = await asyncio.to_thread(_held, raw) if raw else await self._files.held(uri)
            self._first[at] = self._now[at] = found
            self._uris[at] = self._files.spelled(uri)
        return self._now[at]

    def touched(self, uri: Uri) -> bool:
        """Return whether a change so far was about this name."""
        return self._at(uri) in self._now or self._raw_of(uri) is not None

    # ------------------------------------------------------------ what it comes to

    def open_edits(self) -> tuple[OpenEdit, ...]:
        """Return what has to be changed in the editor, a document each."""
        return tuple(
            OpenEdit(uri, self._files.shown(uri), first.text, held.edits or diff(first.text, held.text), held.text)
            for uri, first, held in self._names()
            if first and held and held.open and held.text != first.text
        )

    def disk_changes(self) -> tuple[DiskChange, ...]:
        """Return what has to be changed on disk; raises EditRefused for a text that its file's encoding cannot say."""
        changes = (
            self._disk_change(uri, first.stored if first else None, held)
            for uri, first, held in self._names()
            if not (held and held.open) and self._raw_of(uri) is None
        )
        return tuple(
            change
            for change in (*changes, *map(self._with_text, self._raw.values()), *self._modes.values())
            if change.before != change.after
        )

    def folders(self) -> tuple[tuple[Place, bool], ...]:
        """Return which folders are to be there, and which are not."""
        return tuple((self._files.place(change.uri), change.there) for change in self._folders.values())

    def check_unmoved(self) -> None:
        """Raise Disturbed where a file that is to be changed on disk was opened, closed or typed in since."""
        for uri, first, held in self._names():
            document = self._files.buffers.get(uri)
            shown = document.text if document else None
            if not (held and held.open) and shown != (first.text if first and first.open else None):
                raise Disturbed(self._files.shown(uri))

    def rewritten(self) -> dict[str, tuple[str, str]]:
        """Return the texts before and after of files that change on disk, by their key."""
        return {
            key(uri): (first.text, held.text)
            for uri, first, held in self._names()
            if first and held and not first.open and first.text != held.text
        }

    def changes(self) -> tuple[FileChange, ...]:
        """Return the whole as changes of the files as they stood at first, a renamed one as deleted and created."""
        names = [name for name in self._names() if not self._raw_of(name[0])]
        changes: list[FileChange] = [change for name in names for change in _changes(*name)]
        changes += (
            ReplaceFile(uri=_uri(raw.place), before=_state(raw.before), after=_state(raw.after))
            for raw in map(self._with_text, self._raw.values())
            if raw.before != raw.after
        )
        for mode in self._modes.values():
            before, after = _state(mode.before), _state(mode.after)
            if before and after and before != after:
                changes.append(SetMode(uri=_uri(mode.place), before=before.mode, mode=after.mode))
        changes += (each for each in self._folders.values() if os.path.lexists(to_path(each.uri)) != each.there)
        return tuple(changes)

    def _names(self) -> tuple[tuple[Uri, Held | None, Held | None], ...]:
        return tuple((self._uris[at], self._first[at], held) for at, held in self._now.items())

    def _at(self, uri: Uri) -> str:
        """Return the key of a file; where a link is replaced, what it led to is another file."""
        raw = self._raw_of(uri)
        return str(raw.place.root.path / raw.place.path) if raw else key(uri)

    def _raw_of(self, uri: Uri) -> DiskChange | None:
        if not self._raw:
            return None
        try:
            return self._raw.get(self._files.place(uri))
        except PathRefused:  # such as a document without a file
            return None

    def _with_text(self, raw: DiskChange) -> DiskChange:
        """Return a change of states with what was done to the text since."""
        at = str(raw.place.root.path / raw.place.path)
        held = self._now.get(at)
        if at not in self._now or held is self._first[at]:
            return raw
        if held is None:
            return replace(raw, after=None, source=None)
        state = self._kept(raw.place, held, 0o644)
        same = isinstance(raw.before, FileState) and raw.before.hash == state.hash
        return replace(raw, after=state, source=None if same else self._files.blobs.path(state.hash))

    def _kept(self, place: Place, held: Held, mode: int) -> FileState:
        """Return the state of a file with this text, its bytes kept; `mode` is for one that has none of its own."""
        data = self._bytes(place.path, held)
        return self._files.blobs.put(data, mode if held.mode is None else held.mode)

    def _bytes(self, path: str, held: Held) -> bytes:
        if held.stored and held.text == held.stored.text:
            return held.stored.data
        try:
            return encode(held.text, held.encoding, bom=held.bom)
        except EditRefused as error:
            raise EditRefused(f"{path}: {error.message}", hint=error.hint) from error

    def _disk_change(self, uri: Uri, before: Stored | None, held: Held | None) -> DiskChange:
        place, data = self._files.place(uri), before.data if before else None
        if held is None:
            return DiskChange(place, data, None)
        if before is held.stored and before and held.text == before.text and held.mode not in {None, before.mode}:
            return _other_mode(before, held.mode)
        moved_from = held.stored.place if held.stored and held.text == held.stored.text else None
        after = self._bytes(self._files.shown(uri), held)
        return DiskChange(place, data, after, held.mode, None if held.stored is before else moved_from)

    # ------------------------------------------------------------ one change

    async def _edit(self, change: EditFile) -> None:
        held, path = await self.held(change.uri), self._files.shown(change.uri)
        if held is None:
            raise EditRefused(f"{path} is not there", hint="create it, or list the folder to see what is there")
        edits = self._rebased(change, held.text, path)
        if edits:
            self._refuse_read_only(held, path)
            text = apply(held.text, edits, path)
            self._write(change.uri, held, text, edits)

    async def _create(self, change: CreateFile) -> None:
        held, path = await self.held(change.uri), self._files.shown(change.uri)
        unsaved = held is not None and held.open and held.text == change.text
        if held is None or (unsaved and await self._files.stored(change.uri) is None):
            mode = change.mode if change.mode is not None or not change.executable else 0o755
            new = Held(change.text, encoding=change.encoding, bom=change.bom, mode=mode)
            self._put(change.uri, new, self._outcome(change.uri, None, new))
        elif not change.overwrite:
            where = " in the editor" if held.open else ""
            raise EditRefused(f"{path} is there already{where}", hint="edit it, or say that it is to be overwritten")
        elif held.text != change.text:
            self._refuse_read_only(held, path)
            self._write(change.uri, held, change.text, ())

    async def _delete(self, change: DeleteFile) -> None:
        held = await self._on_disk(change.uri, change.base_hash)
        self._refuse_read_only(held, self._files.shown(change.uri))
        self._put(change.uri, None, self._outcome(change.uri, held, None))

    async def _rename(self, change: RenameFile) -> None:
        path, new_path = self._files.shown(change.uri), self._files.shown(change.new_uri)
        if key(change.uri) == key(change.new_uri):
            raise EditRefused(f"{path} and {new_path} name the same file", hint="rename it to another name first")
        held = await self._on_disk(change.uri, change.base_hash)
        there = await self.held(change.new_uri)
        if there and there.open and (there.text != held.text or await self._files.stored(change.new_uri)):
            raise EditRefused(f"{new_path} is open in the editor", hint="choose another name, or close it first")
        if there and not there.open:
            if not change.overwrite:
                raise EditRefused(f"{new_path} is there already", hint="choose another name, or say overwrite")
            self._refuse_read_only(there, new_path)
            self._put(change.new_uri, None, self._outcome(change.new_uri, there, None))
        moved = replace(held, version=None, edits=())
        outcome = self._outcome(change.new_uri, moved, moved)
        self._put(change.uri, None)
        self._put(change.new_uri, moved, outcome.model_copy(update={"renamed_from": self._uris[self._at(change.uri)]}))

    async def _replace(self, change: ReplaceFile) -> None:
        place, path = self._files.place(change.uri), self._files.shown(change.uri)
        before, after, own = change.before, change.after, self._at(change.uri)
        linked = any(state and state.target for state in (before, after))
        # What a link leads to may be open; that is another file.
        found = (document for document in self._files.buffers if document.uri == change.uri)
        document = next(found, None) if linked else self._files.buffers.get(change.uri)
        if document and not (before and before.target):
            raise EditRefused(f"{path} is open in the editor", hint="close it there first")
        first, now = await self._states(place, change, own)
        if state_proof(now) != state_proof(before):
            raise EditRefused(f"{path} changed since it was read", hint="run the command again, or read it again")
        same_bytes = first and after and not after.target and first.hash == after.hash
        source = self._files.blobs.path(after.hash) if after and not after.target and not same_bytes else None
        if source and not source.is_file():
            raise EditRefused(f"the bytes for {path} are not kept any more", hint="run the command again")
        if not (before and before.target):
            self._now.pop(own, None)
            self._first.pop(own, None)
        self._raw[place] = DiskChange(place, first, after, source=source)
        self._other(change)

    async def _states(self, place: Place, change: ReplaceFile, own: str) -> tuple[FileState | None, FileState | None]:
        """Return what stood under a name at first, and what stands there now, in thought or on disk.

        Its bytes are kept where they will be gone.
        """
        before, after = change.before, change.after
        if earlier := self._raw.get(place):
            return _state(earlier.before), _state(self._with_text(earlier).after)
        if not (before and before.target) and self._now.get(own) is not self._first.get(own):
            first, held = self._first[own], self._now[own]
            at_first = self._files.blobs.put(first.stored.data, first.stored.mode) if first and first.stored else None
            return at_first, held and self._kept(place, held, before.mode if before else 0o644)
        lost = before is not None and not before.target and (after is None or before.hash != after.hash)
        try:
            there = await asyncio.to_thread(state_of, place, self._files.blobs if lost else None)
        except OSError as error:
            what = f"{self._files.shown(change.uri)}: {error.strerror}"
            raise EditRefused(what, hint="see whether the file may be read") from error
        return before, there

    async def _set_mode(self, change: SetMode) -> None:
        held, path = await self.held(change.uri), self._files.shown(change.uri)
        stored = await self._files.stored(change.uri) if held and held.open else held and held.stored
        earlier = _state(self._modes[stored.place].after) if stored and stored.place in self._modes else None
        known = earlier.mode if earlier else stored.mode if held and held.open and stored else held and held.mode
        if held is None or (held.open and stored is None) or known not in {None, change.before}:
            raise EditRefused(f"{path}: its permissions changed since they were read", hint="run the command again")
        if held.open and stored:
            fresh = _other_mode(stored, change.mode)
            first = self._modes.get(stored.place, fresh).before
            self._modes[stored.place] = replace(fresh, before=first)
        else:
            self._put(change.uri, replace(held, mode=change.mode))
        self._other(change)

    def _other(self, change: ReplaceFile | SetMode | SetFolder) -> None:
        """Note what is no change of text; the file's text, where it has one, stays as it is."""
        held = self._now.get(self._at(change.uri)) if change.kind == "mode" else None
        text = held.text if held else None
        path = self._files.shown(change.uri)
        self.outcomes.append(FileOutcome(uri=change.uri, path=path, before=text, after=text, other=change))

    async def _on_disk(self, uri: Uri, base_hash: str) -> Held:
        """Return what a file holds that is to be deleted or renamed, which it must hold on disk as in the editor."""
        held, path = await self.held(uri), self._files.shown(uri)
        if held is None:
            raise EditRefused(f"{path} is not there", hint="list the folder to see what is there")
        if text_hash(held.text) != base_hash:
            raise EditRefused(f"{path} changed since it was read", hint="read it again before you delete or rename it")
        root, name = self._files.place(uri)
        if (root.path / name).is_symlink():
            raise EditRefused(f"{path} is a link", hint="name the file that it leads to")
        if not held.open:
            return held
        stored, first = await self._files.stored(uri), self._first[self._at(uri)]
        if stored is None or first is None or not same_but_newlines(stored.text, first.text):
            raise EditRefused(f"{path} has unsaved changes in the editor", hint="save the file first")
        self._first[self._at(uri)] = replace(first, stored=stored)
        return replace(held, stored=stored, encoding=stored.encoding, bom=stored.bom, mode=stored.mode)

    def _rebased(self, change: EditFile, text: str, path: str) -> tuple[TextEdit, ...]:
        if text_hash(text) == change.base_hash:
            return rebase(text, text, change.edits, path)
        base = self._recall(change.base_hash)
        if base is None:
            raise EditRefused(f"{path} changed since it was read", hint="read it again")
        return rebase(base, text, change.edits, path)

    def _refuse_read_only(self, held: Held, path: str) -> None:
        if held.stored and not held.stored.mode & 0o222:
            raise EditRefused(f"{path} is read-only", hint="make it writable first, if it is meant to be changed")

    # ------------------------------------------------------------ keeping

    def _write(self, uri: Uri, held: Held, text: str, edits: tuple[TextEdit, ...]) -> None:
        """Give a name another text; what it was before this change set stays the outcome's `before`."""
        at = self._at(uri)
        fresh = replace(held, text=text, edits=edits if held is self._first[at] else ())
        for number, outcome in reversed(tuple(enumerate(self.outcomes))):
            if outcome.uri == self._uris[at] and outcome.after is not None and outcome.other is None:
                self.outcomes[number] = outcome.model_copy(update={"after": text})
                self._put(uri, fresh)
                return
        self._put(uri, fresh, self._outcome(uri, held, fresh))

    def _put(self, uri: Uri, held: Held | None, outcome: FileOutcome | None = None) -> None:
        self._now[self._at(uri)] = held
        if outcome is not None:
            self.outcomes.append(outcome)

    def _outcome(self, uri: Uri, before: Held | None, after: Held | None) -> FileOutcome:
        known = before or after or Held("")
        return FileOutcome(
            uri=self._uris[self._at(uri)],
            path=self._files.shown(uri),
            before=before.text if before else None,
            after=after.text if after else None,
            encoding=known.encoding,
            bom=known.bom,
            mode=known.mode,
        )


def _other_mode(stored: Stored, mode: int | None) -> DiskChange:
    before = FileState(hash=bytes_hash(stored.data), size=len(stored.data), mode=stored.mode)
    return DiskChange(stored.place, before, before.model_copy(update={"mode": mode}))


def _state(side: bytes | FileState | None) -> FileState | None:
    return side if isinstance(side, FileState) else None


def _uri(place: Place) -> Uri:
    return to_uri(place.root.path / place.path)


def _held(raw: DiskChange) -> Held | None:
    """Return what a name holds once a change of states is made; raises EditRefused for a link, FileSkipped."""
    state = _state(raw.after)
    if state is None:
        return None
    if state.target:
        raise EditRefused(f"{raw.place.path} is a link by then", hint="name the file that it leads to")
    data = raw.source.read_bytes() if raw.source else read_bytes(*raw.place)
    text, encoding, bom, _ = decode(data, raw.place.path)
    stored = Stored(raw.place, data, text, encoding, bom, state.mode)
    return Held(text, stored, encoding=encoding, bom=bom, mode=state.mode)


def _changes(uri: Uri, first: Held | None, held: Held | None) -> Iterator[FileChange]:
    if held is None and first is not None:
        yield DeleteFile(uri=uri, base_hash=text_hash(first.text))
    elif held is not None and first is None:
        yield CreateFile(uri=uri, text=held.text, encoding=held.encoding, bom=held.bom, mode=held.mode)
    elif held is not None and first is not None:
        if held.text != first.text:
            edits = held.edits or diff(first.text, held.text)
            yield EditFile(uri=uri, base_hash=text_hash(first.text), base_version=first.version, edits=edits)
        if first.mode is not None and held.mode is not None and held.mode != first.mode and not held.open:
            yield SetMode(uri=uri, before=first.mode, mode=held.mode)
