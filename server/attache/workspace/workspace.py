"""The workspace: the one interface through which everything else reads and changes the user's files.

An open file's text is the editor's, saved or not; any other's is the disk's. Every text that is read carries a hash,
and a change lands only upon the text that it names, or upon a later one in which it still stands alone.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.documents import Snapshot
from attache.schema.edits import ChangeSet, EditFile, Landed
from attache.schema.errors import EditRefused, FileMissing, PathRefused
from attache.workspace import paths
from attache.workspace.blobs import Blobs
from attache.workspace.documents import Buffers, Document, text_hash
from attache.workspace.edits import diff, same_but_newlines, undo_of
from attache.workspace.files import newline_of, read_disk
from attache.workspace.held import Files
from attache.workspace.journal import Journal, Recovery
from attache.workspace.landing import Landing
from attache.workspace.open_file import Editor, Patience
from attache.workspace.paths import Root
from attache.workspace.sketch import Sketch
from attache.workspace.spares import Place
from attache.workspace.views import UNCONFINED, Confinement, DirectView, View, Views
from attache.workspace.walk import CUT, NO_TEXT, walk

if TYPE_CHECKING:
    from attache.workspace.shell import Command
    from attache.workspace.view.cow import CowView

REMEMBERED_CHARACTERS = 50_000_000  # of texts that were read, so that edits made against them can be moved along


_NOTED: ContextVar[dict[Uri, str] | None] = ContextVar("texts read", default=None)

PATH_CHARS_MOST = 4_096
"""Linux takes so many bytes, others less; in a URI a character takes up to nine."""
FOLDERS_MOST = 256
"""One inside the other."""


@contextmanager
def noted() -> Generator[dict[Uri, str]]:
    """Note the hash of every text that is read inside, also by tasks begun there."""
    read: dict[Uri, str] = {}
    token = _NOTED.set(read)
    try:
        yield read
    finally:
        _NOTED.reset(token)


class Memory:
    """Texts that were read, by their hash; the ones not asked for longest are forgotten first."""

    def __init__(self, limit_characters: int = REMEMBERED_CHARACTERS) -> None:
        self._limit = limit_characters
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def keep(self, text: str, hash_: str = "") -> None:
        """Keep a text; its hash may be given where it is known."""
        hash_ = hash_ or text_hash(text)
        if hash_ not in self._texts:
            self._texts[hash_] = text
            self._characters += len(text)
        self._texts.move_to_end(hash_)
        while self._characters > self._limit:
            self._characters -= len(self._texts.popitem(last=False)[1])

    def recall(self, hash_: str) -> str | None:
        """Return the text that has this hash, if it is still known."""
        return self._texts.get(hash_)


class Workspace:
    """The files below one or several folders, as the user sees them."""

    def __init__(
        self,
        roots: Sequence[Path | Root],
        *,
        home: Path,
        buffers: Buffers | None = None,
        editor: Editor | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Open the folders; the journal lies below `home`. Without an editor, open files can be read but not edited."""
        self.roots = tuple(root if isinstance(root, Root) else Root(root) for root in roots)
        self.home = home
        self.buffers = buffers or Buffers()
        self.editor = editor
        self._patience = patience or Patience()
        self.memory = Memory()
        self._journal = Journal(home, self.roots)
        self._turn = asyncio.Lock()
        self.blobs = Blobs(home / "blobs")
        self._files = Files(self.place, self.buffers, self.shown, self.blobs)
        self.unlisted = ""
        """Why the last listing of files is not whole, where it is not."""
        self.unnamed: tuple[str, ...] = ()
        """Paths, as far as they can be said, that the last listing left out because they are no text."""
        self._listeners: list[Callable[[Landed], None]] = []
        self._left: tuple[Root, ...] = ()
        self._cow: CowView | None = None
        self._to_mend: dict[str, list[tuple[str, str]]] = {}  # key of a file -> (wrong text, right text)

    # ------------------------------------------------------------ names

    def uri(self, path: str) -> Uri:
        """Return the URI of a path, from a root or absolute, as the editor spells it where it is open.

        A URI is taken too. A path from a root means the first root that has it, else the first one. Raises
        PathRefused for one that is longer than any system takes.
        """
        if len(path) > PATH_CHARS_MOST * (1 + 8 * path.startswith("file:")) or path.count("/") > FOLDERS_MOST:
            raise PathRefused(f"{path[:80]}… is no path: it has {len(path):,} characters", hint="name a shorter one")
        if document := self.buffers.get(Uri(path)):
            return document.uri
        if path.startswith("file:") or Path(path).is_absolute():
            return self._spelled(paths.to_uri(paths.to_path(Uri(path)) if path.startswith("file:") else path))
        candidates = [self._spelled(paths.to_uri(root.path / path)) for root in self.roots]
        return next((uri for uri in candidates if self._stands(uri)), candidates[0])

    def shown(self, uri: Uri) -> str:
        """Return how a file is named to people and models: from its root with forward slashes, else in full.

        In full too where that name means a file of an earlier root.
        """
        try:
            path = paths.to_path(uri)
        except PathRefused:
            return uri
        name = paths.shown(path, [root.path for root in self.roots])
        return name if len(self.roots) == 1 or paths.key(self.uri(name)) == paths.key(uri) else path.as_posix()

    def leads_to(self, uri: Uri) -> str:
        """Return the path from its root that a name means once its links are followed; "" outside of the roots."""
        with suppress(PathRefused):
            real = os.path.realpath(paths.to_path(uri))
            for root in self.roots:
                with suppress(PathRefused):
                    return root.relative(real)
        return ""

    def place(self, uri: Uri) -> Place:
        """Return where a file lies; raises PathRefused outside the roots."""
        path = paths.to_path(uri)
        for root in self.roots:
            with suppress(PathRefused):
                return Place(root, root.relative(path))
        raise PathRefused(f"{path} lies outside the workspace", hint="name a path inside it")

    async def use_folders(self, folders: Iterable[Path]) -> None:
        """Take these folders for the roots from now on; what lands right now ends in those it began with.

        Raises PathRefused where one is no folder. One that is left stays open until `close`: somebody may be reading.
        """
        async with self._turn:
            known = {root.path: root for root in (*self.roots, *self._left)}
            fresh = {root.path: root for root in map(Root, folders)}
            self.roots = tuple(known.get(path, root) for path, root in fresh.items())
            self._left = tuple(root for root in (*known.values(), *fresh.values()) if root not in self.roots)
            self._journal = Journal(self.home, self.roots)

    # ------------------------------------------------------------ reading

    async def read(self, path: str) -> Snapshot:
        """Return the text of a file as the user sees it; raises FileMissing, FileSkipped or PathRefused."""
        uri = self.uri(path)
        if document := self.buffers.get(uri):
            snapshot = self._open_snapshot(document)
        else:
            root, inside = self.place(uri)
            snapshot = await asyncio.to_thread(read_disk, root, inside)
        return self._known(snapshot)

    async def files(self, under: str = "") -> tuple[str, ...]:
        """Return the paths of the files below a folder without the ignored ones, and of open files not on disk yet."""
        starts = [self.place(self.uri(under))] if under else [Place(root, "") for root in self.roots]
        on_disk = await asyncio.to_thread(self._walked, starts)
        return (*on_disk, *self._unsaved(starts))

    def follow(self, listener: Callable[[Landed], None]) -> None:
        """Call `listener` after every change set that landed."""
        self._listeners.append(listener)

    def view(self) -> View:
        """Return the workspace as a command finds it."""
        if self._cow is None:
            from attache.workspace.view.cow import CowView

            self._cow = CowView(self.home, self.buffers, self.blobs, self.remember)
        return Views(self._cow, DirectView(self.roots, self.buffers), self.roots)

    async def confinement(self, command: Command) -> Confinement:
        """Return what keeps a command from the machine; nothing does where it runs on the files themselves."""
        if command.view == "direct":
            return UNCONFINED
        from attache.workspace.view.level import level

        standing = await asyncio.to_thread(level, self.home)
        words = f"runs upon what you see, and what it changes waits to be accepted; {standing.words}"
        return Confinement(words, whole=standing.level == "namespaces" and not command.hosts)

    def remember(self, texts: Iterable[str | None]) -> None:
        """Keep texts that edits may name: those of a change set that landed in an earlier process, to undo it now."""
        for text in texts:
            if text is not None:
                self.memory.keep(text)

    # ------------------------------------------------------------ changing

    async def land(self, change_set: ChangeSet) -> Landed:
        """Change all the files of a change set, or none.

        Raises EditRefused or PathRefused and leaves everything as it was. Cancelled, it takes back what it did so far,
        unless all was done by then: then it returns, and the caller is cancelled at its next step.
        """
        landing = Landing(change_set, self._files, self._journal, self.editor, self._patience)
        task = asyncio.ensure_future(self._landed(landing))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            landing.stop()
            await asyncio.wait([task])
            if task.cancelled() or task.exception():
                raise
            if caller := asyncio.current_task():
                caller.cancel()
            return task.result()

    async def undo(self, landed: Landed) -> Landed:
        """Give every file back what it held before, where the change still stands alone; else raise EditRefused."""
        self.remember(outcome.after for outcome in landed.files)
        return await self.land(undo_of(landed))

    def staged(self) -> Staged:
        """Return the workspace with changes only in thought, to be handed to an editor that makes them itself."""
        return Staged(self)

    # ------------------------------------------------------------ after a crash

    async def recover(self) -> tuple[Recovery, ...]:
        """End what a crash has left half done on disk; what it left in open documents, `mend` ends as they open."""
        async with self._turn, self._journal.turn():
            recoveries = await asyncio.to_thread(self._journal.recover)
        for recovery in recoveries:
            for change in recovery.entry.open:
                wrong, right = (change.before, change.after) if recovery.landed else (change.after, change.before)
                self._to_mend.setdefault(paths.key(change.uri), []).append((wrong, right))
        return recoveries

    async def mend(self, uri: Uri) -> None:
        """Bring an open document to where a recovered change set is in the other files; call it when one is opened."""
        document = self.buffers.get(uri)
        for wrong, right in self._to_mend.pop(paths.key(uri), ()) if document else ():
            if document and not same_but_newlines(document.text, right):
                self.remember([wrong])
                edit = EditFile(uri=uri, base_hash=text_hash(wrong), edits=diff(wrong, right))
                with suppress(EditRefused):  # then it holds nothing of the wrong text
                    await self.land(ChangeSet(id=ChangeSetId(new_id("c")), title="After a crash", files=(edit,)))

    def close(self) -> None:
        """Let go of the folders, and of what commands left in their view."""
        if self._cow is not None:
            self._cow.close()
        for root in (*self.roots, *self._left):
            root.close()

    # ------------------------------------------------------------ inside

    async def _landed(self, landing: Landing) -> Landed:
        async with self._turn, self._journal.turn():
            landed = await landing.land(self.memory.recall)
        self.remember(text for outcome in landed.files for text in (outcome.before, outcome.after))
        for listener in tuple(self._listeners):
            listener(landed)
        return landed

    def _known(self, snapshot: Snapshot) -> Snapshot:
        self.memory.keep(snapshot.text, snapshot.hash)
        if (read := _NOTED.get()) is not None:
            read[snapshot.uri] = snapshot.hash
        return snapshot

    def _spelled(self, uri: Uri) -> Uri:
        document = self.buffers.get(uri)
        return document.uri if document else uri

    def _stands(self, uri: Uri) -> bool:
        return self.buffers.get(uri) is not None or os.path.lexists(paths.to_path(uri))

    def _name(self, root: Root, path: str) -> str:
        earlier = takewhile(lambda each: each is not root, self.roots)
        return (root.path / path).as_posix() if any((each.path / path).exists() for each in earlier) else path

    def _walked(self, starts: Sequence[Place]) -> tuple[str, ...]:
        walks = [walk(root, under) for root, under in starts]
        found = tuple(self._name(root, path) for (root, _), each in zip(starts, walks, strict=True) for path in each)
        self.unlisted = "; ".join(reason for each in walks for _, reason in each.skipped if reason.startswith(CUT))
        self.unnamed = tuple(path for each in walks for path, reason in each.skipped if reason == NO_TEXT)
        return found

    def _unsaved(self, starts: Iterable[Place]) -> Iterator[str]:
        for document in self.buffers:
            with suppress(PathRefused):
                root, path = self.place(document.uri)
                below = any(root is start.root and f"{path}/".startswith(start.path) for start in starts)
                if below and not (root.path / path).exists():
                    yield self.shown(document.uri)

    def _open_snapshot(self, document: Document) -> Snapshot:
        return Snapshot(
            uri=document.uri,
            path=self.shown(document.uri),
            text=document.text,
            version=document.version,
            hash=document.hash,
            newline=newline_of(document.text),
        )


