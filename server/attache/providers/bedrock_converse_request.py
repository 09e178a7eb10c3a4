"""Requests in the form of Amazon Bedrock's Converse API, from the neutral form; pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from attache.providers.anthropic_request import thinking
from attache.providers.conversation import described, output, paired, told_file
from attache.providers.row import Quirks
from attache.schema.messages import File, Image, Message, Part, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec

Json = dict[str, Any]
_CACHED: Json = {"cachePoint": {"type": "default"}}
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_DOCUMENTS = {
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
_UNNAMED = re.compile(r"[^A-Za-z0-9()\[\]-]+")
_LONGEST_NAME = 200
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_ID = 64
_OF: dict[str, tuple[type[Any], ...]] = {
    "user": (Text, Image, File, ToolResult),
    "assistant": (Text, Thinking, ToolCall),
}
"""What either side may say; the API refuses all else."""


def body(request: Request, quirks: Quirks) -> Json:
    """Return the body of a call; the model's name is for the path.

    The API has no word for "no tools", and takes no calls in the conversation where no tools are given: they become
    words then.
    """
    cached = any(fnmatchcase(request.model, pattern) for pattern in quirks.cached)
    tools = request.tools if request.tool_choice != "none" else ()
    claude = "anthropic." in request.model
    thought = thinking(request, quirks) if claude else {}
    limits: Json = {"maxTokens": request.max_output_tokens + thought.get("budget_tokens", 0)}
    if request.temperature is not None and not claude:
        limits["temperature"] = request.temperature
    built: Json = {
        "model": request.model,
        "messages": _messages(request.messages, with_tools=bool(tools), cached=cached),
        "inferenceConfig": limits,
    }
    if request.system.strip():
        built["system"] = [{"text": request.system}, *([_CACHED] if cached else [])]
    if tools:
        choice: Json = {"toolChoice": {"any": {}}} if request.tool_choice == "required" else {}
        built["toolConfig"] = {"tools": [*map(_tool, tools), *([_CACHED] if cached else [])], **choice}
    if request.output_schema is not None:
        form = {"name": "answer", "schema": json.dumps(request.output_schema, ensure_ascii=False)}
        built["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": form}}}
    if thought:
        built["additionalModelRequestFields"] = {"thinking": thought}
    return built


def _messages(messages: Sequence[Message], *, with_tools: bool, cached: bool) -> list[Json]:
    built: list[Json] = []
    for message in paired(messages):
        own = [part for part in message.parts if isinstance(part, _OF[message.role])]
        blocks = [block for part in own for block in _blocks(part, with_tools=with_tools)]
        if blocks and built and built[-1]["role"] == message.role:
            built[-1]["content"] += blocks  # the roles must alternate
        elif blocks:
            built.append({"role": message.role, "content": blocks})
    if cached and built and built[-1]["role"] == "user":
        built[-1]["content"].append(_CACHED)
    return built


def _blocks(part: Part, *, with_tools: bool) -> list[Json]:
    match part:
        case Text():
            return [{"text": part.text}] if part.text.strip() else []
        case Image():
            return [_image(part)]
        case File():
            return _file(part)
        case ToolCall() if with_tools:
            return [{"toolUse": {"toolUseId": _id(part.id), "name": part.name, "input": part.arguments}}]
        case ToolCall():
            return [{"text": f"[called {part.name} with {json.dumps(part.arguments, ensure_ascii=False)}]"}]
        case ToolResult() if with_tools:
            return [_result(part)]
        case ToolResult():
            return [{"text": f"[{part.name} answered: {output(part)}]"}, *map(_image, part.images)]
        case Thinking() if part.signature:
            return [{"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}]
        case Thinking() if part.redacted and not part.redacted.startswith("{"):
            return [{"reasoningContent": {"redactedContent": part.redacted}}]
        case Thinking():
            return []  # another wire's


def _image(part: Image) -> Json:
    if part.media_type not in _PICTURES:
        return {"text": f"[a picture of type {part.media_type}, which this model cannot see]"}
    return {"image": {"format": part.media_type.removeprefix("image/"), "source": {"bytes": part.data}}}


def _file(part: File) -> list[Json]:
    """Return a document; the API wants words beside it, and few letters in its name."""
    if words := told_file(part):
        return [{"text": words.text}]
    kind = _DOCUMENTS.get(part.media_type)
    if kind is None:
        return [{"text": described(part).text}]
    name = " ".join(_UNNAMED.sub(" ", part.name.rpartition(".")[0] or part.name).split())[:_LONGEST_NAME] or "file"
    document = {"format": kind, "name": name, "source": {"bytes": part.data}}
    return [{"text": f"The file {part.name}:"}, {"document": document}]


def _result(part: ToolResult) -> Json:
    block: Json = {"toolUseId": _id(part.call_id), "content": [{"text": output(part)}, *map(_image, part.images)]}
    if part.is_error:
        block["status"] = "error"
    return {"toolResult": block}


def _tool(tool: ToolSpec) -> Json:
    parameters: Json = {"type": "object", "properties": {}, **tool.parameters}
    built: Json = {"name": tool.name, "inputSchema": {"json": parameters}}
    if tool.description:
        built["description"] = tool.description
    return {"toolSpec": built}


def _id(call_id: str) -> str:
    """Return a call's id in the letters and the length that this API takes."""
    plain = _FOREIGN.sub("_", call_id)
    return plain if len(plain) <= _LONGEST_ID else hashlib.sha256(call_id.encode()).hexdigest()
