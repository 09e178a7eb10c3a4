"""What a change set comes to, file by file: made in thought, and checked as a whole, before anything is touched.

The changes of a set follow one another, each upon what the one before it left: a file may be renamed and then edited.

An open file is edited in its editor, never on disk. It is deleted or renamed on disk, and only while the editor holds
just what is saved there: its buffer then stays open with the text, as when a person deletes it in a shell, and nothing
unsaved can be lost. A new file appears on disk; where its name is open already, the buffer must hold the same text or
`overwrite` be said, and then it is the buffer that changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
from attache.schema.errors import EditRefused
from attache.workspace.blobs import state_of
from attache.workspace.documents import text_hash
from attache.workspace.edits import apply, diff, rebase, same_but_newlines
from attache.workspace.files import encode
from attache.workspace.held import Files, Held, OpenEdit, Stored
from attache.workspace.paths import key
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
        self._others: list[ReplaceFile | SetMode | SetFolder] = []

    async def add(self, change_set: ChangeSet) -> None:
        """Make a change set in thought, leaving in `outcomes` what it came to.

        Raises EditRefused, FileSkipped or PathRefused where any part of it cannot be made; then nothing of it is.
        """
        kept, raw, others, self.outcomes = dict(self._now), dict(self._raw), list(self._others), []
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
                        self._other(change)
        except BaseException:
            self._now, self._raw, self._others = kept, raw, others
            raise

    async def held(self, uri: Uri) -> Held | None:
        """Return what a name holds after the changes so far."""
        at = key(uri)
        if at not in self._now:
            self._first[at] = self._now[at] = await self._files.held(uri)
            self._uris[at] = self._files.spelled(uri)
        return self._now[at]

    def touched(self, uri: Uri) -> bool:
        """Return whether a change so far was about this name."""
        return key(uri) in self._now

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
            if not (held and held.open)
        )
        raw = (change for change in self._raw.values() if change.before != change.after)
        return (*(change for change in changes if change.before != change.after), *raw)

    def folders(self) -> tuple[tuple[Place, bool], ...]:
        """Return which folders are to be there, and which are not."""
        others = (change for change in self._others if change.kind == "folder")
        return tuple((self._files.place(change.uri), change.there) for change in others)

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
        changes: list[FileChange] = []
        for uri, first, held in self._names():
            if held is None and first is not None:
                changes.append(DeleteFile(uri=uri, base_hash=text_hash(first.text)))
            elif held is not None and first is None:
                new = {"encoding": held.encoding, "bom": held.bom, "mode": held.mode}
                changes.append(CreateFile.model_validate({"uri": uri, "text": held.text, **new}))
            elif held is not None and first is not None and held.text != first.text:
                edits = held.edits or diff(first.text, held.text)
                base = text_hash(first.text)
                changes.append(EditFile(uri=uri, base_hash=base, base_version=first.version, edits=edits))
        return (*changes, *self._others)

    def _names(self) -> tuple[tuple[Uri, Held | None, Held | None], ...]:
        return tuple((self._uris[at], self._first[at], held) for at, held in self._now.items())

    def _disk_change(self, uri: Uri, before: Stored | None, held: Held | None) -> DiskChange:
        place, data = self._files.place(uri), before.data if before else None
        if held is None:
            return DiskChange(place, data, None)
        if before is held.stored and before and held.text == before.text and held.mode not in {None, before.mode}:
            return _other_mode(before, held.mode)
        if held.stored and held.text == held.stored.text:
            moved_from = None if held.stored is before else held.stored.place
            return DiskChange(place, data, held.stored.data, held.mode, moved_from)
        try:
            return DiskChange(place, data, encode(held.text, held.encoding, bom=held.bom), held.mode)
        except EditRefused as error:
            raise EditRefused(f"{self._files.shown(uri)}: {error.message}", hint=error.hint) from error

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
        self._put(change.new_uri, moved, outcome.model_copy(update={"renamed_from": self._uris[key(change.uri)]}))

    async def _replace(self, change: ReplaceFile) -> None:
        place, path = self._files.place(change.uri), self._files.shown(change.uri)
        before, after = change.before, change.after
        at, linked = key(change.uri), any(state and state.target for state in (before, after))
        if not linked and self._now.get(at) is not self._first.get(at):
            raise EditRefused(f"{path} is changed twice in one step", hint="make it two steps")
        # What a link leads to may be open; that is another file.
        found = (document for document in self._files.buffers if document.uri == change.uri)
        document = next(found, None) if linked else self._files.buffers.get(change.uri)
        if document and not (before and before.target):
            raise EditRefused(f"{path} is open in the editor", hint="close it there first")
        earlier = self._raw.get(place)
        first = earlier.before if earlier else before
        if state_proof(await self._state(place, change, earlier)) != state_proof(before):
            raise EditRefused(f"{path} changed since it was read", hint="run the command again, or read it again")
        same_bytes = isinstance(first, FileState) and after and not after.target and first.hash == after.hash
        source = self._files.blobs.path(after.hash) if after and not after.target and not same_bytes else None
        if source and not source.is_file():
            raise EditRefused(f"the bytes for {path} are not kept any more", hint="run the command again")
        self._raw[place] = DiskChange(place, first, after, source=source)
        self._other(change)

    async def _state(self, place: Place, change: ReplaceFile, earlier: DiskChange | None) -> FileState | None:
        """Return what stands under a name now, in thought or on disk; its bytes are kept where they will be gone."""
        if earlier is not None:
            return earlier.after if isinstance(earlier.after, FileState) else None
        before, after = change.before, change.after
        lost = before is not None and not before.target and (after is None or before.hash != after.hash)
        try:
            return await asyncio.to_thread(state_of, place, self._files.blobs if lost else None)
        except OSError as error:
            what = f"{self._files.shown(change.uri)}: {error.strerror}"
            raise EditRefused(what, hint="see whether the file may be read") from error

    async def _set_mode(self, change: SetMode) -> None:
        held, path = await self.held(change.uri), self._files.shown(change.uri)
        stored = await self._files.stored(change.uri) if held and held.open else held and held.stored
        if held is None or stored is None or stored.mode != change.before:
            raise EditRefused(f"{path}: its permissions changed since they were read", hint="run the command again")
        if held.open:
            self._raw[stored.place] = _other_mode(stored, change.mode)
        else:
            self._put(change.uri, replace(held, mode=change.mode))
        self._other(change)

    def _other(self, change: ReplaceFile | SetMode | SetFolder) -> None:
        """Note what is no change of text; the file's text, where it has one, stays as it is."""
        self._others.append(change)
        held = self._now.get(key(change.uri)) if change.kind == "mode" else None
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
        stored, first = await self._files.stored(uri), self._first[key(uri)]
        if stored is None or first is None or not same_but_newlines(stored.text, first.text):
            raise EditRefused(f"{path} has unsaved changes in the editor", hint="save the file first")
        self._first[key(uri)] = replace(first, stored=stored)
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
        at = key(uri)
        fresh = replace(held, text=text, edits=edits if held is self._first[at] else ())
        for number, outcome in reversed(tuple(enumerate(self.outcomes))):
            if outcome.uri == self._uris[at] and outcome.after is not None and outcome.other is None:
                self.outcomes[number] = outcome.model_copy(update={"after": text})
                self._put(uri, fresh)
                return
        self._put(uri, fresh, self._outcome(uri, held, fresh))

    def _put(self, uri: Uri, held: Held | None, outcome: FileOutcome | None = None) -> None:
        self._now[key(uri)] = held
        if outcome is not None:
            self.outcomes.append(outcome)

    def _outcome(self, uri: Uri, before: Held | None, after: Held | None) -> FileOutcome:
        known = before or after or Held("")
        return FileOutcome(
            uri=self._uris[key(uri)],
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
