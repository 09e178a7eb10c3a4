"""What happened, in the order it happened: the session's log, and all that faces render.

A durable event is appended to the log before anything acts on it. A transient one (`durable` is False) only paints: the
durable event that follows it says the same in full.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from attache.schema.data import ApprovalId, CallId, ChangeSetId, HunkId, Record, RunId, SessionId, Uri
from attache.schema.documents import Place
from attache.schema.edits import Landed, Resolution
from attache.schema.messages import Image, Message, Part
from attache.schema.models import Usage
from attache.schema.session import Approval, ApprovalAnswer, Mode, PlanStep, RunStop, Stage


class Happening(Record):
    """What every event shares. Unknown fields are let through, so that an older reader can read a newer log."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    durable: ClassVar[bool] = True


class SessionCreated(Happening):
    """A session began, maybe as a fork of another at one of its events."""

    type: Literal["session.created"] = "session.created"
    cwd: str
    model: str
    mode: Mode
    parent: SessionId | None = None
    parent_seq: int | None = None


class SessionConfigured(Happening):
    """The model, the mode or the title changed."""

    type: Literal["session.configured"] = "session.configured"
    model: str | None = None
    mode: Mode | None = None
    title: str | None = None


class SessionRewound(Happening):
    """Everything after event `to_seq` no longer counts, though the log still tells it."""

    type: Literal["session.rewound"] = "session.rewound"
    to_seq: int


class RunStarted(Happening):
    """The user asked for something."""

    type: Literal["run.started"] = "run.started"
    run_id: RunId
    parts: tuple[Part, ...]
    title: str = ""


class RunFinished(Happening):
    """The run is over, for this reason and at this cost."""

    type: Literal["run.finished"] = "run.finished"
    run_id: RunId
    stop_reason: RunStop
    usage: Usage
    cost_usd: float
    turns: int = 0
    tool_calls: int = 0
    seconds: float = 0.0
    error: str = ""
    hint: str = ""


class TurnStarted(Happening):
    """The model was asked for its next answer."""

    type: Literal["turn.started"] = "turn.started"
    run_id: RunId
    turn: int
    model: str


class StageChanged(Happening):
    """The run moved on: from planning to reading, from executing to verifying."""

    type: Literal["stage.changed"] = "stage.changed"
    run_id: RunId
    stage: Stage


class PlanChanged(Happening):
    """The agent's plan is another, or a step of it has moved."""

    type: Literal["plan.changed"] = "plan.changed"
    run_id: RunId
    steps: tuple[PlanStep, ...]


class NoteTaken(Happening):
    """The agent wrote something down for itself."""

    type: Literal["note.taken"] = "note.taken"
    run_id: RunId
    text: str


class TextStreamed(Happening):
    """A piece of the answer, as it comes."""

    type: Literal["text.delta"] = "text.delta"
    durable: ClassVar[bool] = False
    run_id: RunId
    text: str


class ThinkingStreamed(Happening):
    """A piece of the reasoning, as it comes."""

    type: Literal["thinking.delta"] = "thinking.delta"
    durable: ClassVar[bool] = False
    run_id: RunId
    text: str


class StreamRestarted(Happening):
    """The answer so far was lost on the way and is asked for again: what was streamed of this turn no longer counts."""

    type: Literal["stream.restarted"] = "stream.restarted"
    durable: ClassVar[bool] = False
    run_id: RunId
    reason: str = ""


class MessageAdded(Happening):
    """A message joined the conversation; usage and cost are those of the call that made it."""

    type: Literal["message.added"] = "message.added"
    run_id: RunId
    message: Message
    usage: Usage | None = None
    cost_usd: float = 0.0
    bill: str = ""
    """Names the call that was paid for, so that a fork, which tells it again, does not pay again."""


class ToolStarted(Happening):
    """A tool call is about to run; logged before it does."""

    type: Literal["tool.started"] = "tool.started"
    run_id: RunId
    call_id: CallId
    name: str
    arguments: dict[str, Any]
    title: str = ""
    once: bool = False


class ToolStreamed(Happening):
    """A piece of a running tool's output, as it comes."""

    type: Literal["tool.delta"] = "tool.delta"
    durable: ClassVar[bool] = False
    run_id: RunId
    call_id: CallId
    text: str


class ToolFinished(Happening):
    """A tool call is over."""

    type: Literal["tool.finished"] = "tool.finished"
    run_id: RunId
    call_id: CallId
    name: str
    text: str
    title: str = ""
    places: tuple[Place, ...] = ()
    images: tuple[Image, ...] = ()
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    change_set: ChangeSetId | None = None
    is_error: bool = False
    cached: bool = False
    seconds: float = 0.0


class ApprovalAsked(Happening):
    """A person must decide before the run goes on."""

    type: Literal["approval.asked"] = "approval.asked"
    approval: Approval


class ApprovalAnswered(Happening):
    """A person decided."""

    type: Literal["approval.answered"] = "approval.answered"
    run_id: RunId
    answer: ApprovalAnswer
    by: str = "user"


class ApprovalWithdrawn(Happening):
    """The question no longer stands, since its run ended."""

    type: Literal["approval.withdrawn"] = "approval.withdrawn"
    run_id: RunId
    approval_id: ApprovalId


class FileLanded(Record):
    """What became of one file. An empty hash stands for a file that is not there."""

    uri: Uri
    path: str
    before_hash: str
    after_hash: str
    version: int | None = None
    renamed_from: str = ""


class ChangeLanded(Happening):
    """A change set stands in all its files."""

    type: Literal["change.landed"] = "change.landed"
    run_id: RunId
    change_set: ChangeSetId
    title: str
    step: int
    files: tuple[FileLanded, ...]
    landed: Landed | None = Field(default=None, exclude=True)
    """The change with its texts, for those who hear of it in this process; the log keeps hashes alone."""


class ChangeRefused(Happening):
    """A change set was refused; nothing was changed."""

    type: Literal["change.refused"] = "change.refused"
    run_id: RunId
    change_set: ChangeSetId
    reason: str


class ChangeUndone(Happening):
    """A change set was taken back (or, with `redone`, put back)."""

    type: Literal["change.undone"] = "change.undone"
    change_set: ChangeSetId
    redone: bool = False


class HunkResolved(Happening):
    """A person accepted or rejected a hunk."""

    type: Literal["hunk.resolved"] = "hunk.resolved"
    change_set: ChangeSetId
    hunk: HunkId
    resolution: Resolution


class ErrorRaised(Happening):
    """Something failed beside the run, which goes on; shown once."""

    type: Literal["error.raised"] = "error.raised"
    run_id: RunId | None = None
    where: str
    message: str
    hint: str = ""


Event = Annotated[
    SessionCreated | SessionConfigured | SessionRewound | RunStarted | RunFinished | TurnStarted | StageChanged
    | TextStreamed | ThinkingStreamed | StreamRestarted | MessageAdded | ToolStarted | ToolStreamed | ToolFinished
    | ApprovalAsked | ApprovalAnswered | ApprovalWithdrawn | ChangeLanded | ChangeRefused | ChangeUndone
    | HunkResolved | ErrorRaised | PlanChanged | NoteTaken,
    Field(discriminator="type"),
]  # fmt: skip


class Entry(Record):
    """An event in its place in a session's log. `seq` counts from 1; a transient one repeats the last."""

    session_id: SessionId
    seq: int
    at: float
    """Seconds since the epoch."""
    event: Event
