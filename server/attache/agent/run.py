"""One user request under way: what it may use, and what it has used up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from attache.agent.approvals import Approver
from attache.agent.context import Gauge
from attache.foundation.ids import new_id
from attache.foundation.settings import Settings
from attache.providers.model import Model
from attache.schema.data import CallId, ChangeSetId, RunId
from attache.schema.edits import ChangeSet, FileChange
from attache.schema.events import Event
from attache.schema.models import Usage
from attache.schema.session import Mode, SessionState
from attache.schema.tools import Effect
from attache.security.policy import Verdict, decide
from attache.tools.tool import Context, Tools


@dataclass(slots=True)
class Run:
    """What the loop and the pipeline work with. Built by the session; dies with the run."""

    id: RunId
    model: Model
    settings: Settings
    mode: Mode
    tools: Tools
    context: Context
    approver: Approver
    system: str
    record: Callable[[Event], Awaitable[None]]
    """Append a durable event; returns once it cannot be lost any more."""
    paint: Callable[[Event], None]
    """Show a transient event."""
    price: Callable[[Usage], float]
    """What usage costs in US dollars, 0 where nobody knows."""
    state: Callable[[], SessionState]
    """The session's state, as the events so far make it."""
    inbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    """What the user says while the run goes on."""
    gauge: Gauge = field(default_factory=Gauge)
    started: float = field(default_factory=time.monotonic)
    turns: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0
    malformed: int = 0
    """Calls that could not be read."""
    recent: list[str] = field(default_factory=list[str])
    """The last calls, to notice a model that goes in circles."""

    calling: CallId = field(default=CallId(""))
    """The call under way; of several reads side by side, the last to begin."""

    def verdict(self, effect: Effect, pattern: str = "") -> Verdict:
        """Return what the policy says to a call with this effect, now."""
        verdict = decide(
            effect, mode=self.mode, approve=self.settings.approve, grants=self.state().grants, pattern=pattern
        )  # fmt: skip
        if verdict.choice == "allow" and effect == "workspace" and self.settings.review == "before":
            return Verdict("ask", "you review edits before they land")
        return verdict

    def change_set(self, title: str, files: Sequence[FileChange]) -> ChangeSet:
        """Return the files' changes as the session's next step."""
        step = self.state().steps + 1
        return ChangeSet(id=ChangeSetId(new_id("c")), title=title, files=tuple(files), run_id=self.id, step=step)

    def heard(self) -> Sequence[str]:
        """Take what the user said since the last turn."""
        said: list[str] = []
        while not self.inbox.empty():
            said.append(self.inbox.get_nowait())
        return said
