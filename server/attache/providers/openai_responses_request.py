"""Requests in the form of OpenAI's Responses API, from the neutral form; pure. Nothing is stored at the provider."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from attache.providers.conversation import described, opaque, output, paired, told_file
from attache.providers.openai_request import effort
from attache.providers.row import Quirks
from attache.schema.messages import File, Image, Message, Part, Text, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec

Json = dict[str, Any]
_LONGEST_ID = 64


def body(request: Request, quirks: Quirks) -> Json:
    """Return the body of a streamed call; the reasoning comes along, sealed, so that it can be handed back."""
    built: Json = {
        "model": request.model,
        "input": _input(request.messages),
        "stream": True,
        "store": False,
        "max_output_tokens": request.max_output_tokens + (request.thinking_tokens or 0),
    }
    if request.system.strip():
        built["instructions"] = request.system
    if request.temperature is not None:
        built["temperature"] = request.temperature
    if request.output_schema is not None:
        form = {"type": "json_schema", "name": "answer", "schema": request.output_schema, "strict": False}
        built["text"] = {"format": form}
    if request.tools:
        built["tools"] = [_tool(tool) for tool in request.tools]
        if request.tool_choice != "auto":
            built["tool_choice"] = request.tool_choice
    if not any(fnmatchcase(request.model, pattern) for pattern in quirks.without_reasoning):
        built["include"] = ["reasoning.encrypted_content"]
        if request.thinking_tokens:
            built["reasoning"] = {"effort": effort(request.thinking_tokens), "summary": "auto"}
    return built


def _input(messages: Sequence[Message]) -> list[Json]:
    items: list[Json] = []
    for message in paired(messages):
        items += _assistant(message) if message.role == "assistant" else _user(message)
    return items


def _user(message: Message) -> list[Json]:
    items = [_result(part) for part in message.parts if isinstance(part, ToolResult)]
    parts = [_shown(part) for part in message.parts if isinstance(part, Text | Image | File)]
    if any(not isinstance(part, Text) for part in parts):
        items.append({"role": "user", "content": [_content(part) for part in parts]})
    elif parts:
        items.append({"role": "user", "content": "\n\n".join(part.text for part in parts if isinstance(part, Text))})
    return items


def _shown(part: Text | Image | File) -> Text | Image | File:
    if not isinstance(part, File):
        return part
    return told_file(part) or (part if part.media_type == "application/pdf" else described(part))


def _content(part: Text | Image | File) -> Json:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text}
    if isinstance(part, File):
        data = f"data:{part.media_type};base64,{part.data}"
        return {"type": "input_file", "filename": part.name, "file_data": data}
    return {"type": "input_image", "detail": "auto", "image_url": f"data:{part.media_type};base64,{part.data}"}


def _result(part: ToolResult) -> Json:
    words = output(part)
    shown = [_content(Text(text=words)), *map(_content, part.images)] if part.images else words
    return {"type": "function_call_output", "call_id": _id(part.call_id), "output": shown}


def _assistant(message: Message) -> list[Json]:
    items = [item for before, part in pairwise((None, *message.parts)) if part and (item := _item(part, before))]
    # Reasoning is refused where what it led to does not follow.
    while items and items[-1].get("type") == "reasoning":
        items.pop()
    return items


def _item(part: Part, before: Part | None) -> Json | None:
    match part:
        case Text():
            kept = opaque(before)
            phase = {"phase": kept["phase"]} if "phase" in kept else {}
            return {"role": "assistant", "content": part.text, **phase} if part.text.strip() else None
        case ToolCall():
            return {
                "type": "function_call",
                "call_id": _id(part.id),
                "name": part.name,
                "arguments": json.dumps(part.arguments, ensure_ascii=False),
            }
        case _:
            return opaque(part).get("reasoning")


def _tool(tool: ToolSpec) -> Json:
    parameters: Json = {"type": "object", "properties": {}, **tool.parameters}
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters,
        "strict": False,
    }


def _id(call_id: str) -> str:
    """Return a call's id in the length that this API takes; the same for the call and its result."""
    return call_id if len(call_id) <= _LONGEST_ID else hashlib.sha256(call_id.encode()).hexdigest()
