"""The wire of Anthropic's Messages API: connecting, and its events into an answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from attache.foundation.settings import Settings
from attache.providers import anthropic_request
from attache.providers.calls import TRUNCATED, Draft, settle
from attache.providers.deltas import Deltas
from attache.providers.foreign import count, fields, fitting, read, said
from attache.providers.remote import RemoteModel, Wire
from attache.providers.row import Access, ProviderRow, access
from attache.schema.data import CallId
from attache.schema.errors import StreamCut
from attache.schema.messages import Message, Part, Text, Thinking
from attache.schema.models import Answer, Delta, StopReason, ToolCallDelta, Usage

if TYPE_CHECKING:
    from attache.providers.sdk_anthropic import Client

STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause_turn": "pause_turn",
}


def connect(row: ProviderRow, model: str, settings: Settings) -> RemoteModel:
    """Return the model, not spoken to yet."""

    def client(reached: Access) -> Client:
        from attache.providers.sdk_anthropic import Client

        return Client(reached)

    wire = Wire(client=client, body=partial(anthropic_request.body, quirks=row.quirks), decoder=Decoder)
    return RemoteModel(access(row, settings), model, wire)


class _Block(msgspec.Struct):
    """A content block, or a delta of one; both hold the same fields."""

    type: Any = None
    text: Any = None
    thinking: Any = None
    signature: Any = None
    data: Any = None
    id: Any = None
    name: Any = None
    input: Any = None
    partial_json: Any = None
    stop_reason: Any = None


class _Event(msgspec.Struct):
    """An event of a stream, or a whole message."""

    type: Any = None
    index: Any = None
    message: Any = None
    content_block: _Block | None = None
    delta: _Block | None = None
    content: list[_Block] | None = None
    stop_reason: Any = None
    model: Any = None
    usage: Any = None
    error: Any = None


_UNANNOUNCED = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "tool_use"}
_EVENT = msgspec.json.Decoder(_Event)


class _Open:
    """A block of the answer as far as it has come."""

    __slots__ = ("call", "data", "signature", "texts", "type")

    def __init__(self, block: _Block) -> None:
        self.type = said(block.type)
        self.texts = [said(block.text), said(block.thinking)]
        self.signature = said(block.signature)
        self.data = said(block.data)
        self.call = Draft(id=said(block.id), name=said(block.name), whole=fields(block.input) or None)


class Decoder:
    """Events in, deltas as they come, the answer at the end."""

    def __init__(self) -> None:
        self.done = False
        self.error: object = None
        self._deltas = Deltas()
        self._order: list[_Open] = []
        self._blocks: dict[int, _Open] = {}
        self._usage: dict[str, Any] = {}
        self._stop = ""
        self._model = ""

    def event(self, data: bytes) -> None:
        """Take one event; raises msgspec.DecodeError where it is none."""
        event = read(_EVENT, data)
        match event.type:
            case "content_block_delta":
                self._delta(event)
            case "content_block_start" if event.content_block is not None:
                self._start(event.index, event.content_block)
            case "message_start":
                self._whole(fitting(_Event, event.message))
            case "message_delta":
                self._stop = said(event.delta.stop_reason if event.delta else None) or self._stop
                self._count(event.usage)
            case "message_stop":
                self.done = True
            case "message":
                self._whole(event)
                self.done = True
            case "error":
                self.error = {"error": event.error}
            case _ if event.error:
                self.error = {"error": event.error}
            case _:
                pass  # pings, and what later versions of the API may add

    def take(self) -> list[Delta]:
        """Return what came since the last time."""
        return self._deltas.take()

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far."""
        return self._counted()

    def answer(self) -> Answer:
        """Return the whole answer; raises StreamCut where its last event is missing."""
        if not self.done:
            raise StreamCut("the answer ended before it was whole")
        stop = STOPS.get(self._stop)
        calls = {id(draft): call for draft, call in settle(self._drafts(), truncated=stop in TRUNCATED)}
        parts: list[Part] = []
        for block in self._order:
            if block.type == "tool_use":
                parts += [calls[id(block.call)]] if id(block.call) in calls else []
            else:
                parts += _part(block)
        return Answer(
            message=Message(role="assistant", parts=tuple(parts)),
            stop_reason=stop or ("tool_use" if calls else "end_turn"),
            usage=self.usage,
            model=self._model,
        )

    def _drafts(self) -> list[Draft]:
        return [block.call for block in self._order if block.type == "tool_use"]

    def _whole(self, message: _Event) -> None:
        self._model = said(message.model) or self._model
        self._stop = said(message.stop_reason) or self._stop
        self._count(message.usage)
        for index, block in enumerate(message.content or ()):
            self._start(index, block)

    def _start(self, index: Any, block: _Block) -> None:
        opened = _Open(block)
        before = self._blocks.get(index)
        if before is not None and before.type == "tool_use" and opened.call.id and before.call.id == opened.call.id:
            return  # announced twice
        self._order.append(opened)
        self._blocks[index] = opened
        self._deltas.text(opened.texts[0] if opened.type == "text" else "")
        self._deltas.thinking(opened.texts[1] if opened.type == "thinking" else "")
        if opened.type == "tool_use":
            self._deltas.put(ToolCallDelta(id=CallId(opened.call.id), name=opened.call.name))

    def _delta(self, event: _Event) -> None:
        if (delta := event.delta) is None:
            return
        block = self._blocks.get(event.index)
        if block is None:
            # A block that was never announced: words are taken, a call without a name is refused at the end.
            kind = _UNANNOUNCED.get(said(delta.type))
            self._start(event.index, _Block(type=kind))
            block = self._blocks[event.index]
        if block.type == "text" and delta.text:
            block.texts.append(said(delta.text))
            self._deltas.text(said(delta.text))
        elif block.type == "thinking" and delta.thinking:
            block.texts.append(said(delta.thinking))
            self._deltas.thinking(said(delta.thinking))
        elif block.type == "thinking" and delta.signature:
            block.signature += said(delta.signature)
        elif block.type == "tool_use" and delta.partial_json:
            block.call.pieces.append(said(delta.partial_json))
            self._deltas.put(ToolCallDelta(id=CallId(block.call.id), arguments=said(delta.partial_json)))

    def _count(self, usage: Any) -> None:
        """Keep the latest figure of each kind: they are totals, and some servers send zeros on the way."""
        self._usage.update({key: value for key, value in fields(usage).items() if value})

    def _counted(self) -> Usage:
        cached = count(self._usage.get("cache_read_input_tokens"))
        written = count(self._usage.get("cache_creation_input_tokens"))
        details = fields(self._usage.get("output_tokens_details"))
        return Usage(
            input_tokens=count(self._usage.get("input_tokens")) + cached + written,
            output_tokens=count(self._usage.get("output_tokens")),
            cached_tokens=cached,
            cache_write_tokens=written,
            reasoning_tokens=count(details.get("thinking_tokens")),
        )


def _part(block: _Open) -> list[Part]:
    """Return the part that a block makes; a provider's own tools and what later versions may add make none."""
    text = "".join(block.texts)
    match block.type:
        case "text":
            return [Text(text=text)] if text else []
        case "thinking":
            return [Thinking(text=text, signature=block.signature)] if text or block.signature else []
        case "redacted_thinking":
            return [Thinking(redacted=block.data)] if block.data else []
        case _:
            return []
