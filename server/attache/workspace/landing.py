"""How a change set lands: in all of its files, or in none.

Open files first, each by one edit in its editor, seen to arrive; then the closed ones, all at once through the journal.
Whatever fails on the way, what was done is taken back, around what the user typed and what others wrote meanwhile.
Where a file has merely moved on, the whole is sketched again upon what stands there now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from attache.schema.data import Uri
from attache.schema.edits import ChangeSet, FileOutcome, Landed
from attache.schema.errors import EditRefused, ToolError
from attache.workspace.documents import BufferChange
from attache.workspace.edits import same_but_newlines
from attache.workspace.files import encode
from attache.workspace.folders import set_folders
from attache.workspace.held import Files, OpenEdit
from attache.workspace.journal import Entry, Journal, OpenChange
from attache.workspace.open_file import Editor, OpenFile, Patience, Written
from attache.workspace.paths import key, to_uri
from attache.workspace.sketch import Sketch
from attache.workspace.spares import DiskChange, Disturbed

ATTEMPTS = 10


class Landing:
    """One change set on its way into its files. Hold the journal's turn around it."""

    def __init__(
        self, change_set: ChangeSet, files: Files, journal: Journal, editor: Editor | None, patience: Patience
    ) -> None:
        self._change_set = change_set
        self._label = change_set.title
        self._files = files
        self._journal = journal
        self._editor = editor
        self._patience = patience
        self._stopped = False

    def stop(self) -> None:
        """Take back what was done so far, instead of going on; once all is done it stays."""
        self._stopped = True

    async def land(self, recall: Callable[[str], str | None]) -> Landed:
        """Change all the files, or raise EditRefused or PathRefused and leave all as they were."""
        moved = ""
        for _ in range(ATTEMPTS):
            sketch = Sketch(self._files, recall)
            await sketch.add(self._change_set)
            try:
                return await self._carry_out(sketch)
            except Disturbed as disturbed:
                moved = str(disturbed)
            except OSError as error:
                raise EditRefused(
                    f"nothing was changed: {error}", hint="see whether the files may be written"
                ) from error
        raise EditRefused(f"{moved} was changed by somebody else again and again", hint="try again in a while")

    async def _carry_out(self, sketch: Sketch) -> Landed:
        opened, disk = sketch.open_edits(), sketch.disk_changes()
        entry = await self._prepared(opened, disk)
        with ExitStack() as heard:
            files: list[OpenFile] = []
            written: dict[Uri, Written] = {}
            try:
                for edit in opened:
                    files.append(self._open_file(edit.uri, edit.path, heard))
                    written[edit.uri] = await files[-1].write(edit, self._label)
                    self._go_on()
                sketch.check_unmoved()
            except BaseException:
                await self._take_back(files, entry)
                raise
            if entry is not None:
                late = self._opened_late(sketch, heard)
                try:
                    await asyncio.to_thread(self._journal.commit, entry)
                except BaseException:
                    await self._take_back(files)
                    raise
                for file in late:
                    with suppress(Disturbed, EditRefused):  # the editor itself will see that the file has changed
                        await file.lead(self._label)
        if folders := sketch.folders():
            await asyncio.to_thread(set_folders, folders)
        outcomes = tuple(_as_written(outcome, written.get(outcome.uri)) for outcome in sketch.outcomes)
        made = tuple(to_uri(Path(root, path)) for root, path in entry.folders) if entry else ()
        return Landed(change_set=self._change_set, files=outcomes, folders=made)

    def _opened_late(self, sketch: Sketch, heard: ExitStack) -> list[OpenFile]:
        """Return a list that gathers the documents opened with the old text, while their files are changed on disk."""
        late: list[OpenFile] = []
        texts = sketch.rewritten()

        def hear(change: BufferChange) -> None:
            old, new = texts.get(key(change.uri), ("", ""))
            if change.kind == "open" and old != new and self._editor is not None:
                file = self._open_file(change.uri, self._files.shown(change.uri), heard)
                if same_but_newlines(file.text, old):
                    file.aim(new)
                    late.append(file)

        heard.callback(self._files.buffers.subscribe(hear))
        return late

    async def _prepared(self, opened: Sequence[OpenEdit], disk: Sequence[DiskChange]) -> Entry | None:
        """Enter it into the journal, unless it is one document's edit, which no crash can leave half done."""
        self._go_on()
        if not disk and len(opened) < 2:  # noqa: PLR2004 - one
            return None
        open_changes = [OpenChange(uri=edit.uri, before=edit.base, after=edit.after) for edit in opened]
        return await asyncio.to_thread(
            self._journal.prepare, self._change_set.id, self._change_set.title, disk, open_changes
        )  # fmt: skip

    def _open_file(self, uri: Uri, path: str, heard: ExitStack) -> OpenFile:
        document = self._files.buffers.get(uri)
        if document is None:
            raise Disturbed(path)
        if self._editor is None:
            raise EditRefused(f"{path} is open, and its editor cannot be asked", hint="close the file there first")
        file = OpenFile(document, self._files.buffers, self._editor, self._patience, path)
        heard.callback(file.forget)
        return file

    def _go_on(self) -> None:
        if self._stopped:
            raise asyncio.CancelledError

    # ------------------------------------------------------------ taking back

    async def _take_back(self, files: Sequence[OpenFile], entry: Entry | None = None) -> None:
        """Leave nothing of the change set in the open files, then nothing of it in the journal."""
        stuck: list[str] = []
        for file in reversed(files):
            try:
                with suppress(Disturbed):
                    await file.lead(f"Undo: {self._label}")
                if file.closed:
                    await self._take_back_closed(file)
            except (ToolError, OSError):
                stuck.append(file.path)
        if entry is not None:
            await asyncio.to_thread(self._journal.abandon, entry)
        if stuck:
            raise EditRefused(
                f"the change could not land in all its files, and could not be taken back in {', '.join(stuck)}",
                hint="undo it there in the editor",
            )

    async def _take_back_closed(self, file: OpenFile) -> None:
        """Take the change out of a file that was closed since, where it was saved with it, and maybe opened again."""
        for _ in range(ATTEMPTS):
            with suppress(Disturbed):
                if document := self._files.buffers.get(file.uri):
                    with ExitStack() as heard:
                        again = self._open_file(file.uri, file.path, heard)
                        again.aim(file.goal_since_closed(document.text))
                        return await again.lead(self._label)
                stored = await self._files.stored(file.uri)
                text = file.goal_since_closed(stored.text) if stored else ""
                if stored is None or text == stored.text:
                    return None
                data = encode(text, stored.encoding, bom=stored.bom)
                await self._change_disk([DiskChange(stored.place, stored.data, data)])
                if not self._files.buffers.get(file.uri):
                    return None
        raise EditRefused(f"{file.path} keeps changing", hint="try again in a while")

    async def _change_disk(self, changes: Sequence[DiskChange]) -> None:
        entry = await asyncio.to_thread(self._journal.prepare, self._change_set.id, self._label, changes)
        await asyncio.to_thread(self._journal.commit, entry)


def _as_written(outcome: FileOutcome, written: Written | None) -> FileOutcome:
    """Return what really became of a file: an edit in an editor may have met a newer text than it was made for."""
    if (
        outcome.other is not None
        or written is None
        or outcome.before is None
        or outcome.after is None
        or outcome.renamed_from
    ):
        return outcome
    return outcome.model_copy(update=written._asdict())