class Staged(Workspace):
    """A workspace whose change sets land in thought: later reads see them, and `collected` hands them over as one."""

    def __init__(self, workspace: Workspace) -> None:
        """Look through to `workspace`, which stays as it is."""
        super().__init__(workspace.roots, home=workspace.home, buffers=workspace.buffers)
        self.memory = workspace.memory
        self._sketch = Sketch(self._files, self.memory.recall)

    async def read(self, path: str) -> Snapshot:
        """Return the text of a file as the changes so far leave it."""
        uri = self.uri(path)
        if not self._sketch.touched(uri):
            return await super().read(path)
        held = await self._sketch.held(uri)
        if held is None:
            raise FileMissing(f"{path} is not there any more", hint="list the folder to see what is there")
        return self._known(
            Snapshot(
                uri=uri, path=self.shown(uri), text=held.text, version=held.version, hash=text_hash(held.text),
                encoding=held.encoding, bom=held.bom, newline=newline_of(held.text),
            )
        )  # fmt: skip

    async def files(self, under: str = "") -> tuple[str, ...]:
        """Return the paths of the files below a folder as the changes so far leave them."""
        there, base = dict.fromkeys(await super().files(under)), f"{under.rstrip('/')}/" if under else ""
        for change in self._sketch.changes():
            path = self.shown(change.uri)
            if change.kind == "delete" or (change.kind == "replace" and change.after is None):
                there.pop(path, None)
            elif change.kind in {"create", "edit", "replace"} and path.startswith(base):
                there[path] = None
        return tuple(there)

    async def land(self, change_set: ChangeSet) -> Landed:
        """Make the changes in thought; raises EditRefused or PathRefused as if they were made."""
        await self._sketch.add(change_set)
        return Landed(change_set=change_set, files=tuple(self._sketch.outcomes))

    def collected(self, title: str) -> ChangeSet:
        """Return all the changes as one change set, made against the files as they stood at first."""
        return ChangeSet(id=ChangeSetId(new_id("c")), title=title, files=self._sketch.changes())
