"""What the agent did since the server started, run by run, so that each can be undone and redone in all its files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from attache.schema.data import ChangeSetId
from attache.schema.edits import Landed

if TYPE_CHECKING:
    from attache.agent.session import Session

MOST_KEPT: Final = 100


class Step(NamedTuple):
    """The change sets of one run, or a fix that the user picked."""

    ids: tuple[ChangeSetId, ...]
    title: str
    landed: tuple[Landed, ...]
    """What landed last of it, in order: itself, its undo or its redo."""
    session: Session | None


@dataclass(slots=True)
class Steps:
    """The steps that stand, and those that were undone; the last one last."""

    done: list[Step] = field(default_factory=list[Step])
    undone: list[Step] = field(default_factory=list[Step])
    added: Callable[[Landed, Session | None], None] = lambda _landed, _session: None
    """Told of each change that landed."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a step is taken back, so that one who is quick with two keys gets both."""

    def add(self, landed: Landed, session: Session | None = None) -> None:
        """Note what landed; what was undone before it cannot be redone upon it."""
        self.added(landed, session)
        made = landed.change_set
        self.undone.clear()
        if self.done and made.run_id and self.done[-1].landed[-1].change_set.run_id == made.run_id:
            last = self.done.pop()
            title = f"{last.title.partition(' and ')[0]} and {len(last.ids)} more"
            self.done.append(Step((*last.ids, made.id), title, (*last.landed, landed), session))
        else:
            self.done.append(Step((made.id,), made.title, (landed,), session))
        del self.done[:-MOST_KEPT]
