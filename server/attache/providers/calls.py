"""Tool calls under construction: pieces in, and a call out only where its arguments are whole and a JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from attache.foundation.ids import new_id
from attache.providers.foreign import fields, load
from attache.schema.data import CallId
from attache.schema.errors import MalformedToolCall
from attache.schema.messages import ToolCall
from attache.schema.models import StopReason

SHOWN_ARGUMENTS = 200
TRUNCATED: frozenset[StopReason | None] = frozenset({"max_tokens", "content_filter", "refusal"})
"""Reasons to stop that may strike inside a call."""


@dataclass(slots=True)
class Draft:
    """One call as far as it has come."""

    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list[str])
    whole: dict[str, Any] | None = None
    """Arguments that came as an object, not as text."""
    opaque: str = ""
    """What the wire wants back together with the call."""


def settle(drafts: Sequence[Draft], *, truncated: bool) -> tuple[tuple[Draft, ToolCall], ...]:
    """Return the calls in the order asked, each once and with an id of its own.

    `truncated` says that the answer may have ended inside a call: one that is not whole is left out then.

    Raises:
        MalformedToolCall: arguments that claim to be whole are no JSON object, or the tool has no name.
    """
    settled: list[tuple[Draft, ToolCall]] = []
    taken: dict[str, tuple[str, dict[str, Any]]] = {}
    for draft in drafts:
        text = "".join(draft.pieces)
        values = draft.whole if draft.whole is not None and not text.strip() else arguments(text)
        if truncated and (values is None or not draft.name or not (text.strip() or draft.whole)):
            continue
        if values is None or not draft.name:
            shown = text if len(text) <= SHOWN_ARGUMENTS else f"{text[:SHOWN_ARGUMENTS]}… ({len(text)} characters)"
            raise MalformedToolCall(
                f"the model called {draft.name or 'a tool without a name'} with what is no JSON object: {shown}",
                hint="ask again, or take a model that is better at tools",
                tool=draft.name,
                arguments=text,
            )
        if draft.id and taken.get(draft.id) == (draft.name, values):
            continue  # the same call, told twice
        call_id = draft.id if draft.id and draft.id not in taken else new_id("call")
        taken[call_id] = (draft.name, values)
        settled.append((draft, ToolCall(id=CallId(call_id), name=draft.name, arguments=values)))
    return tuple(settled)


def arguments(text: str) -> dict[str, Any] | None:
    """Return the JSON object in `text`; nothing, and null, stand for no arguments; None where it is anything else."""
    if not (text := text.strip()) or text == "null":
        return {}
    value = load(text)
    return fields(value) if isinstance(value, dict) else None
