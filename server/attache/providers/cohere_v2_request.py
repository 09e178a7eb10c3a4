"""Requests in the form of Cohere's Chat API, version 2, from the neutral form; pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attache.providers.conversation import described, opaque, output, paired, told_file
from attache.schema.messages import File, Image, Message, Part, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec

Json = dict[str, Any]
_CHOICE = {"required": "REQUIRED", "none": "NONE"}


def body(request: Request) -> Json:
    """Return the body of a streamed call."""
    built: Json = {
        "model": request.model,
        "messages": _messages(request),
        "max_tokens": request.max_output_tokens + (request.thinking_tokens or 0),
        "stream": True,
    }
    if request.temperature is not None:
        built["temperature"] = request.temperature
    if request.tools:
        built["tools"] = [_tool(tool) for tool in request.tools]
        if choice := _CHOICE.get(request.tool_choice):
            built["tool_choice"] = choice
    if request.output_schema is not None and not request.tools:  # the API takes one or the other
        built["response_format"] = {"type": "json_object", "schema": request.output_schema}
    if request.thinking_tokens:
        built["thinking"] = {"type": "enabled", "token_budget": request.thinking_tokens}
    elif request.thinking_tokens == 0:
        built["thinking"] = {"type": "disabled"}
    return built


def _messages(request: Request) -> list[Json]:
    built: list[Json] = [{"role": "system", "content": request.system}] if request.system.strip() else []
    for message in paired(request.messages):
        built += _assistant(message) if message.role == "assistant" else _user(message)
    return built


def _user(message: Message) -> list[Json]:
    """Return the results, one message each, then the words; pictures of results go with the words."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    built: list[Json] = [
        {"role": "tool", "tool_call_id": result.call_id, "content": output(result)} for result in results
    ]
    parts: list[Part] = []
    for result in results:
        if result.images:
            parts += [Text(text=f"What {result.name} shows:"), *result.images]
    parts += [
        (told_file(part) or described(part)) if isinstance(part, File) else part
        for part in message.parts
        if isinstance(part, Text | Image | File)
    ]
    if parts:
        built.append({"role": "user", "content": _content(parts)})
    return built


def _content(parts: Sequence[Part]) -> str | list[Json]:
    if not any(isinstance(part, Image) for part in parts):
        return "\n\n".join(part.text for part in parts if isinstance(part, Text))
    return [
        {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{part.data}"}}
        if isinstance(part, Image)
        else {"type": "text", "text": part.text}
        for part in parts
        if isinstance(part, Text | Image)
    ]


def _assistant(message: Message) -> list[Json]:
    """Return what the model said; its plan goes with the calls, its reasoning with the words, as they came."""
    own = [(opaque(part).get("cohere"), part.text) for part in message.parts if isinstance(part, Thinking)]
    content = [{"type": "thinking", "thinking": text} for kind, text in own if kind == "thinking"]
    if message.text.strip():
        content.append({"type": "text", "text": message.text})
    calls = [_call(call) for call in message.tool_calls]
    built: Json = {"role": "assistant"}
    if content:
        built["content"] = content
    if calls:
        built["tool_calls"] = calls
        if plan := "".join(text for kind, text in own if kind == "tool_plan"):
            built["tool_plan"] = plan
    return [built] if content or calls else []


def _call(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    return {"id": call.id, "type": "function", "function": function}


def _tool(tool: ToolSpec) -> Json:
    parameters: Json = {"type": "object", "properties": {}, **tool.parameters}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }
