"""What a tool can reach beyond the files: the person, the session, other agents. Handed down, so that none calls up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from attache.schema.errors import ApprovalNeeded, ToolError
from attache.schema.session import Mode, PlanStep
from attache.schema.tools import ToolOutput

Rows = Sequence[tuple[str, str]]
"""What a question shows, as (label, value)."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What another agent is to do."""

    task: str
    tools: tuple[str, ...] = ()
    """Names of the tools it gets, of those its sender has; none means all."""
    mode: Mode = "explore"
    turns: int = 20
    agent: str = ""
    """The agent that goes on where it stopped; empty for a new one."""


async def nobody_permits(title: str, _rows: Rows, _pattern: str, _host: str) -> None:
    """Stand for a person where there is none."""
    raise ApprovalNeeded(f"{title} needs an approval, and nobody is there to give it")


async def nobody_answers(_question: str, _choices: Sequence[str]) -> str:
    """Stand for a person where there is none."""
    raise ToolError("no person is there to answer", hint="decide yourself, and say in your answer what you assumed")


async def nobody_plans(_steps: tuple[PlanStep, ...]) -> None:
    """Stand for a session where there is none."""
    raise ToolError("there is no session that could keep it")


async def nobody_notes(_text: str) -> None:
    """Stand for a session where there is none."""
    raise ToolError("there is no session that could keep it")


async def nobody_else(_errand: Errand) -> ToolOutput:
    """Stand for other agents where there are none."""
    raise ToolError("no other agent can be asked from here", hint="do it yourself")


@dataclass(frozen=True, slots=True)
class Reach:
    """The ways out of a tool. Each default says that there is nobody."""

    permit: Callable[[str, Rows, str, str], Awaitable[None]] = nobody_permits
    """Have the person allow what is about to be reached: a title, rows, what a grant would cover, the host.

    Raises ApprovalDenied; ApprovalNeeded where nobody is there. A policy or a grant may answer at once.
    """
    ask: Callable[[str, Sequence[str]], Awaitable[str]] = nobody_answers
    """Ask the person; any words may come back. Raises ToolError where nobody can answer."""
    plan: Callable[[], tuple[PlanStep, ...]] = tuple
    set_plan: Callable[[tuple[PlanStep, ...]], Awaitable[None]] = nobody_plans
    notes: Callable[[], tuple[str, ...]] = tuple
    note: Callable[[str], Awaitable[None]] = nobody_notes
    delegate: Callable[[Errand], Awaitable[ToolOutput]] = nobody_else
    """Send another agent on an errand, with no more rights than one's own, and wait for what it says."""
