"""What each wire looks like when it says a text, calls tools and ends: answers as lists of events, to be sent or spoilt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from wire import amazon

Kind = Literal["start", "text", "call", "arguments", "stop", "usage", "end"]
Event = tuple[Kind, bytes]
"""What an event is for, and its bytes as they go over the line."""


@dataclass(frozen=True)
class Called:
    """A tool call as a model makes it; `arguments` is text, so that it may be no JSON."""

    id: str
    name: str
    arguments: str = "{}"

    @property
    def pieces(self) -> tuple[str, str]:
        middle = len(self.arguments) // 2
        return self.arguments[:middle], self.arguments[middle:]

    @property
    def value(self) -> Any:
        """The arguments where a wire wants an object: what is no JSON stays the text it is."""
        try:
            return json.loads(self.arguments or "{}")
        except ValueError:
            return self.arguments


@dataclass(frozen=True)
class Said:
    """One answer, in no wire's form."""

    texts: tuple[str, ...] = ()
    calls: tuple[Called, ...] = ()
    stop: Literal["end", "tool", "filter", ""] = ""
    """Empty: as it follows from the calls."""
    usage: tuple[Any, Any] | None = (100, 20)
    nameless: bool = False
    """Whether the reason to stop is left out."""
    takes_turns: bool = False
    """Whether the pieces of several calls are mixed."""

    @property
    def reason(self) -> str:
        return self.stop or ("tool" if self.calls else "end")


def content_type(wire: str) -> str:
    """Return what the header says of a stream."""
    kinds = {"bedrock_converse": "application/vnd.amazon.eventstream", "ollama_chat": "application/x-ndjson"}
    return kinds.get(wire, "text/event-stream")


def events(wire: str, said: Said) -> list[Event]:
    """Return the answer as the events of its wire."""
    return list(_WIRES[wire](said))


def frame(wire: str, payload: dict[str, Any], name: str = "") -> bytes:
    """Return one event as the wire frames it; `name` where it has a name apart."""
    if wire == "bedrock_converse":
        return amazon.stream(json.dumps(payload))
    line = json.dumps(payload, ensure_ascii=False)
    if wire == "ollama_chat":
        return f"{line}\n".encode()
    return f"event: {name}\ndata: {line}\n\n".encode() if name else f"data: {line}\n\n".encode()


def in_turns(calls: tuple[Called, ...], *, mixed: bool) -> Iterable[tuple[int, str]]:
    """Yield which call goes on, with its next piece."""
    pieces = [(number, piece) for number, call in enumerate(calls) for piece in call.pieces]
    return sorted(pieces, key=lambda pair: pieces.index(pair) % 2) if mixed else pieces


def _anthropic(said: Said) -> Iterable[Event]:
    def one(kind: Kind, **payload: Any) -> Event:
        return kind, frame("anthropic_messages", payload, payload["type"])

    read, written = said.usage or (None, None)
    usage = {} if said.usage is None else {"usage": {"input_tokens": read, "output_tokens": 1}}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}
    yield one("start", type="message_start", message={**message, **usage})
    index = 0
    if said.texts:
        yield one("start", type="content_block_start", index=0, content_block={"type": "text", "text": ""})
        for text in said.texts:
            yield one("text", type="content_block_delta", index=0, delta={"type": "text_delta", "text": text})
        yield one("text", type="content_block_stop", index=0)
        index = 1
    for number, call in enumerate(said.calls):
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield one("call", type="content_block_start", index=index + number, content_block=block)
        if not said.takes_turns:
            yield from _anthropic_pieces(one, [(index + number, piece) for piece in call.pieces])
            yield one("arguments", type="content_block_stop", index=index + number)
    if said.takes_turns:
        mixed = in_turns(said.calls, mixed=True)
        yield from _anthropic_pieces(one, [(index + number, piece) for number, piece in mixed])
    reason = {"end": "end_turn", "tool": "tool_use", "filter": "refusal"}[said.reason]
    after = {} if said.usage is None else {"usage": {"output_tokens": written}}
    yield one("stop", type="message_delta", delta={} if said.nameless else {"stop_reason": reason}, **after)
    yield one("end", type="message_stop")


