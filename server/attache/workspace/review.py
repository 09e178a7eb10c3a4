"""What of the agent's changes nobody has looked at yet: hunks that follow the user's typing until accepted or rejected.

What the user types outside of hunks is theirs and stays when hunks are rejected; what they type inside one becomes part
of it, and may split it or end it. Undoing a change in the editor ends its hunks as well.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, HunkId, Uri
from attache.schema.edits import (
    ChangeSet,
    CreateFile,
    DeleteFile,
    EditFile,
    FileChange,
    FileOutcome,
    Hunk,
    Landed,
    ReplaceFile,
    Resolution,
    SetFolder,
    SetMode,
    TextEdit,
)
from attache.schema.errors import EditRefused
from attache.workspace.blobs import described
from attache.workspace.documents import BufferChange, Buffers, split_lines, text_hash
from attache.workspace.edits import line_starts, other_way
from attache.workspace.marks import Mark, Marked
from attache.workspace.paths import key

REMEMBERED_TEXTS = 32  # of one file: we are told of a change only once it has landed in all files of its set


@dataclass(slots=True)
class Page:
    """A file under review."""

    outcome: FileOutcome
    """What the last change set made of it."""
    marked: Marked
    created: bool
    """Whether it is the agent's own, and nothing stands for the whole of it."""
    there: bool
    past: deque[Marked] = field(default_factory=lambda: deque[Marked](maxlen=REMEMBERED_TEXTS))


@dataclass(frozen=True, slots=True)
class Other:
    """A change that is none of text, under review: taken or left as a whole."""

    hunk: Hunk
    change: ReplaceFile | SetMode


class Review:
    """The hunks that wait for a person, in every file. Listeners get the URI of a file whose hunks changed."""

    def __init__(self, buffers: Buffers) -> None:
        """Follow the typing in the open buffers."""
        self._buffers = buffers
        self._pages: dict[str, Page] = {}
        self._others: dict[tuple[str, str], Other] = {}  # by URI and kind of change
        self._listeners: list[Callable[[Uri], None]] = []
        self._rejecting: dict[ChangeSetId, frozenset[HunkId]] = {}
        self._counts: Counter[ChangeSetId] = Counter()
        self._stop = buffers.subscribe(self._heard)

    def subscribe(self, listener: Callable[[Uri], None]) -> Callable[[], None]:
        """Call `listener` whenever the hunks of a file have changed; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def close(self) -> None:
        """Follow the typing no more."""
        self._stop()

    # ------------------------------------------------------------ what waits

    def pending(self, uri: Uri | None = None) -> tuple[Hunk, ...]:
        """Return the hunks of a file, or of all files, in the order they stand in."""
        pages = self._pages.values() if uri is None else [page] if (page := self._pages.get(key(uri))) else []
        others = (other.hunk for other in self._others.values() if uri is None or key(other.hunk.uri) == key(uri))
        return (*(_hunk(page, mark) for page in pages for mark in page.marked.marks), *others)

    def add(self, landed: Landed) -> tuple[Hunk, ...]:
        """Take up what a change set has changed; return the hunks that it added, as they stand now."""
        known = {hunk.id for hunk in self.pending()}
        for outcome in landed.files:
            if outcome.other is None:
                self._add(outcome, landed.change_set)
            else:
                self._add_other(outcome, outcome.other, landed.change_set)
            self._tell(outcome.uri)
        return tuple(hunk for hunk in self.pending() if hunk.id not in known)

    def accept(self, ids: Collection[HunkId]) -> tuple[Hunk, ...]:
        """Let hunks stand; return them."""
        accepted = self._found(ids, "accepted")
        for page in self._pages.values():
            page.created = page.created and not any(mark.id in ids for mark in page.marked.marks)
        self._unmark(ids)
        return accepted

    def reject(self, ids: Collection[HunkId]) -> ChangeSet:
        """Return the change set that takes hunks back; they are pending until it has landed and `saw` is told of it."""
        rejected = self._found(ids, "rejected")
        titles = ", ".join(dict.fromkeys(hunk.title for hunk in rejected))
        files = tuple(
            _restored(page, chosen)
            for page in self._pages.values()
            if (chosen := tuple(mark for mark in page.marked.marks if mark.id in ids))
        )
        files += tuple(other_way(other.change) for other in self._others.values() if other.hunk.id in ids)
        id_ = ChangeSetId(new_id("c"))
        self._rejecting[id_] = frozenset(ids)
        return ChangeSet(id=id_, title=f"Reject: {titles}", files=files, step=rejected[0].step)

    def saw(self, landed: Landed) -> None:
        """Take note of a change set that needs no review: a rejection, an undo, or the user's own command."""
        rejected = self._rejecting.pop(landed.change_set.id, frozenset[HunkId]())
        for outcome in landed.files:
            if self._ended(outcome):
                self._tell(outcome.uri)
            if outcome.other is None and (page := self._pages.get(key(outcome.uri))):
                if not page.there and outcome.after is not None and not rejected:
                    del self._pages[key(outcome.uri)]  # what was deleted is there again
                    self._tell(outcome.uri)
                    continue
                start = self._as_it_was(page, outcome.before or "")
                marked = start.restored(rejected)
                if marked.text != (outcome.after or ""):
                    marked = start.turned_into(outcome.after or "", self._new_id)
                page.there = outcome.after is not None
                self._turn(key(outcome.uri), page, self._typed_since(marked, outcome))
        self._unmark(rejected)

    def saw_text(self, uri: Uri, text: str | None) -> None:
        """Take note of what a file holds since others changed it, or its document was closed; None: it is gone."""
        at = key(uri)
        page = self._pages.get(at)
        if page is None:
            return
        page.there = text is not None
        self._turn(at, page, page.marked.turned_into(text, self._new_id) if text is not None else Marked(()))

    # ------------------------------------------------------------ inside

    def _heard(self, change: BufferChange) -> None:
        at = key(change.uri)
        page, document = self._pages.get(at), self._buffers.get(change.uri)
        if page is None or document is None or not page.there:
            return
        marked = page.marked
        for edit in change.edits:
            page.past.append(marked)
            marked = marked.typed(edit, self._new_id)
        if change.kind == "open":
            marked = marked.turned_into(document.text, self._new_id)
        self._turn(at, page, marked)

    def _add(self, outcome: FileOutcome, by: ChangeSet) -> None:
        page = self._pages.pop(key(outcome.renamed_from or outcome.uri), None)
        before = outcome.before or ""
        start = self._as_it_was(page, before) if page else Marked(tuple(split_lines(before)))
        marked = self._typed_since(start.turned_into(outcome.after or "", self._new_id, by), outcome)
        created = page.created if page else outcome.before is None
        if marked.marks:
            self._pages[key(outcome.uri)] = Page(outcome, marked, created, there=outcome.after is not None)

    def _as_it_was(self, page: Page, text: str) -> Marked:
        """Return the page at an earlier text: editors report our own changes before we are told that they are ours."""
        lines = tuple(split_lines(text))
        known = (marked for marked in (page.marked, *reversed(page.past)) if marked.lines == lines)
        return next(known, None) or page.marked.turned_into(text, self._new_id)

    def _typed_since(self, marked: Marked, outcome: FileOutcome) -> Marked:
        document = self._buffers.get(outcome.uri) if outcome.version is not None else None
        return marked.turned_into(document.text, self._new_id) if document else marked

    def _add_other(self, outcome: FileOutcome, change: ReplaceFile | SetMode | SetFolder, by: ChangeSet) -> None:
        """Take up a change of no text; one upon another is one from where the first began."""
        if isinstance(change, SetFolder):
            return
        at = (outcome.uri, change.kind)
        if earlier := self._others.pop(at, None):
            change = change.model_copy(update={"before": earlier.change.before})
        before, after = _said(change)
        if before == after:
            return
        hunk = Hunk(
            id=self._new_id(by), change_set=by.id, title=by.title, step=by.step, uri=outcome.uri, path=outcome.path,
            start_line=1, before=before, after=after,
        )  # fmt: skip
        self._others[at] = Other(hunk, change)

    def _ended(self, outcome: FileOutcome) -> bool:
        """Forget what waited for a file that is another now, or not there any more; return whether anything did."""
        replaced = isinstance(outcome.other, ReplaceFile)
        kinds: set[str] = {outcome.other.kind} if outcome.other else set()
        if replaced or (outcome.other is None and None in {outcome.before, outcome.after}):
            kinds = {"mode", "replace"}
        ended = [self._others.pop((outcome.uri, kind), None) for kind in kinds]
        # Not by the key: what is a link by now has that of another file.
        found = [at for at, page in self._pages.items() if replaced and page.outcome.uri == outcome.uri]
        for at in found:
            del self._pages[at]
        return bool(found) or any(ended)

    def _unmark(self, ids: Collection[HunkId]) -> None:
        for at, other in tuple(self._others.items()):
            if other.hunk.id in ids:
                del self._others[at]
                self._tell(other.hunk.uri)
        for at, page in tuple(self._pages.items()):
            if any(mark.id in ids for mark in page.marked.marks):
                page.past = deque((one.without(ids) for one in page.past), REMEMBERED_TEXTS)
                self._turn(at, page, page.marked.without(ids))

    def _turn(self, at: str, page: Page, marked: Marked) -> None:
        """Give a page what is marked on it now, and tell of it; close it once it has been without marks for a while."""
        differs = page.marked.marks != marked.marks
        page.marked = marked
        if not page.there or not any(one.marks for one in (marked, *page.past)):
            self._pages.pop(at, None)
        if differs:
            self._tell(page.outcome.uri)

    def _tell(self, uri: Uri) -> None:
        for listener in tuple(self._listeners):
            listener(uri)

    def _found(self, ids: Collection[HunkId], resolution: Resolution) -> tuple[Hunk, ...]:
        found = tuple(hunk for hunk in self.pending() if hunk.id in ids)
        if not found:
            raise EditRefused("this change is no longer pending", hint="it was resolved, or typed over")
        return tuple(hunk.model_copy(update={"resolution": resolution}) for hunk in found)

    def _new_id(self, change_set: ChangeSet) -> HunkId:
        self._counts[change_set.id] += 1
        return HunkId(f"{change_set.id}.{self._counts[change_set.id]}")


