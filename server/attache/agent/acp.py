"""Sessions in the words of the Agent Client Protocol: our events as its updates, its prompts as our parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, cast, get_args

from attache.schema import acp, events
from attache.schema.data import SessionId
from attache.schema.documents import Place
from attache.schema.edits import Landed
from attache.schema.events import Entry, Event, RunFinished
from attache.schema.messages import File, Image, Message, Part, Text, Thinking
from attache.schema.models import Usage
from attache.schema.session import Approval, ApprovalChoice, Mode, Question, RunStop, SessionInfo, SessionState

MODES: Final[dict[Mode, str]] = {
    "build": "Reads, edits and runs commands, asking where it must",
    "plan": "Reads and plans; changes nothing",
    "explore": "Reads and explains; changes nothing",
}
_KINDS: Final[dict[str, acp.ToolKind]] = {
    "read": "read", "list": "read", "outline": "read", "diagnostics": "read",
    "write": "edit", "edit": "edit", "fix": "edit", "multi_edit": "edit", "apply_patch": "edit", "edit_cell": "edit",
    "resolve_conflict": "edit", "chart": "edit", "delete": "delete", "move": "move",
    "find": "search", "grep": "search", "search": "search", "symbols": "search", "references": "search",
    "shell": "execute", "test": "execute", "start_job": "execute", "run_readonly": "execute",
    "git_status": "read", "git_diff": "read", "git_log": "read", "git_show": "read", "git_blame": "read",
    "fetch": "fetch", "web_search": "fetch", "http_request": "fetch",
    "plan": "think", "todo": "think", "note": "think", "ask_user": "think",
}  # fmt: skip
_STOPS: Final[dict[RunStop, acp.StopReason]] = {
    "end_turn": "end_turn",
    "max_turns": "max_turn_requests",
    "max_tokens": "max_tokens",
    "interrupted": "cancelled",
    "refusal": "refusal",
}
"""How runs end in ACP's words; the reasons it has no word for are told in `_meta` beside `end_turn`."""
_OPTIONS: Final[dict[ApprovalChoice, tuple[str, acp.OptionKind]]] = {
    "allow_once": ("Allow once", "allow_once"),
    "allow_session": ("Allow for this session", "allow_always"),
    "deny": ("Deny", "reject_once"),
}


# ---------------------------------------------------------------- out: what happened


def update(entry: Entry) -> acp.SessionUpdate | None:
    """Return an event as `session/update`; None for one that ACP has no word for and no client needs."""
    told = _begun(entry) if isinstance(entry.event, events.RunStarted) else _update(entry.event)
    return None if told is None else acp.SessionUpdate(session_id=entry.session_id, update=told)


def replayed(session_id: SessionId, messages: tuple[Message, ...]) -> Iterator[acp.SessionUpdate]:
    """Yield a conversation of the past as the updates that would have told it."""
    for message in messages:
        for part in message.parts:
            chunk = _replayed(message, part)
            if chunk is not None:
                yield acp.SessionUpdate(session_id=session_id, update=chunk)


def _replayed(message: Message, part: Part) -> acp.Update | None:
    match part:
        case Text():
            block = acp.TextBlock(text=part.text)
            return acp.UserChunk(content=block) if message.role == "user" else acp.AgentChunk(content=block)
        case Thinking() if part.text:
            return acp.ThoughtChunk(content=acp.TextBlock(text=part.text))
        case Image():
            return acp.UserChunk(content=acp.ImageBlock(data=part.data, mime_type=part.media_type))
        case _:
            return None


def _begun(entry: Entry) -> acp.Update:
    """Return the beginning of a run, with the number of its event: where a panel forks and rewinds."""
    return acp.InfoChanged(meta=_ours(event=entry.event.type, seq=entry.seq))