def _anthropic_pieces(one: Callable[..., Event], pieces: Iterable[tuple[int, str]]) -> Iterable[Event]:
    for index, piece in pieces:
        delta = {"type": "input_json_delta", "partial_json": piece}
        yield one("arguments", type="content_block_delta", index=index, delta=delta)


def _chat(said: Said) -> Iterable[Event]:
    def one(kind: Kind, delta: dict[str, Any], reason: str | None = None, **more: Any) -> Event:
        choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
        return kind, frame("openai_chat", {"object": "chat.completion.chunk", "model": "m", "choices": choices, **more})

    yield one("start", {"role": "assistant", "content": ""})
    for text in said.texts:
        yield one("text", {"content": text})
    for number, call in enumerate(said.calls):
        start = {"index": number, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield one("call", {"tool_calls": [start]})
        if not said.takes_turns:
            for piece in call.pieces:
                yield one("arguments", {"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
    for number, piece in in_turns(said.calls, mixed=True) if said.takes_turns else ():
        yield one("arguments", {"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
    if not said.nameless:
        yield one("stop", {}, {"end": "stop", "tool": "tool_calls", "filter": "content_filter"}[said.reason])
    if said.usage is not None:
        read, written = said.usage
        figures = {"prompt_tokens": read, "completion_tokens": written}
        yield "usage", frame("openai_chat", {"object": "chat.completion.chunk", "choices": [], "usage": figures})
    yield "end", b"data: [DONE]\n\n"


def _responses(said: Said) -> Iterable[Event]:
    def one(kind: Kind, **payload: Any) -> Event:
        return kind, frame("openai_responses", payload, payload["type"])

    items: list[dict[str, Any]] = []
    yield one("start", type="response.created", response={"id": "resp_1", "status": "in_progress", "output": []})
    if said.texts:
        yield one("start", type="response.output_item.added", output_index=0, item={"type": "message", "content": []})
        for text in said.texts:
            yield one("text", type="response.output_text.delta", output_index=0, delta=text)
        words = {"type": "output_text", "text": "".join(said.texts)}
        items.append({"type": "message", "role": "assistant", "content": [words]})
        yield one("text", type="response.output_item.done", output_index=0, item=items[0])
    first = len(items)
    for number, call in enumerate(said.calls, first):
        item = {"type": "function_call", "id": f"fc_{number}", "call_id": call.id, "name": call.name, "arguments": ""}
        yield one("call", type="response.output_item.added", output_index=number, item=item)
        items.append({**item, "arguments": call.arguments})
    for number, piece in in_turns(said.calls, mixed=said.takes_turns):
        yield one("arguments", type="response.function_call_arguments.delta", output_index=first + number, delta=piece)
    for number, item in enumerate(items[first:], first):
        yield one("arguments", type="response.output_item.done", output_index=number, item=item)
    response: dict[str, Any] = {"id": "resp_1", "model": "m", "output": items, "status": "completed"}
    if said.reason == "filter":
        response |= {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    if said.nameless:
        del response["status"]
    if said.usage is not None:
        response["usage"] = {"input_tokens": said.usage[0], "output_tokens": said.usage[1]}
    kind = "response.incomplete" if said.reason == "filter" else "response.completed"
    yield one("end", type=kind, response=response)


def _gemini(said: Said) -> Iterable[Event]:
    def one(kind: Kind, *parts: dict[str, Any], **more: Any) -> Event:
        candidate = {"index": 0, "content": {"role": "model", "parts": list(parts)}, **more.pop("candidate", {})}
        return kind, frame("gemini", {"candidates": [candidate], "modelVersion": "gemini-3", **more})

    for text in said.texts:
        yield one("text", {"text": text})
    for call in said.calls:
        made = {"name": call.name, "args": call.value} | ({"id": call.id} if call.id else {})
        yield one("arguments", {"functionCall": made})
    reason = {} if said.nameless else {"finishReason": {"filter": "SAFETY"}.get(said.reason, "STOP")}
    usage = {}
    if said.usage is not None:
        usage = {"usageMetadata": {"promptTokenCount": said.usage[0], "candidatesTokenCount": said.usage[1]}}
    yield one("end", candidate=reason, **usage)


def _converse(said: Said) -> Iterable[Event]:
    def one(kind: Kind, name: str, **payload: Any) -> Event:
        return kind, frame("bedrock_converse", {name: payload})

    yield one("start", "messageStart", role="assistant")
    for text in said.texts:
        yield one("text", "contentBlockDelta", contentBlockIndex=0, delta={"text": text})
    first = bool(said.texts)
    for number, call in enumerate(said.calls, first):
        begun = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield one("call", "contentBlockStart", contentBlockIndex=number, start=begun)
    for number, piece in in_turns(said.calls, mixed=said.takes_turns):
        delta = {"toolUse": {"input": piece}}
        yield one("arguments", "contentBlockDelta", contentBlockIndex=first + number, delta=delta)
    reason = {"end": "end_turn", "tool": "tool_use", "filter": "content_filtered"}[said.reason]
    yield one("stop", "messageStop", **({} if said.nameless else {"stopReason": reason}))
    usage = {} if said.usage is None else {"usage": {"inputTokens": said.usage[0], "outputTokens": said.usage[1]}}
    yield one("end", "metadata", **usage)


def _cohere(said: Said) -> Iterable[Event]:
    def one(kind: Kind, name: str, **payload: Any) -> Event:
        return kind, frame("cohere_v2", {"type": name, **payload}, name)

    yield one("start", "message-start", delta={"message": {"role": "assistant", "content": []}})
    for text in said.texts:
        yield one("text", "content-delta", index=0, delta={"message": {"content": {"text": text}}})
    for number, call in enumerate(said.calls):
        begun = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield one("call", "tool-call-start", index=number, delta={"message": {"tool_calls": begun}})
    for number, piece in in_turns(said.calls, mixed=said.takes_turns):
        delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
        yield one("arguments", "tool-call-delta", index=number, delta=delta)
    reason = {"end": "COMPLETE", "tool": "TOOL_CALL", "filter": "ERROR_TOXIC"}[said.reason]
    ended = {} if said.nameless else {"finish_reason": reason}
    if said.usage is not None:
        ended["usage"] = {"tokens": {"input_tokens": said.usage[0], "output_tokens": said.usage[1]}}
    yield one("end", "message-end", delta=ended)


def _ollama(said: Said) -> Iterable[Event]:
    def one(kind: Kind, message: dict[str, Any], **more: Any) -> Event:
        line = {"model": "m", "message": {"role": "assistant", "content": "", **message}, "done": False, **more}
        return kind, frame("ollama_chat", line)

    for text in said.texts:
        yield one("text", {"content": text})
    for call in said.calls:
        made = {"function": {"name": call.name, "arguments": call.value}} | ({"id": call.id} if call.id else {})
        yield one("arguments", {"tool_calls": [made]})
    usage = {}
    if said.usage is not None:
        usage = {"prompt_eval_count": said.usage[0], "eval_count": said.usage[1]}
    reason = {} if said.nameless else {"done_reason": "stop"}
    yield one("end", {}, **{"done": True, **reason, **usage})


_WIRES: dict[str, Callable[[Said], Iterable[Event]]] = {
    "anthropic_messages": _anthropic,
    "anthropic_cloud": _anthropic,
    "openai_chat": _chat,
    "openai_responses": _responses,
    "gemini": _gemini,
    "bedrock_converse": _converse,
    "cohere_v2": _cohere,
    "ollama_chat": _ollama,
}


@dataclass(frozen=True)
class Line:
    """What goes over one connection after a request: bytes, pauses in seconds, and how it ends."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pieces: tuple[bytes | float, ...] = ()
    ends: Literal["well", "reset", "closed", "hangs"] = "well"
    length: int | None = None
    """A Content-Length in the place of chunks, true or not."""
    before: Literal["", "reset", "silence"] = ""
    """What happens before even a status is sent."""
