"""Requests in the forms of Ollama's own API, from the neutral form; pure.

The window is asked for as large as the conversation needs: the server's own is small, and what does not fit into it is
cut off without a word.
"""

from __future__ import annotations

import math
from typing import Any

from attache.providers.conversation import described, opaque, output, paired, told_file
from attache.providers.foreign import dump, fields, objects, said
from attache.schema.messages import File, Image, Message, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec

Json = dict[str, Any]
_LEAST_WINDOW = 16_384
_MOST_WINDOW = 262_144
_BYTES_A_TOKEN = 3
_PICTURE_TOKENS = 2048


def body(request: Request) -> Json:
    """Return the body of a streamed call of /api/chat; it knows of no way to demand that a tool be called."""
    options: Json = {"num_predict": request.max_output_tokens + (request.thinking_tokens or 0)}
    if request.temperature is not None:
        options["temperature"] = request.temperature
    built: Json = {"model": request.model, "messages": _messages(request), "stream": True, "options": options}
    if request.tools and request.tool_choice != "none":
        built["tools"] = [_tool(tool) for tool in request.tools]
    if request.output_schema is not None:
        built["format"] = request.output_schema
    if request.thinking_tokens is not None:
        built["think"] = request.thinking_tokens > 0
    options["num_ctx"] = _window(built, options["num_predict"])
    return built | {"truncate": False, "shift": False}


def as_prompt(body: Json) -> Json:
    """Return the same request for /api/generate, which takes words alone and knows no tools."""
    messages = objects(body.get("messages"))
    talk = [message for message in messages if message.get("role") != "system"]
    told = [f"{said(message.get('role'))}: {said(message.get('content'))}" for message in talk]
    built = {key: value for key, value in body.items() if key not in {"messages", "tools"}}
    built["prompt"] = said(talk[0].get("content")) if len(talk) == 1 else "\n\n".join([*told, "assistant:"])
    if system := "\n\n".join(said(message.get("content")) for message in messages if message.get("role") == "system"):
        built["system"] = system
    if images := [image for message in talk for image in message.get("images", [])]:
        built["images"] = images
    return built


def _window(body: Json, answer_tokens: int) -> int:
    """Return the window in steps of twice the size: each change makes the server load the model anew."""
    pictures = [image for message in objects(body["messages"]) for image in message.get("images", [])]
    size = len(dump([body["messages"], body.get("tools")])) - sum(map(len, pictures))
    needed = size // _BYTES_A_TOKEN + len(pictures) * _PICTURE_TOKENS + answer_tokens
    return min(max(_LEAST_WINDOW, 2 ** math.ceil(math.log2(max(needed, 1)))), _MOST_WINDOW)


def _messages(request: Request) -> list[Json]:
    built: list[Json] = [{"role": "system", "content": request.system}] if request.system.strip() else []
    for message in paired(request.messages):
        built += _assistant(message) if message.role == "assistant" else _user(message)
    return built


def _user(message: Message) -> list[Json]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    built: list[Json] = []
    for result in results:
        told: Json = {"role": "tool", "tool_name": result.name, "tool_call_id": result.call_id}
        built.append(told | {"content": output(result)} | _images([*result.images]))
    images = [part for part in message.parts if isinstance(part, Image)]
    shown = [(told_file(part) or described(part)) if isinstance(part, File) else part for part in message.parts]
    words = "\n\n".join(part.text for part in shown if isinstance(part, Text))
    if words or images:
        built.append({"role": "user", "content": words} | _images(images))
    return built


def _images(images: list[Image]) -> Json:
    return {"images": [image.data for image in images]} if images else {}


def _assistant(message: Message) -> list[Json]:
    built: Json = {"role": "assistant", "content": message.text}
    own = (part.text for part in message.parts if isinstance(part, Thinking) and opaque(part).get("ollama"))
    if thought := "".join(own):
        built["thinking"] = thought
    if calls := [_call(number, call) for number, call in enumerate(message.tool_calls)]:
        built["tool_calls"] = calls
    return [built] if calls or message.text.strip() else []


def _call(number: int, call: ToolCall) -> Json:
    return {"id": call.id, "function": {"index": number, "name": call.name, "arguments": fields(call.arguments)}}


def _tool(tool: ToolSpec) -> Json:
    parameters: Json = {"type": "object", "properties": {}, **tool.parameters}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }
