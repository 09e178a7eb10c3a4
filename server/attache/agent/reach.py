"""What a run hands down to its tools: the person, the plan, and other agents that have no more rights than it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from attache.agent.approvals import Chooser
from attache.agent.consent import consent
from attache.agent.permission import marked
from attache.agent.state import empty, replay
from attache.foundation.ids import new_id
from attache.schema.data import SessionId
from attache.schema.errors import ApprovalDenied, ApprovalNeeded, ToolError
from attache.schema.events import Entry, NoteTaken, PlanChanged, RunFinished, SessionCreated, ToolStarted
from attache.schema.messages import Text
from attache.schema.session import PlanStep, Question
from attache.schema.tools import ToolOutput
from attache.security.approvals import for_reach
from attache.security.policy import decide_reach, with_rules
from attache.security.rules import Subject
from attache.tools.reach import Errand, Reach, Rows
from attache.tools.tool import Tool, Tools
from attache.tools.wording import counted, first_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from attache.agent.run import Run
    from attache.agent.session import Session

NOT_DELEGATED = frozenset({"delegate", "investigate", "message", "ask_user", "plan", "todo"})
"""Tools that another agent does not get: the person talks to one, and no chain of agents grows."""


def reach(session: Session, run: Callable[[], Run]) -> Reach:
    """Return the ways out of the tools of a run, which need not be there yet."""

    async def permit(title: str, rows: Rows, pattern: str, host: str) -> None:
        await _permit(run(), title, rows, pattern, host)

    async def ask(question: str, choices: Sequence[str]) -> str:
        return await _ask(run(), question, choices)

    async def set_plan(steps: tuple[PlanStep, ...]) -> None:
        await run().record(PlanChanged(run_id=run().id, steps=steps))

    async def note(text: str) -> None:
        await run().record(NoteTaken(run_id=run().id, text=text))

    async def delegate(errand: Errand) -> ToolOutput:
        return await _delegate(session, run(), errand)

    return Reach(
        permit=permit, ask=ask, plan=lambda: session.state.plan, set_plan=set_plan, notes=lambda: session.state.notes,
        note=note, delegate=delegate,
    )  # fmt: skip


async def _permit(run: Run, title: str, rows: Rows, pattern: str, host: str) -> None:
    """Let what only reads, but from outside, be reached. Raises ApprovalDenied, ApprovalNeeded."""
    question = for_reach(title, rows, pattern, tool=title.split(maxsplit=1)[0], run_id=run.id, call_id=run.calling)
    grants = run.state().grants
    verdict = decide_reach(approve=run.settings.approve, grants=grants, pattern=question.pattern)
    ruled = [run.rules.judge(Subject(run.using, host=host, marked=marked(run)))]
    verdict = with_rules(verdict, ruled, granted=question.pattern in grants)
    if verdict.choice == "deny":
        raise ApprovalDenied(verdict.reason)
    if verdict.choice == "ask":
        await consent(run, question)


async def _ask(run: Run, question: str, choices: Sequence[str]) -> str:
    if not isinstance(run.approver, Chooser):
        raise ToolError(
            "no person can be asked here", hint="decide yourself and say what you assumed, or end with the question"
        )
    asked = Question(run_id=run.id, call_id=run.calling, text=question, choices=tuple(choices))
    answer = await run.approver.choose(asked)
    if not answer.strip():
        raise ToolError("the user did not answer", hint="decide yourself, and say in your answer what you assumed")
    return answer


# ---------------------------------------------------------------- other agents


async def _delegate(session: Session, run: Run, errand: Errand) -> ToolOutput:
    """Run an errand as a session of its own, whose log names its parent, and return what it came to."""
    tools = _narrowed(run, errand)
    child = await _resumed(session, run, errand, tools) if errand.agent else await _begun(session, run, errand, tools)

    def watch(entry: Entry) -> None:
        if isinstance(entry.event, ToolStarted):
            run.context.emit(f"{child.id}: {entry.event.name} {entry.event.title}\n")

    stop = child.subscribe(watch)
    left = None if run.settings.max_cost_usd is None else max(run.settings.max_cost_usd - run.cost_usd, 0.0)
    turns = min(errand.turns, run.settings.max_tool_iterations)
    settings = run.settings.model_copy(update={"max_cost_usd": left, "max_tool_iterations": turns})
    try:
        finished = await child.run(
            (Text(text=errand.task),), title=first_line(errand.task, 60), workspace=run.context.workspace,
            approver=run.approver, settings=settings,
        )  # fmt: skip
    finally:
        stop()
    run.usage += finished.usage
    run.cost_usd += finished.cost_usd
    return _told(child, finished)


def _narrowed(run: Run, errand: Errand) -> Tools:
    """Return the tools for an errand: of those that the sender may use, those named, and less in a narrower mode."""
    mine = run.tools.allowed(errand.mode) if run.mode == "build" else run.tools
    chosen: list[Tool] = [run.tools.find(name) for name in errand.tools] if errand.tools else list(run.tools)
    kept = [each for each in chosen if each.spec.effect in mine.effects and each.spec.name not in NOT_DELEGATED]
    if not kept:
        raise ToolError("none of these tools is left for another agent", hint="name others, or do it yourself")
    return Tools(kept, effects=mine.effects)


async def _begun(session: Session, run: Run, errand: Errand, tools: Tools) -> Session:
    child = type(session)(
        replace(session.resources, tools=tools), empty(SessionId(new_id("s"))), run.approver
    )  # fmt: skip
    mode = errand.mode if run.mode == "build" else run.mode
    await child.record(
        SessionCreated(
            cwd=session.state.cwd, model=session.state.model or run.model.info.ref, mode=mode, parent=session.id,
            parent_seq=session.state.seq,
        )
    )  # fmt: skip
    return child


async def _resumed(session: Session, run: Run, errand: Errand, tools: Tools) -> Session:
    """Return an agent that this session sent out before. Raises ToolError for any other."""
    entries = await session.resources.log.read(SessionId(errand.agent))
    first = entries[0].event if entries else None
    if not isinstance(first, SessionCreated) or first.parent != session.id:
        raise ToolError(f"this session sent out no agent {errand.agent}", hint="delegate answers with the name")
    state = replay(SessionId(errand.agent), entries)
    narrowed = Tools(tools, effects=tools.allowed(state.mode).effects) if run.mode == "build" else tools
    return type(session)(replace(session.resources, tools=narrowed), state, run.approver)


def _told(child: Session, finished: RunFinished) -> ToolOutput:
    if finished.stop_reason == "approval_needed":
        raise ApprovalNeeded(finished.error, hint=finished.hint)
    answers = [message.text for message in child.state.messages if message.role == "assistant" and message.text]
    said = answers[-1] if answers else ""
    whole = finished.stop_reason == "end_turn"
    ended = "" if whole else f"\n[it stopped before its end: {finished.stop_reason} {finished.error}]".rstrip()
    head = f"{child.id} · {counted(finished.tool_calls, 'call')}"
    return ToolOutput(
        text=f"{head}\n{said or 'it said nothing'}{ended}",
        title=f"{head} · {finished.stop_reason}",
        data={"agent": child.id, "stop_reason": finished.stop_reason, "cost_usd": finished.cost_usd},
        is_error=not whole and not said,
    )
