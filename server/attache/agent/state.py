"""A session's state as the fold of its events: nothing else may change it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from attache.schema import events
from attache.schema.data import SessionId
from attache.schema.events import Entry
from attache.schema.messages import Message, ToolCall, ToolResult
from attache.schema.models import Usage
from attache.schema.session import SessionState, Stage


def empty(session_id: SessionId) -> SessionState:
    """Return the state before the first event."""
    return SessionState(id=session_id, cwd="")


def replay(session_id: SessionId, entries: Iterable[Entry]) -> SessionState:
    """Fold a whole log; what a rewind took back is left out."""
    return reduce(fold, replayed_entries(entries), empty(session_id))


def replayed_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Return the events that still count: all but those that a rewind took back."""
    kept: list[Entry] = []
    for entry in entries:
        if isinstance(entry.event, events.SessionRewound):
            to_seq = entry.event.to_seq
            kept = [known for known in kept if known.seq <= to_seq]
        kept.append(entry)
    return kept


def fold(state: SessionState, entry: Entry) -> SessionState:
    """Return the state after one more event. Rewinds change what came before them: `replay` knows about those."""
    return state.model_copy(update={"seq": entry.seq, **_changes(state, entry.event)})


def _changes(state: SessionState, event: events.Event) -> dict[str, object]:
    match event:
        case events.SessionCreated():
            return {"cwd": event.cwd, "model": event.model, "mode": event.mode}
        case events.SessionConfigured():
            named = {"model": event.model, "mode": event.mode, "title": event.title}
            return {name: value for name, value in named.items() if value is not None}
        case events.RunStarted():
            said = Message(role="user", parts=event.parts)
            title = state.title or event.title or said.title
            return {
                "run_id": event.run_id,
                "runs": state.runs + 1,
                "title": title,
                "stage": "INITIAL",
                "messages": (*_answered(state.messages), said),
            }
        case events.RunFinished():
            return {"run_id": None, "stage": "COMPLETION", "messages": _answered(state.messages)}
        case events.MessageAdded():
            return {
                "messages": (*state.messages, event.message),
                "usage": state.usage + (event.usage or Usage()),
                "cost_usd": state.cost_usd + event.cost_usd,
            }
        case events.StageChanged():
            return {"stage": event.stage}
        case events.ApprovalAnswered(answer=answer) if answer.choice == "allow_session":
            return {"grants": tuple(sorted({*state.grants, answer.pattern}))}
        case events.ChangeLanded():
            return {"steps": state.steps + 1}
        case events.PlanChanged():
            return {"plan": event.steps}
        case events.NoteTaken():
            return {"notes": (*state.notes, event.text)}
        case _:
            return {}


def _answered(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Give every call of the last answer a result: a run cut short leaves some without, which no wire takes."""
    if not messages or messages[-1].role != "assistant" or not messages[-1].tool_calls:
        return messages
    return (*messages, Message(role="user", parts=tuple(_cut_short(call) for call in messages[-1].tool_calls)))


def _cut_short(call: ToolCall) -> ToolResult:
    text = "The run was stopped before this call's result was recorded; it may have run in part."
    return ToolResult(call_id=call.id, name=call.name, text=text, is_error=True)


def stage_after(stage: Stage, category: str, effect: str) -> Stage:
    """Return the stage that a tool call leads to: reading, executing, or verifying what was executed."""
    if category == "planning":
        return "PLANNING"
    if effect == "workspace":
        return "EXECUTING"
    if stage in {"EXECUTING", "VERIFYING"}:
        return "VERIFYING" if category in {"testing", "diagnostics", "shell"} else stage
    return "READING" if effect == "none" else "EXECUTING"
