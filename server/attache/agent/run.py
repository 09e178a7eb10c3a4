"""One user request under way: what it may use, and what it has used up."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from attache.agent.answers import Answers
from attache.agent.approvals import Approver
from attache.agent.budget import Budget
from attache.agent.context import Gauge
from attache.foundation.ids import new_id
from attache.foundation.settings import Settings
from attache.providers.model import Model
from attache.schema.data import CallId, ChangeSetId, RunId
from attache.schema.edits import ChangeSet, FileChange
from attache.schema.events import Event
from attache.schema.messages import ToolCall
from attache.schema.models import ModelInfo, Usage
from attache.schema.session import Mode, SessionState
from attache.schema.tools import Cost, Effect, ToolOutput
from attache.security.policy import Verdict, decide, with_rules
from attache.security.rules import Rules
from attache.security.veil import Veil
from attache.tools.tool import Context, Tools

Next = Callable[[], Awaitable[ToolOutput]]
Middleware = Callable[["Run", ToolCall, Next], Awaitable[ToolOutput]]
"""A step of others around every call: `async def step(run, call, proceed) -> ToolOutput`.

It stands behind validation, permission and budget, so it can refuse (raise ToolError), watch, or change the output; it
cannot allow what was denied. The call it is given is the one that was allowed.
"""


@dataclass(slots=True)
class Run:
    """What the loop and the pipeline work with. Built by the session; dies with the run."""

    id: RunId
    model: Model
    """The model that answers now."""
    settings: Settings
    mode: Mode
    tools: Tools
    """Those that can be called."""
    offered: Tools
    """Those that the model is told of."""
    context: Context
    approver: Approver
    system: str
    record: Callable[[Event], Awaitable[None]]
    """Append a durable event; returns once it cannot be lost any more."""
    note: Callable[[Event], object]
    """Append a durable event with what follows, without waiting: for what nothing acts on before that is recorded."""
    settled: Callable[[], Awaitable[None]]
    """Return once all that was noted cannot be lost any more."""
    paint: Callable[[Event], None]
    """Show a transient event."""
    price: Callable[[ModelInfo, Usage], float | None]
    """What a model's usage costs in US dollars, None where nobody knows."""
    budget: Budget
    state: Callable[[], SessionState]
    """The session's state, as the events so far make it."""
    veil: Veil
    """What keeps personal data from models."""
    rules: Rules = field(default_factory=Rules)
    middleware: Sequence[Middleware] = ()
    answers: Answers = field(default_factory=Answers)
    fallbacks: list[Model] = field(default_factory=list[Model])
    """The models that answer where this one cannot, the next one first."""
    inbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    """What the user says while the run goes on."""
    gauge: Gauge = field(default_factory=Gauge)
    """How far our estimate is off for the model that answers now; the session keeps it."""
    started: float = field(default_factory=time.monotonic)
    turns: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0
    charged: Counter[Cost] = field(default_factory=Counter[Cost])
    """Calls made, by cost tier."""
    output_schema: dict[str, Any] | None = None
    """JSON Schema that the answer must fit."""
    shared: dict[str, bool] = field(default_factory=dict[str, bool])
    """Kinds of personal data, and whether the user lets the model see them."""
    told_of_rules: bool = False
    """Whether it was said that the rules are broken."""
    unpriced: bool = False
    """Whether it was said that a price is unknown, so that no budget can hold it."""
    malformed: int = 0
    """Answers that could not be used: calls that could not be read, and nothing at all."""
    recent: list[str] = field(default_factory=list[str])
    """The last calls, to notice a model that goes in circles."""

    calling: CallId = field(default=CallId(""))
    """The call under way; of several reads side by side, the last to begin."""
    using: str = ""
    """The name of the tool that it uses."""

    def verdict(self, effect: Effect, pattern: str = "", ruled: Sequence[Verdict | None] = ()) -> Verdict:
        """Return what the policy says to a call with this effect, now, and what the user's rules make of that."""
        grants = self.state().grants
        verdict = decide(effect, mode=self.mode, approve=self.settings.approve, grants=grants, pattern=pattern)
        if verdict.choice == "allow" and effect == "workspace" and self.settings.review == "before":
            verdict = Verdict("ask", "you review edits before they land")
        return with_rules(verdict, ruled, granted=pattern in grants)

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
