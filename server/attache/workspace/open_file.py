"""An edit in a document that an editor holds: asked for, seen to arrive, and taken back where it came out wrong.

What the editor answers is never believed: one checks no version, another says it applied what it skipped, a third lets
the user type in between. The changes that it reports are the only truth, so they are all kept while an edit is under
way, and the text that the edit was to make is looked for among the texts that the document went through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from attache.schema.data import Uri
from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.workspace.documents import BufferChange, BufferEdit, Buffers, Document
from attache.workspace.edits import apply, carry, diff, rebase, same_but_newlines, trimmed, with_lf
from attache.workspace.held import OpenEdit
from attache.workspace.lines import changed
from attache.workspace.spares import Disturbed

ATTEMPTS = 10
LEAD_ATTEMPTS = 100  # the user may be typing all the while, and there is no other way out
ANSWER_SECONDS = 120  # some editors ask the user first


class Editor(Protocol):
    """Whoever shows the user the open documents."""

    async def apply(self, uri: Uri, version: int, edits: Sequence[TextEdit], base: str, label: str) -> bool:
        """Ask for edits in one document, made against `base`, which is its text at `version`.

        Return the editor's answer, False where there is none within a few seconds; it is never believed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a change is waited for, in seconds."""

    silence: float = 3.0
    """While the editor reports nothing at all: it may gather changes before it does."""
    other: float = 0.5
    """Once it has reported another change than the one that we wait for."""


class Arrival(NamedTuple):
    """Where an edit came out: the text at index `upon` became the one at index `at` by it."""

    upon: int
    at: int


class Written(NamedTuple):
    """An edit that stands: the texts it made of each other, and the version that the document had then."""

    before: str
    after: str
    version: int


class OpenFile:
    """One open document while a change set lands in it, with every text that it goes through."""

    def __init__(self, document: Document, buffers: Buffers, editor: Editor, patience: Patience, path: str) -> None:
        self.uri = document.uri
        self.path = path
        self.closed = False
        self._editor = editor
        self._patience = patience
        self._shadow = Document(document.uri, document.text, version=document.version)
        self._texts = [document.text]
        self._versions = [document.version]
        self._steps: list[TextEdit] = []  # step n makes text n + 1 of text n
        self._news = asyncio.Event()
        self._reports = 0
        self._way: tuple[TextEdit, ...] = ()
        self._since = 0  # the text that `_way` is made against
        self._saved: int | None = None  # the text that was saved last
        self.forget: Callable[[], None] = buffers.subscribe(self._heard)
        """Call it in the end."""

    @property
    def text(self) -> str:
        """Return the text as the editor last reported it."""
        return self._texts[-1]

    async def write(self, edit: OpenEdit, label: str) -> Written:
        """Bring an edit into the document, moved along with what the user types meanwhile; `lead` then takes it back.

        Raises EditRefused where it no longer stands alone, or where the editor does not take it, and Disturbed where
        the document is closed.
        """
        for _ in range(ATTEMPTS):
            upon, reports = len(self._texts) - 1, self._reports
            arrival = await self._ask(rebase(edit.base, self.text, edit.edits, self.path), label)
            if arrival is not None:
                before, after = self._texts[arrival.upon], self._texts[arrival.at]
                self._way, self._since = trimmed(after, diff(after, before)), arrival.at
                if arrival.upon == upon:
                    return Written(before, after, self._versions[arrival.at])
                await self.lead(label)
            elif self.closed:
                raise Disturbed(self.path)
            elif self._reports == reports:
                break  # not taken, though nothing was in its way
        raise EditRefused(f"{self.path}: the editor did not take the change", hint="see whether it is read-only there")

    # ------------------------------------------------------------ leading to a text

    def aim(self, text: str) -> None:
        """Let `lead` bring the document from its text as it is now to this one."""
        self._way, self._since = trimmed(self.text, diff(self.text, text)), len(self._texts) - 1

    @property
    def goal(self) -> str:
        """Return the text that the document is to be led to: back before `write`, or to its aim, all typing kept."""
        return apply(self.text, carry(self._way, self._steps[self._since :]))

    async def lead(self, label: str) -> None:
        """Bring the document to its goal, whatever the user types meanwhile; raises Disturbed where it is closed."""
        attempts = 0
        while not arrived(self.text, self.goal):
            if self.closed:
                raise Disturbed(self.path)
            if attempts == LEAD_ATTEMPTS:
                raise EditRefused(f"{self.path}: the editor does not let the change be undone", hint="undo it there")
            attempts += 1
            arrival = await self._ask(carry(self._way, self._steps[self._since :]), label)
            if arrival is not None:
                before, after = self._texts[arrival.upon], self._texts[arrival.at]
                meant = apply(before, carry(self._way, self._steps[self._since : arrival.upon]))
                self._way, self._since = trimmed(after, diff(after, meant)), arrival.at
        self._way = ()

    def goal_since_closed(self, text: str) -> str:
        """Return what `text`, the file's on disk or where it is open again, has to become for the document's goal."""
        saved = len(self._texts) - 1 if self._saved is None else self._saved
        if saved < self._since or (self._saved is None and not same_but_newlines(text, self.text)):
            return text  # it was never saved with what was written
        others = in_turn(self._texts[saved], diff(self._texts[saved], text))
        return apply(text, carry(self._way, (*self._steps[self._since : saved], *others)))

    # ------------------------------------------------------------ asking and hearing

    async def _ask(self, edits: tuple[TextEdit, ...], label: str) -> Arrival | None:
        """Ask the editor for edits in the text as it is now; return where they came out, None where they did not."""
        upon, reports, clock = len(self._texts) - 1, self._reports, asyncio.get_running_loop().time
        asked = asyncio.ensure_future(self._editor.apply(self.uri, self._versions[-1], edits, self.text, label))
        asked.add_done_callback(self._answered)
        deadline, answered, moved_on = clock() + ANSWER_SECONDS, False, False
        while (arrival := self._arrival(upon, edits)) is None and not self.closed:
            self._news.clear()
            if asked.done() and not answered:
                deadline, answered = clock() + self._patience.silence, True
            if answered and not moved_on and self._reports > reports:
                deadline, moved_on = min(deadline, clock() + self._patience.other), True
            if moved_on and not asked.result():
                break  # it says no, and we see why
            try:
                async with asyncio.timeout_at(deadline):
                    await self._news.wait()
            except TimeoutError:
                break
        return arrival

    def _answered(self, asked: asyncio.Future[bool]) -> None:
        self._news.set()
        if not asked.cancelled():
            asked.exception()  # looked at, so that nothing complains where nobody waits any more

    def _arrival(self, upon: int, edits: Sequence[TextEdit]) -> Arrival | None:
        """Look for the text that the edits make of the one they were meant for, or of a later one that they met."""
        aims = [ways_out(self._texts[upon], edits, text) for text in self._texts[upon:-1]]
        for at in range(upon + 1, len(self._texts)):
            text = self._texts[at]
            starts = [
                upon + number
                for number, ways in enumerate(aims[: at - upon])
                if any(arrived(text, aim) for aim in ways)
            ]
            if starts:
                # What the user typed where we remove something leaves no trace in the text, only on the way to it.
                told = self._texts[upon]
                return Arrival(next((s for s in starts if not self._lost(s, at, told, edits)), starts[0]), at)
        return None

    def _lost(self, start: int, end: int, told: str, edits: Sequence[TextEdit]) -> bool:
        """Return whether something that others put in on the way from one text to another is gone in the end.

        One edit of ours may remove what another has put in, where the lines are shorter by then than they were.
        """
        if set(map(with_lf, self._texts[start + 1 : end])) <= passed(told, edits, self._texts[start]):
            return False
        text = with_lf(self._texts[end])
        return any(with_lf(step.text) not in text for step in self._steps[start:end])

    def _heard(self, change: BufferChange) -> None:
        if change.uri != self.uri:
            return
        if change.kind in {"open", "close"}:
            self.closed = True
        if change.kind == "save":
            self._saved = len(self._texts) - 1
        for edit in change.edits:
            self._follow(edit)
            self._versions += [change.version] * (len(self._texts) - len(self._versions))
        self._versions[-1] = change.version
        self._reports += 1
        self._news.set()

    def _follow(self, edit: BufferEdit) -> None:
        """Keep an edit that was reported, taken apart into the stretches that really changed."""
        text, shadow = self.text, self._shadow
        start, end = shadow.offset(*edit.start), shadow.offset(*edit.end)
        shadow.replace(*edit)
        whole = (TextEdit(start=start, end=end, text=edit.text),)
        for stretch in stretches(text, whole):
            self._steps.append(stretch)
            self._texts.append(apply(self.text, (stretch,)))


def arrived(text: str, aim: str) -> bool:
    """Return whether a text is the one aimed at, line ends aside: some editors end a last line that has no end."""
    return same_but_newlines(text, aim) or (bool(aim) and same_but_newlines(text, f"{aim}\n"))


def in_turn(text: str, edits: Iterable[TextEdit]) -> tuple[TextEdit, ...]:
    """Return edits of a text cut down to the characters they change, so ordered that one can follow another."""
    pieces = [
        TextEdit(start=edit.start + start, end=edit.start + end, text=edit.text[new_start:new_end])
        for edit in edits
        for start, end, new_start, new_end in changed(text[edit.start : edit.end], edit.text)
    ]
    return tuple(reversed(pieces))


def stretches(text: str, whole: Sequence[TextEdit]) -> tuple[TextEdit, ...]:
    """Return one reported edit as the stretches of the text that it really changed, in turn."""
    return in_turn(text, diff(text, apply(text, whole)) if "\n" in whole[0].text else whole)


def passed(meant: str, edits: Sequence[TextEdit], text: str) -> set[str]:
    """Return the texts on the way, where edits made against one text are made in another in turn, from the end on."""
    told, there = Document(Uri(""), meant), Document(Uri(""), text)
    found: set[str] = set()
    for edit in reversed(edits):
        before = there.text
        start, end = told.position(edit.start), told.position(edit.end)
        whole = (TextEdit(start=there.offset(*start), end=there.offset(*end), text=edit.text),)
        there.replace(start, end, edit.text)
        for stretch in stretches(before, whole):
            before = apply(before, (stretch,))
            found.add(with_lf(before))
    return found


def ways_out(meant: str, edits: Sequence[TextEdit], text: str) -> tuple[str, ...]:
    """Return what edits made against one text may make of another, in an editor that goes by lines and columns.

    Where these lie past the end, it matters whether it makes all edits at once or one after the other from the end on.
    """
    if text == meant:
        return (apply(text, edits),)
    told, there, in_turns = Document(Uri(""), meant), Document(Uri(""), text), Document(Uri(""), text)
    at_once: list[TextEdit] = []
    for edit in edits:
        start, end = told.position(edit.start), told.position(edit.end)
        low = max(there.offset(*start), at_once[-1].end if at_once else 0)
        at_once.append(TextEdit(start=low, end=max(low, there.offset(*end)), text=edit.text))
    for edit in reversed(edits):
        in_turns.replace(told.position(edit.start), told.position(edit.end), edit.text)
    return apply(text, at_once), in_turns.text
