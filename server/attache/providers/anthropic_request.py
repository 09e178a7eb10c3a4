"""Requests in the form of Anthropic's Messages API, from the neutral form; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from attache.providers.conversation import described, output, paired, told_file
from attache.providers.row import Quirks
from attache.schema.messages import File, Image, Message, Part, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec

Json = dict[str, Any]
VERSION = "2026-10-21"
"""Of the API, as Anthropic's SDK names it; on Vertex it stands in the body."""
_CHOICE = {"auto": "auto", "none": "none", "required": "any"}
_CACHED: Json = {"type": "ephemeral"}
_LEAST_BUDGET = 1024
_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")


def body(request: Request, quirks: Quirks) -> Json:
    """Return the body of a streamed call.

    Four points mark what is worth caching: the tools, the system prompt, and all that was said by now and by the call
    before. The API of this version takes no temperature.
    """
    thought = thinking(request, quirks)
    built: Json = {
        "model": request.model,
        "max_tokens": request.max_output_tokens + thought.get("budget_tokens", 0),
        "messages": _messages(request.messages),
        "stream": True,
    }
    if request.system.strip():
        built["system"] = [{"type": "text", "text": request.system, "cache_control": _CACHED}]
    if request.tools:
        built["tools"] = [_tool(tool) for tool in request.tools]
        built["tools"][-1]["cache_control"] = _CACHED
        if request.tool_choice != "auto":
            built["tool_choice"] = {"type": _CHOICE[request.tool_choice]}
    if thought:
        built["thinking"] = thought
    if request.output_schema is not None:
        built["output_config"] = {"format": {"type": "json_schema", "schema": request.output_schema}}
    return built


def thinking(request: Request, quirks: Quirks) -> Json:
    """Return how the model is asked to think, empty where it is not."""
    if request.thinking_tokens is None:
        return {}
    if request.thinking_tokens == 0:
        return {"type": "disabled"}
    if not any(fnmatchcase(request.model, pattern) for pattern in quirks.manual_thinking):
        return {"type": "adaptive", "display": "summarized"}
    if request.tools and request.tool_choice == "required":
        return {}  # a budget and a forced tool exclude each other
    return {"type": "enabled", "budget_tokens": max(request.thinking_tokens, _LEAST_BUDGET)}


def _messages(messages: Sequence[Message]) -> list[Json]:
    said = [(message.role, blocks) for message in paired(messages) if (blocks := _blocks(message))]
    if said:
        _mark_last(said[-1][1])
    # The point of the call before is set again: what is cached is found no more than twenty blocks back.
    if before := [blocks for role, blocks in said[:-1] if role == "user"]:
        _mark_last(before[-1])
    return [{"role": role, "content": blocks} for role, blocks in said]


def _mark_last(blocks: list[Json]) -> None:
    """Mark the last block that may carry the mark; thinking may not."""
    for block in reversed(blocks):
        if block["type"] not in {"thinking", "redacted_thinking"}:
            block["cache_control"] = _CACHED
            return


def _blocks(message: Message) -> list[Json]:
    return [block for part in message.parts if (block := _block(part))]


def _block(part: Part) -> Json | None:
    match part:
        case Text():
            # The API refuses words that are blanks only.
            return {"type": "text", "text": part.text} if part.text.strip() else None
        case Image():
            return _image(part)
        case File():
            return _file(part)
        case ToolCall():
            return {"type": "tool_use", "id": _id(part.id), "name": part.name, "input": part.arguments}
        case ToolResult():
            return _result(part)
        case Thinking():
            return _thought(part)


def _image(part: Image) -> Json:
    if part.media_type not in _PICTURES:
        return {"type": "text", "text": f"[a picture of type {part.media_type}, which this model cannot see]"}
    return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}


def _file(part: File) -> Json:
    if words := told_file(part):
        return {"type": "text", "text": words.text}
    if part.media_type != "application/pdf":
        return {"type": "text", "text": described(part).text}
    source = {"type": "base64", "media_type": part.media_type, "data": part.data}
    return {"type": "document", "source": source, "title": part.name}


def _thought(part: Thinking) -> Json | None:
    """Return the model's reasoning as it came; what came over another wire has no signature of this one."""
    if part.signature:
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    if part.redacted and not part.redacted.startswith("{"):
        return {"type": "redacted_thinking", "data": part.redacted}
    return None


def _result(part: ToolResult) -> Json:
    words: Json = {"type": "text", "text": output(part)}
    block: Json = {
        "type": "tool_result",
        "tool_use_id": _id(part.call_id),
        "content": [words, *(_image(image) for image in part.images)],
    }
    if part.is_error:
        block["is_error"] = True
    return block


def _tool(tool: ToolSpec) -> Json:
    return {"name": tool.name, "description": tool.description, "input_schema": {"type": "object", **tool.parameters}}


def _id(call_id: str) -> str:
    """Return a call's id in the letters that this API takes; other wires' ids may hold more."""
    return _FOREIGN.sub("_", call_id)
