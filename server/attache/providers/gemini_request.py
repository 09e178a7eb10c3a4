"""Requests in the form of Google's Gemini API, from the neutral form; pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from attache.providers.conversation import opaque, output, paired, told_file
from attache.providers.foreign import said
from attache.providers.openai_request import effort
from attache.providers.row import Quirks
from attache.schema.messages import File, Image, Message, Part, Text, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec

Json = dict[str, Any]
_MODES = {"required": "ANY", "none": "NONE"}
_UNSIGNED = "skip_thought_signature_validator"
"""Google's word for a call that another model made, which has no signature of its own."""


def body(request: Request, quirks: Quirks) -> Json:
    """Return the body of a call; the model's name is for the path."""
    budgeted = any(fnmatchcase(request.model, pattern) for pattern in quirks.manual_thinking)
    settings: Json = {"maxOutputTokens": request.max_output_tokens + (request.thinking_tokens or 0)}
    if request.temperature is not None:
        settings["temperature"] = request.temperature
    if request.output_schema is not None and not (request.tools and budgeted):  # older models take one or the other
        settings |= {"responseMimeType": "application/json", "responseJsonSchema": request.output_schema}
    if thinking := _thinking(request.thinking_tokens, budgeted=budgeted):
        settings["thinkingConfig"] = thinking
    built: Json = {
        "model": request.model,
        "contents": _contents(request.messages, signed=not budgeted),
        "generationConfig": settings,
    }
    if request.system.strip():
        built["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.tools:
        built["tools"] = [{"functionDeclarations": [_tool(tool) for tool in request.tools]}]
        if mode := _MODES.get(request.tool_choice):
            built["toolConfig"] = {"functionCallingConfig": {"mode": mode}}
    return built


def _thinking(budget: int | None, *, budgeted: bool) -> Json:
    if budget is None or (budget == 0 and not budgeted):
        return {}  # newer models always think
    if budgeted:
        return {"thinkingBudget": budget, "includeThoughts": budget > 0}
    return {"thinkingLevel": effort(budget), "includeThoughts": True}


def _contents(messages: Sequence[Message], *, signed: bool) -> list[Json]:
    contents: list[Json] = []
    for message in paired(messages):
        parts = _said(message, signed=signed) if message.role == "assistant" else _told(message)
        if parts:
            contents.append({"role": "model" if message.role == "assistant" else "user", "parts": parts})
    return contents


def _said(message: Message, *, signed: bool) -> list[Json]:
    """Return what the model said, each part with the signature that came with it."""
    parts: list[Json] = []
    before: Part | None = None
    for part in message.parts:
        signature = said(opaque(before).get("thoughtSignature"))
        before = part
        if isinstance(part, Text) and (part.text or signature):
            built: Json = {"text": part.text}
        elif isinstance(part, ToolCall):
            built = {"functionCall": {"id": part.id, "name": part.name, "args": part.arguments}}
            first = not any("functionCall" in other for other in parts)
            signature = signature or (_UNSIGNED if signed and first else "")
        else:
            continue
        if signature:
            built["thoughtSignature"] = signature
        parts.append(built)
    return parts


def _told(message: Message) -> list[Json]:
    """Return what the model is told; pictures of results come behind the results."""
    parts: list[Json] = []
    shown: list[Json] = []
    for part in message.parts:
        match part:
            case ToolResult():
                parts.append(_result(part))
                if part.images:
                    shown += [{"text": f"What {part.name} shows:"}, *map(_image, part.images)]
            case Image():
                shown.append(_image(part))
            case File():
                words = told_file(part)
                shown.append({"text": words.text} if words else _image(part))
            case Text() if part.text.strip():
                shown.append({"text": part.text})
            case _:
                pass
    return parts + shown


def _result(part: ToolResult) -> Json:
    answered = {"error" if part.is_error else "output": output(part)}
    return {"functionResponse": {"id": part.call_id, "name": part.name, "response": answered}}


def _image(part: Image | File) -> Json:
    return {"inlineData": {"mimeType": part.media_type, "data": part.data}}


def _tool(tool: ToolSpec) -> Json:
    parameters: Json = {"type": "object", "properties": {}, **tool.parameters}
    return {"name": tool.name, "description": tool.description, "parametersJsonSchema": parameters}