def _hunk(page: Page, mark: Mark) -> Hunk:
    return Hunk(
        id=mark.id,
        change_set=mark.change_set.id,
        title=mark.change_set.title,
        step=mark.change_set.step,
        uri=page.outcome.uri,
        path=page.outcome.path,
        start_line=mark.start + 1,
        before=tuple(line for line in mark.before if line),
        after=tuple(line for line in page.marked.lines[mark.start : mark.end] if line),
    )


def _said(change: ReplaceFile | SetMode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what stood and what stands there, in words: bytes and links have no lines."""
    if isinstance(change, SetMode):
        return (f"mode {change.before:o}\n",), (f"mode {change.mode:o}\n",)
    words = (described(change.before), described(change.after))
    before, after = ((f"{each}\n",) if each else () for each in words)
    return before, after


def _restored(page: Page, marks: tuple[Mark, ...]) -> FileChange:
    """Return the change that gives back what the marks stand for, all else in the file left as it is."""
    uri, outcome, now = page.outcome.uri, page.outcome, page.marked
    text = Marked(now.lines, marks).base
    if not page.there:
        return CreateFile(uri=uri, text=text, encoding=outcome.encoding, bom=outcome.bom, mode=outcome.mode)
    base_hash = text_hash(now.text)
    if page.created and not text:
        return DeleteFile(uri=uri, base_hash=base_hash)
    starts = line_starts(now.lines)
    edits = (
        TextEdit(start=starts[mark.start], end=starts[mark.end], text="".join(mark.before)) for mark in marks
    )  # fmt: skip
    return EditFile(uri=uri, base_hash=base_hash, edits=tuple(edits))
