"""A request in words alone, for models that have no form for tools: which there are, how to call them, what came."""

from __future__ import annotations

import json
from typing import Any

from attache.providers.conversation import output, paired
from attache.schema.messages import Message, Part, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec

_HOW = """# Tools
You may call these tools, one JSON object a line:
{tools}

To call one, write a call like this one, with the name and the arguments that you need:
<tool_call>
{example}
</tool_call>
What it answers comes in <tool_response> tags. Call only these tools; when you are done, answer in plain words."""
_MUST = "\nYou must call one of them now."


def in_words(request: Request) -> Request:
    """Return the request without tools: they stand in the system prompt, calls and results in the conversation."""
    if not request.tools:
        return request
    messages = tuple(
        Message(role=message.role, parts=tuple(part for one in message.parts for part in _told(one)))
        for message in paired(request.messages)
    )
    listed = "\n".join(json.dumps(_shown(tool), ensure_ascii=False) for tool in request.tools)
    how = _HOW.format(tools=listed, example=_example(request.tools[0]))
    if request.tool_choice == "required":
        how += _MUST
    offered = () if request.tool_choice == "none" else (how,)
    return request.model_copy(
        update={
            "system": "\n\n".join(filter(None, (request.system, *offered))),
            "messages": messages,
            "tools": (),
            "tool_choice": "auto",
        }
    )


def _shown(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def _example(tool: ToolSpec) -> str:
    """Return a call of a real tool: a model that echoes the example then names none that does not exist."""
    known: dict[str, Any] = tool.parameters.get("properties", {})
    needed = tool.parameters.get("required") or list(known)[:1]
    values: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    given = {name: values.get(str(known.get(name, {}).get("type")), f"a {name}") for name in needed}
    return json.dumps({"name": tool.name, "arguments": given}, ensure_ascii=False)


def _told(part: Part) -> tuple[Part, ...]:
    match part:
        case ToolCall():
            called = json.dumps({"name": part.name, "arguments": part.arguments}, ensure_ascii=False)
            return (Text(text=f"<tool_call>\n{called}\n</tool_call>"),)
        case ToolResult():
            return (Text(text=f"<tool_response>\n{part.name}: {output(part)}\n</tool_response>"), *part.images)
        case Thinking():
            return ()
        case _:
            return (part,)