def _update(event: Event) -> acp.Update | None:
    match event:
        case events.TextStreamed():
            return acp.AgentChunk(content=acp.TextBlock(text=event.text))
        case events.ThinkingStreamed():
            return acp.ThoughtChunk(content=acp.TextBlock(text=event.text))
        case events.ToolStarted():
            return acp.ToolCallBegun(
                tool_call_id=event.call_id,
                title=_titled(event.name, event.title),
                kind=_KINDS.get(event.name, "other"),
                status="in_progress",
                raw_input=event.arguments,
            )
        case events.ToolFinished():
            return acp.ToolCallMoved(
                tool_call_id=event.call_id,
                title=_titled(event.name, event.title),
                status="failed" if event.is_error else "completed",
                content=(acp.ContentItem(content=acp.TextBlock(text=event.text)),),
                locations=tuple(_location(place) for place in event.places),
                meta=_ours(seconds=event.seconds, cached=event.cached),
            )
        case events.ChangeLanded(landed=Landed() as landed):
            return acp.InfoChanged(meta=_ours(event=event.type, landed=_landed(landed)))
        case events.PlanChanged():
            steps = (acp.PlanEntry(content=step.text, status=step.state) for step in event.steps)
            return acp.PlanMoved(entries=tuple(steps))
        case events.SessionConfigured() if event.mode is not None:
            return acp.ModeChanged(current_mode_id=event.mode)
        case events.SessionConfigured() if event.title is not None:
            return acp.InfoChanged(title=event.title)
        case events.ToolStreamed():
            return acp.ToolCallMoved(tool_call_id=event.call_id, meta=_ours(delta=event.text))
        case (
            events.RunFinished()
            | events.StageChanged()
            | events.ErrorRaised()
            | events.ChangeRefused()
            | events.ChangeUndone()
            | events.StreamRestarted()
        ):
            return acp.InfoChanged(meta=_ours(event=event.type, **event.model_dump(mode="json", exclude={"type"})))
        case _:
            return None


def _landed(landed: Landed) -> dict[str, Any]:
    files = [{"path": each.path, "oldText": each.before, "newText": each.after} for each in landed.files]
    return {
        "id": landed.change_set.id,
        "step": landed.change_set.step,
        "title": landed.change_set.title,
        "files": files,
    }


def _titled(name: str, title: str) -> str:
    return f"{name} {title}".strip()


def _location(place: Place) -> acp.Location:
    return acp.Location(path=place.path, line=place.line)


def _ours(**fields: Any) -> dict[str, Any]:
    return {"attache": fields}


# ---------------------------------------------------------------- out: answers


def opened(state: SessionState, models: tuple[str, ...], *, with_id: bool = True) -> acp.SessionOpened:
    """Return what a client learns of a session that it opened."""
    return acp.SessionOpened(
        session_id=state.id if with_id else None, modes=_modes(state.mode), config_options=config_options(state, models)
    )


def config_options(state: SessionState, models: tuple[str, ...]) -> tuple[acp.ConfigOption, ...]:
    """Return what can be chosen for a session: the mode, and the model among those that are configured."""
    offered = tuple(dict.fromkeys((state.model, *models)))
    modes = tuple(acp.SelectOption(value=mode, name=mode, description=words) for mode, words in MODES.items())
    return (
        acp.ConfigOption(id="mode", name="Mode", category="mode", current_value=state.mode, options=modes),
        acp.ConfigOption(
            id="model",
            name="Model",
            category="model",
            current_value=state.model,
            options=tuple(acp.SelectOption(value=ref, name=ref) for ref in offered if ref),
        ),
    )


def _modes(current: Mode) -> acp.ModeState:
    available = tuple(acp.SessionMode(id=mode, name=mode, description=words) for mode, words in MODES.items())
    return acp.ModeState(current_mode_id=current, available_modes=available)


def row(info: SessionInfo) -> acp.SessionRow:
    """Return a session as ACP lists it."""
    return acp.SessionRow(
        session_id=info.id,
        cwd=info.cwd,
        title=info.title or None,
        updated_at=datetime.fromtimestamp(info.updated_at, UTC).isoformat(),
        meta=_ours(
            model=info.model, mode=info.mode, runs=info.runs, costUsd=info.cost_usd, parent=info.parent,
        ),
    )  # fmt: skip


def finished(run: RunFinished) -> acp.PromptFinished:
    """Return how a prompt ended."""
    return acp.PromptFinished(
        stop_reason=_STOPS.get(run.stop_reason, "end_turn"),
        usage=_usage(run.usage),
        meta=_ours(
            stopReason=run.stop_reason, costUsd=run.cost_usd, turns=run.turns, toolCalls=run.tool_calls,
            seconds=run.seconds, error=run.error, hint=run.hint,
        ),
    )  # fmt: skip


