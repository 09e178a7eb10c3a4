"""The conversation as every wire demands it: each tool call followed at once by its one result."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from attache.providers.foreign import fields, load
from attache.schema.messages import File, Image, Message, Part, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import ModelInfo

NO_OUTPUT = "(no output)"
_TEXTUAL = frozenset({"application/json", "application/xml", "application/yaml", "application/toml"})
_LOST = "(no result: the run was stopped before this call was over)"


def paired(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the conversation with results in the order of their calls, and nothing that a provider would refuse.

    A call without a result (the run was stopped) gets one that says so, a result without a call becomes words, and
    neighbouring user messages become one.
    """
    kept: list[Message] = []
    asked: tuple[ToolCall, ...] = ()
    for message in _joined(messages):
        if message.role == "assistant":
            if asked:
                kept.append(_reply(_answered(asked, ())))
            asked = message.tool_calls
            kept.append(message)
        else:
            kept.append(message if _fits(asked, message.parts) else _reply(_answered(asked, message.parts)))
            asked = ()
    if asked:
        kept.append(_reply(_answered(asked, ())))
    return tuple(kept)


def translated(messages: Sequence[Message], info: ModelInfo) -> tuple[Message, ...]:
    """Return the conversation as `info` can take it over, whoever answered till now.

    Reasoning that another provider's model did is dropped, since its signature holds nowhere else, and pictures are
    described to a model that cannot see. Ids are rewritten by the wires, call and result alike.
    """
    return tuple(_taken_over(message, info) for message in messages)


def described(part: Image | File) -> Text:
    """Return words in the place of a picture, or of a file that is no text."""
    kind = f"a picture, {part.media_type}" if isinstance(part, Image) else f"a file, {part.name}, {part.media_type}"
    return Text(text=f"[{kind}, {len(part.data) * 3 // 4} bytes, which this model cannot see]")


def told_file(file: File) -> Text | None:
    """Return a file that is text as words, None where it is none."""
    if not (file.media_type.startswith("text/") or file.media_type in _TEXTUAL):
        return None
    try:
        words = b64decode(file.data, validate=True).decode()
    except ValueError:
        return None
    return Text(text=f"{file.name}:\n```\n{words}\n```")


def _taken_over(message: Message, info: ModelInfo) -> Message:
    foreign = bool(message.model) and message.model.partition("/")[0] != info.provider
    if info.images and not foreign:
        return message
    parts = [part for part in message.parts if not (foreign and isinstance(part, Thinking))]
    if not info.images:
        parts = [_without_pictures(part) for part in parts]
    return message.model_copy(update={"parts": tuple(parts)})


def _without_pictures(part: Part) -> Part:
    if isinstance(part, Image):
        return described(part)
    if isinstance(part, ToolResult) and part.images:
        told = [part.text, *(described(image).text for image in part.images)]
        return part.model_copy(update={"text": "\n".join(filter(None, told)), "images": ()})
    return part


def output(result: ToolResult) -> str:
    """Return what a tool said; providers refuse an empty answer."""
    return result.text if result.text.strip() else NO_OUTPUT


def opaque(part: Part | None) -> dict[str, Any]:
    """Return what a wire keeps for its provider in a part of reasoning; empty where there is nothing of that kind."""
    if not isinstance(part, Thinking) or not part.redacted.startswith("{"):
        return {}
    return fields(load(part.redacted))


def _joined(messages: Sequence[Message]) -> list[Message]:
    joined: list[Message] = []
    for message in messages:
        if not any(_says_something(part) for part in message.parts):
            continue
        if joined and message.role == "user" and joined[-1].role == "user":
            joined[-1] = Message(role="user", parts=(*joined[-1].parts, *message.parts))
        else:
            joined.append(message)
    return joined


def _says_something(part: Part) -> bool:
    return bool(part.text.strip()) if isinstance(part, Text) else True


def _reply(parts: tuple[Part, ...]) -> Message:
    return Message(role="user", parts=parts)


def _fits(asked: Sequence[ToolCall], parts: Sequence[Part]) -> bool:
    """Say whether the results stand first, one for each call in its order, as nearly always."""
    answered = [part.call_id for part in parts if isinstance(part, ToolResult)]
    first = parts[: len(answered)]
    return answered == [call.id for call in asked] and all(isinstance(part, ToolResult) for part in first)


def _answered(asked: Sequence[ToolCall], parts: Sequence[Part]) -> tuple[Part, ...]:
    results: dict[str, ToolResult] = {}
    others: list[Part] = []
    wanted = {call.id for call in asked}
    for part in parts:
        if not isinstance(part, ToolResult):
            others.append(part)
        elif part.call_id in wanted and part.call_id not in results:
            results[part.call_id] = part
        else:
            others += [Text(text=f"{part.name}: {output(part)}"), *part.images]
    lost = (ToolResult(call_id=call.id, name=call.name, text=_LOST, is_error=True) for call in asked)
    return (*(results.get(result.call_id, result) for result in lost), *others)
