"""Requests in the form of OpenAI's Chat Completions API, from the neutral form; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from attache.providers.conversation import described, opaque, output, paired, told_file
from attache.providers.foreign import dump
from attache.providers.row import Quirks
from attache.schema.messages import File, Image, Message, Part, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec

Json = dict[str, Any]
_LONGEST_ID = 40
_EFFORTS = ((2048, "low"), (8192, "medium"))


def body(request: Request, quirks: Quirks) -> Json:
    """Return the body of a streamed call, with nothing in it that the provider does not take."""
    built: Json = {"model": request.model, "messages": _messages(request, quirks), "stream": True}
    built[quirks.max_tokens_field] = request.max_output_tokens + (request.thinking_tokens or 0)
    if quirks.stream_usage:
        built["stream_options"] = {"include_usage": True}
    if request.temperature is not None:
        built["temperature"] = request.temperature
    if request.tools:
        built["tools"] = [_tool(tool) for tool in request.tools]
        choice = quirks.required_tool_choice if request.tool_choice == "required" else request.tool_choice
        if choice not in {"auto", ""}:
            built["tool_choice"] = choice
    if request.output_schema is not None:
        form = {"name": "answer", "schema": request.output_schema, "strict": False}
        built["response_format"] = {"type": "json_schema", "json_schema": form}
    return built | _thinking(request, quirks)


def _thinking(request: Request, quirks: Quirks) -> Json:
    if request.tools and any(fnmatchcase(request.model, pattern) for pattern in quirks.tools_without_effort):
        return {"reasoning_effort": "none"}
    budget = request.thinking_tokens
    if not budget or not quirks.thinking:
        return {}
    if quirks.thinking == "reasoning":
        return {"reasoning": {"max_tokens": budget}}
    return {"reasoning_effort": effort(budget)}


def effort(budget: int) -> str:
    """Return the word for a budget of tokens."""
    return next((word for most, word in _EFFORTS if budget <= most), "high")


def _messages(request: Request, quirks: Quirks) -> list[Json]:
    built: list[Json] = [{"role": "system", "content": request.system}] if request.system.strip() else []
    for message in paired(request.messages):
        built += _assistant(message, quirks) if message.role == "assistant" else _user(message, quirks)
    return built


def _user(message: Message, quirks: Quirks) -> list[Json]:
    """Return the results, one message each, then the words; pictures of results go with the words."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    built: list[Json] = [
        {"role": "tool", "tool_call_id": _id(result.call_id, quirks), "content": output(result)} for result in results
    ]
    parts: list[Part] = []
    for result in results:
        if result.images:
            parts += [Text(text=f"What {result.name} shows:"), *result.images]
    parts += [part for part in message.parts if isinstance(part, Text | Image | File)]
    if parts:
        built.append({"role": "user", "content": _content(parts, quirks)})
    return built


def _content(parts: Sequence[Part], quirks: Quirks) -> str | list[Json]:
    """Return plain words where there is nothing else: not every server takes a list."""
    shown = [_shown(part, quirks) for part in parts if isinstance(part, Text | Image | File)]
    if all(isinstance(part, Text) for part in shown):
        return "\n\n".join(part.text for part in shown if isinstance(part, Text))
    return [_piece(part) for part in shown]


def _shown(part: Text | Image | File, quirks: Quirks) -> Text | Image | File:
    """Return a part as this provider takes it: words where it takes no pictures, or no files."""
    if isinstance(part, File):
        words = told_file(part)
        return words or (part if quirks.files and part.media_type == "application/pdf" else described(part))
    return described(part) if isinstance(part, Image) and not quirks.images else part


def _piece(part: Text | Image | File) -> Json:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            return {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{part.data}"}}
        case File():
            data = f"data:{part.media_type};base64,{part.data}"
            return {"type": "file", "file": {"filename": part.name, "file_data": data}}


def _assistant(message: Message, quirks: Quirks) -> list[Json]:
    calls = _calls(message, quirks)
    if not calls and not message.text.strip():
        return []
    built: Json = {"role": "assistant", "content": message.text or None}
    if calls:
        built["tool_calls"] = calls
    return [built | _echo(message, quirks)]


def _calls(message: Message, quirks: Quirks) -> list[Json]:
    calls: list[Json] = []
    before: Part | None = None
    for part in message.parts:
        if isinstance(part, ToolCall):
            function = {"name": part.name, "arguments": dump(part.arguments).decode()}
            call: Json = {"id": _id(part.id, quirks), "type": "function", "function": function}
            if "extra_content" in quirks.echo and "extra_content" in (kept := opaque(before)):
                call["extra_content"] = kept["extra_content"]
            calls.append(call)
        before = part
    return calls


def _echo(message: Message, quirks: Quirks) -> Json:
    """Return the reasoning in the form in which the provider gave it and wants it back."""
    if "reasoning_content" in quirks.echo:
        own = (part.text for part in message.parts if isinstance(part, Thinking) and not part.signature)
        return {"reasoning_content": "".join(own)}  # DeepSeek refuses a conversation in which the field is missing
    if "reasoning_details" in quirks.echo:
        for part in message.parts:
            if details := opaque(part).get("reasoning_details"):
                return {"reasoning_details": details}
    return {}


def _tool(tool: ToolSpec) -> Json:
    parameters: Json = {"type": "object", "properties": {}, **tool.parameters}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _id(call_id: str, quirks: Quirks) -> str:
    """Return a call's id in the form the provider takes; the same for the call and its result."""
    length = quirks.call_id_length
    if length is None:
        return call_id if len(call_id) <= _LONGEST_ID else hashlib.sha256(call_id.encode()).hexdigest()[:_LONGEST_ID]
    if len(call_id) == length and call_id.isascii() and call_id.isalnum():
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:length]