def _usage(usage: Usage) -> acp.TokenUsage:
    return acp.TokenUsage(
        total_tokens=usage.input_tokens + usage.output_tokens,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        thought_tokens=usage.reasoning_tokens,
        cached_read_tokens=usage.cached_tokens,
        cached_write_tokens=usage.cache_write_tokens,
    )


# ---------------------------------------------------------------- in: prompts


def parts(blocks: tuple[acp.ContentBlock, ...]) -> tuple[Part, ...]:
    """Return a prompt's content as ours. Raises ValueError for a sound, which no model here hears."""
    return tuple(_part(block) for block in blocks)


def _part(block: acp.ContentBlock) -> Part:
    match block:
        case acp.TextBlock():
            return Text(text=block.text)
        case acp.ImageBlock():
            return Image(media_type=block.mime_type, data=block.data)
        case acp.ResourceLink():
            return Text(text=f"@{block.uri}")
        case acp.EmbeddedResource(resource=resource) if resource.text is not None:
            return Text(text=f"@{resource.uri}\n```\n{resource.text}\n```")
        case acp.EmbeddedResource(resource=resource) if resource.blob is not None:
            name = resource.uri.rpartition("/")[2] or "file"
            return File(media_type=resource.mime_type or "application/octet-stream", name=name, data=resource.blob)
        case acp.EmbeddedResource():
            raise ValueError(f"{block.resource.uri} is not text")
        case acp.AudioBlock():
            raise ValueError("sound is not understood; send text or images")


# ---------------------------------------------------------------- permission


def permission_request(session_id: SessionId, approval: Approval) -> acp.PermissionRequest:
    """Return a question as ACP puts it; what ACP has no place for rides in `_meta`, nothing is left out."""
    rows = "\n".join(f"{label}: {value}" for label, value in approval.detail)
    return acp.PermissionRequest(
        session_id=session_id,
        tool_call=acp.ToolCallFields(
            tool_call_id=approval.call_id,
            title=approval.title,
            kind=_KINDS.get(approval.tool, "other"),
            status="pending",
            content=(acp.ContentItem(content=acp.TextBlock(text=rows)),) if rows else (),
        ),
        options=tuple(
            acp.PermissionOption(option_id=choice, name=name, kind=kind) for choice, (name, kind) in _OPTIONS.items()
        ),
        meta=_ours(
            approvalId=approval.id, digest=approval.digest, tool=approval.tool, pattern=approval.pattern,
            detail=[list(pair) for pair in approval.detail],
        ),
    )  # fmt: skip


def question_request(session_id: SessionId, question: Question) -> acp.PermissionRequest:
    """Return a question whose choices are answers, as ACP puts questions: by its request for permission."""
    return acp.PermissionRequest(
        session_id=session_id,
        tool_call=acp.ToolCallFields(
            tool_call_id=question.call_id, title=question.text, kind="think", status="pending"
        ),
        options=tuple(
            acp.PermissionOption(option_id=str(number), name=choice, kind="allow_once")
            for number, choice in enumerate(question.choices)
        ),
        meta=_ours(question=question.text, choices=list(question.choices)),
    )  # fmt: skip


def question_answer(answer: Any, question: Question) -> str:
    """Return the choice that was made, or the user's own words; "" where the question was waved away.

    Raises ValueError for what is no answer.
    """
    given = acp.PermissionAnswer.model_validate(answer)
    if given.outcome.outcome == "selected" and given.outcome.option_id is not None:
        return dict(enumerate(question.choices))[int(given.outcome.option_id)]
    ours: Any = (given.meta or {}).get("attache")
    own = cast("dict[str, Any]", ours).get("answer") if isinstance(ours, dict) else None
    return own if isinstance(own, str) else ""


def permission_choice(answer: Any) -> ApprovalChoice | None:
    """Return what the user chose, None where the question was waved away. Raises ValueError for what is no answer."""
    outcome = acp.PermissionAnswer.model_validate(answer).outcome
    if outcome.outcome == "cancelled":
        return None
    choices = {choice: choice for choice in get_args(ApprovalChoice)}
    if outcome.option_id not in choices:
        raise ValueError(f"no option {outcome.option_id!r} was offered")
    return choices[outcome.option_id]
