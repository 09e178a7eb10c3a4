"""Sessions, the modes they run in, approvals, and the state that the event log folds into."""

from __future__ import annotations

from typing import Literal

from attache.schema.data import ApprovalId, CallId, Record, RunId, SessionId
from attache.schema.messages import Message
from attache.schema.models import Usage

Mode = Literal["build", "plan", "explore"]
Stage = Literal["INITIAL", "PLANNING", "READING", "EXECUTING", "VERIFYING", "COMPLETION"]
ApprovePolicy = Literal["never", "ask", "edits", "all"]
"""never: nothing that needs approval runs. ask: each asks. edits: edits land, the rest asks. all: nothing asks."""
ApprovalChoice = Literal["allow_once", "allow_session", "deny"]
RunStop = Literal[
    "end_turn",
    "max_turns",
    "max_tokens",
    "budget",
    "interrupted",
    "approval_needed",
    "edit_refused",
    "refusal",
    "error",
]


class PlanStep(Record):
    """A step of the agent's plan, as everybody sees it."""

    text: str
    state: Literal["pending", "in_progress", "completed"] = "pending"


class Question(Record):
    """What the agent wants to know of the person; any words may answer it, the choices are offered."""

    run_id: RunId
    call_id: CallId
    text: str
    choices: tuple[str, ...] = ()


class Approval(Record):
    """A question that only a person may answer: what, where, with what effect.

    `digest` is the hash of exactly what is shown; an answer must carry it, so consent never covers more.
    """

    id: ApprovalId
    run_id: RunId
    call_id: CallId
    tool: str
    title: str
    """What: the argv as it will be run, or the edit, control characters made visible."""
    detail: tuple[tuple[str, str], ...] = ()
    """Where and with what effect, as (label, value) rows in the order shown."""
    pattern: str = ""
    """What `allow_session` would cover, in full."""
    digest: str


class ApprovalAnswer(Record):
    """A person's answer to an approval, bound to what was shown."""

    approval_id: ApprovalId
    digest: str
    choice: ApprovalChoice
    reason: str = ""
    pattern: str = ""
    """What an `allow_session` covers; filled in from the approval, never taken from outside."""


class SessionInfo(Record):
    """One row of the session list."""

    id: SessionId
    title: str
    cwd: str
    model: str
    mode: Mode
    created_at: float
    updated_at: float
    parent: SessionId | None = None
    runs: int = 0
    usage: Usage = Usage()
    cost_usd: float = 0.0


class Said(Record):
    """A place in a session where the words that were looked for were said."""

    session: SessionInfo
    seq: int
    role: Literal["user", "assistant"]
    excerpt: str
    """What stands around the first of the words, on one line."""


class SessionState(Record):
    """What a session is now: the fold of its events."""

    id: SessionId
    cwd: str
    title: str = ""
    model: str = ""
    mode: Mode = "build"
    messages: tuple[Message, ...] = ()
    usage: Usage = Usage()
    cost_usd: float = 0.0
    run_id: RunId | None = None
    """The run under way, None between runs."""
    runs: int = 0
    steps: int = 0
    stage: Stage = "INITIAL"
    seq: int = 0
    """Sequence number of the last event folded in."""
    grants: tuple[str, ...] = ()
    """Patterns the user allowed for this session."""
    plan: tuple[PlanStep, ...] = ()
    notes: tuple[str, ...] = ()
    """What the agent wrote down for itself, so that it outlives the messages."""
