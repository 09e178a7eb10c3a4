"""Who wrote a line: what the agent changed since the server started, followed through all that is typed after it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from attache.faces.lsp.steps import MOST_KEPT
from attache.schema.events import ChangeLanded, Entry, MessageAdded, RunStarted
from attache.schema.messages import Message

if TYPE_CHECKING:
    from attache.agent.session import Session
    from attache.faces.lsp.server import Server
    from attache.schema.data import ChangeSetId
    from attache.schema.edits import Hunk, Landed
    from attache.workspace.documents import Document
    from attache.workspace.review import Review

_CHARACTERS: Final = 400
_STEPS: Final = 10 * MOST_KEPT


class Change(NamedTuple):
    """A change set that landed."""

    title: str
    step: int
    at: float
    session: Session | None


class Authors:
    """The lines that the agent wrote. Accepting a hunk does not end this; changing its lines back does."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._review: Review | None = None
        self._changes: dict[ChangeSetId, Change] = {}

    def add(self, landed: Landed, session: Session | None) -> None:
        """Note whose lines a change set left."""
        if self._review is None:
            from attache.workspace.review import Review

            self._review = Review(self._server.buffers)
        made = landed.change_set
        self._changes[made.id] = Change(made.title, made.step, time.time(), session)
        if len(self._changes) > _STEPS:
            del self._changes[next(iter(self._changes))]
        self._review.add(landed)

    def saw(self, landed: Landed) -> None:
        """Note that lines were taken back."""
        if self._review is not None:
            self._review.saw(landed)

    async def told(self, document: Document, line: int) -> str:
        """Return as Markdown how a line, from 0, came about; empty where it is none of the agent's."""
        hunk = self._hunk(document, line + 1)
        change = self._changes.get(hunk.change_set) if hunk else None
        if hunk is None or change is None:
            return ""
        step = f" · step {change.step}" if change.step else ""
        head = f'**Attaché**{step} "{change.title}"'
        if change.session is None:
            return f"{head} · a fix that you picked, {_when(change.at)}"
        entries = await change.session.resources.log.read(change.session.id)
        return "\n\n".join(
            [f"{head}{_turn(entries, hunk.change_set)} · {_when(change.at)}", *_why(entries, hunk.change_set)]
        )

    def _hunk(self, document: Document, line: int) -> Hunk | None:
        pending = self._review.pending(document.uri) if self._review else ()
        return next((hunk for hunk in pending if hunk.start_line <= line < hunk.start_line + len(hunk.after)), None)


def _turn(entries: tuple[Entry, ...], change_set: ChangeSetId) -> str:
    """Return in which turn of its run a change was made, by which model and at what cost."""
    said = _answers(entries, change_set)
    if not said:
        return ""
    last = said[-1]
    cost = f" · ${last.cost_usd:.3f}" if last.cost_usd else ""
    whole = sum(each.cost_usd for each in said)
    run = f" (${whole:.3f} in {len(said)} turns)" if whole and len(said) > 1 else ""
    return f" · turn {len(said)}{cost}{run}"


def _why(entries: tuple[Entry, ...], change_set: ChangeSetId) -> list[str]:
    """Return what was asked, and what the model said as it made a change."""
    asked, reason = "", ""
    for entry in entries:
        if isinstance(entry.event, RunStarted):
            asked = entry.event.title or Message(role="user", parts=entry.event.parts).title
        if isinstance(entry.event, ChangeLanded) and entry.event.change_set == change_set:
            break
    said = _answers(entries, change_set)
    if said:
        reason = said[-1].message.text.strip()
    told = [f"asked: {asked}"] if asked else []
    cut = reason[:_CHARACTERS].rstrip() + ("…" if len(reason) > _CHARACTERS else "")
    return [*told, *(["> " + cut.replace("\n", "\n> ")] if cut else [])]


def _answers(entries: tuple[Entry, ...], change_set: ChangeSetId) -> list[MessageAdded]:
    """Return the model's answers of a run up to the one that made a change."""
    said: list[MessageAdded] = []
    for entry in entries:
        match entry.event:
            case RunStarted():
                said = []
            case MessageAdded(message=message) if message.role == "assistant":
                said.append(entry.event)
            case ChangeLanded() as event if event.change_set == change_set:
                return said
            case _:
                pass
    return []


def _when(at: float) -> str:
    return time.strftime("%H:%M", time.localtime(at))
