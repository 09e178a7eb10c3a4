"""What a request's body says, in the same words for every wire: for holding what we send against what was recorded."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
Atom = tuple[str, str]


def heard(form: str, body: Json) -> tuple[list[Atom], list[str]]:
    """Return who says what, neighbours of one role joined and blanks left out, and the names of the tools."""
    said, tools = _FORMS[form](body)
    joined: list[Atom] = []
    for role, words in said:
        text = "".join(words.split())
        if role in {"system", "user", "assistant"} and joined and joined[-1][0] == role:
            joined[-1] = (role, joined[-1][1] + text)
        elif text or role == "result":
            joined.append((role, text))
    return [atom for atom in joined if atom[1] or atom[0] == "result"], tools


def _call(name: str, arguments: Any) -> Atom:
    values = json.loads(arguments or "{}") if isinstance(arguments, str) else arguments or {}
    return ("call", f"{name} {json.dumps(values, sort_keys=True)}")


def _texts(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])


def _chat(body: Json) -> tuple[list[Atom], list[str]]:
    said: list[Atom] = []
    for message in body["messages"]:
        role = "result" if message["role"] == "tool" else message["role"]
        said.append((role, "" if role == "result" else _texts(message.get("content"))))
        said += [
            _call(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or []
        ]
    return said, [tool["function"]["name"] for tool in body.get("tools") or []]


def _responses(body: Json) -> tuple[list[Atom], list[str]]:
    said: list[Atom] = [("system", body.get("instructions") or "")]
    for item in body["input"]:
        match item.get("type", "message"):
            case "message":
                said.append((item["role"], _texts(item["content"])))
            case "function_call":
                said.append(_call(item["name"], item["arguments"]))
            case "function_call_output":
                said.append(("result", ""))
            case _:
                pass
    return said, [tool["name"] for tool in body.get("tools") or [] if tool["type"] == "function"]


def _gemini(body: Json) -> tuple[list[Atom], list[str]]:
    said: list[Atom] = [("system", _texts(body.get("systemInstruction", {}).get("parts")))]
    for content in body["contents"]:
        for part in content["parts"]:
            if "functionCall" in part:
                said.append(_call(part["functionCall"]["name"], part["functionCall"].get("args")))
            elif "functionResponse" in part:
                said.append(("result", ""))
            else:
                said.append(("assistant" if content["role"] == "model" else "user", part.get("text", "")))
    return said, [own["name"] for tool in body.get("tools") or [] for own in tool.get("functionDeclarations", [])]


def _converse(body: Json) -> tuple[list[Atom], list[str]]:
    said: list[Atom] = [("system", _texts(body.get("system")))]
    for message in body["messages"]:
        for block in message["content"]:
            if "toolUse" in block:
                said.append(_call(block["toolUse"]["name"], block["toolUse"]["input"]))
            elif "toolResult" in block:
                said.append(("result", ""))
            else:
                said.append((message["role"], block.get("text", "")))
    tools = body.get("toolConfig", {}).get("tools", [])
    return said, [tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool]


def _generate(body: Json) -> tuple[list[Atom], list[str]]:
    return [("system", body.get("system", "")), ("user", body["prompt"])], []


_FORMS = {
    "openai.responses": _responses,
    "gemini": _gemini,
    "bedrock.converse": _converse,
    "cohere.v2": _chat,
    "ollama.chat": _chat,
    "ollama.generate": _generate,
}
FORMS = frozenset(_FORMS)
