"""The wire of Amazon Bedrock's Converse API: connecting, and its events into an answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from attache.foundation.settings import Settings
from attache.providers import bedrock_converse_request
from attache.providers.calls import TRUNCATED, Draft, settle
from attache.providers.deltas import Deltas
from attache.providers.eventstream import Frames
from attache.providers.foreign import count, dump, fields, objects, read, said
from attache.providers.remote import RemoteModel, Wire
from attache.providers.row import Access, ProviderRow, access
from attache.schema.data import CallId
from attache.schema.errors import MalformedToolCall, StreamCut
from attache.schema.messages import Message, Part, Text, Thinking
from attache.schema.models import Answer, Delta, StopReason, ToolCallDelta, Usage

if TYPE_CHECKING:
    from attache.providers.direct import Client

STOPS: dict[str, StopReason] = {
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "stop_sequence": "stop_sequence",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}
"""Reasons that are told apart; `end_turn` and `tool_use` mean that the turn is over."""


def connect(row: ProviderRow, model: str, settings: Settings) -> RemoteModel:
    """Return the model, not spoken to yet."""

    def client(reached: Access) -> Client:
        from attache.providers.direct import Client, Route

        return Client(reached, (Route("/model/{model}/converse-stream"), Route("/model/{model}/converse")))

    body = partial(bedrock_converse_request.body, quirks=row.quirks)
    wire = Wire(client=client, body=body, decoder=Decoder, frames=Frames)
    return RemoteModel(access(row, settings), model, wire)


class _Event(msgspec.Struct, rename="camel"):
    """An event of a stream under its name, or a whole answer."""

    content_block_start: Any = None
    content_block_delta: Any = None
    message_stop: Any = None
    metadata: Any = None
    output: Any = None
    stop_reason: Any = None
    usage: Any = None
    error: Any = None
    message: Any = None


_EVENT = msgspec.json.Decoder(_Event)


class _Open:
    """A block of the answer as far as it has come."""

    __slots__ = ("call", "redacted", "signature", "texts", "thoughts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.signature = ""
        self.redacted = ""
        self.call: Draft | None = None


class Decoder:
    """Events in, deltas as they come, the answer at the end."""

    def __init__(self) -> None:
        self.done = False
        self.error: object = None
        self._deltas = Deltas()
        self._blocks: dict[int, _Open] = {}
        self._stop = ""
        self._usage = Usage()

    def event(self, data: bytes) -> None:
        """Take one event; raises msgspec.DecodeError where it is none."""
        event = read(_EVENT, data)
        if started := fields(event.content_block_start):
            self._take(started.get("contentBlockIndex"), fields(started.get("start")))
        elif piece := fields(event.content_block_delta):
            self._take(piece.get("contentBlockIndex"), fields(piece.get("delta")))
        elif stopped := fields(event.message_stop):
            self._stop = said(stopped.get("stopReason"))
        elif event.metadata is not None:
            self._count(fields(event.metadata).get("usage"))
            self.done = bool(self._stop)  # the last event
        elif event.output is not None:
            self._whole(event)
        elif event.error or event.message:
            self.error = {"error": event.error or event.message}

    def take(self) -> list[Delta]:
        """Return what came since the last time."""
        return self._deltas.take()

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far."""
        return self._usage

    def answer(self) -> Answer:
        """Return the whole answer; raises StreamCut where nothing said that it is over."""
        if not self._stop or self._stop == "malformed_model_output":
            raise StreamCut(f"the answer ended before it was whole{self._stop and ' (malformed_model_output)'}")
        if self._stop == "malformed_tool_use":
            raise MalformedToolCall("the model called a tool in a way that its provider could not read")
        stop = STOPS.get(self._stop)
        blocks = [block for _, block in sorted(self._blocks.items())]
        drafts = [block.call for block in blocks if block.call]
        calls = {id(draft): call for draft, call in settle(drafts, truncated=stop in TRUNCATED)}
        parts: list[Part] = []
        for block in blocks:
            if block.call:
                parts += [calls[id(block.call)]] if id(block.call) in calls else []
            else:
                parts += _parts(block)
        return Answer(
            message=Message(role="assistant", parts=tuple(parts)),
            stop_reason=stop or ("tool_use" if calls else "end_turn"),
            usage=self.usage,
        )

    def _whole(self, event: _Event) -> None:
        message = fields(fields(event.output).get("message"))
        for index, block in enumerate(objects(message.get("content"))):
            self._take(index, block)
        self._stop = said(event.stop_reason) or "end_turn"
        self._count(event.usage)
        self.done = True

    def _take(self, index: Any, piece: dict[str, Any]) -> None:
        """Take a block's beginning, a piece of one, or a whole one: they hold the same fields."""
        block = self._blocks.setdefault(index if isinstance(index, int) else 0, _Open())
        cited = objects(fields(piece.get("citationsContent")).get("content"))
        if text := said(piece.get("text")) or "".join(said(words.get("text")) for words in cited):
            block.texts.append(text)
            self._deltas.text(text)
        if reasoning := fields(piece.get("reasoningContent")):
            self._think(block, reasoning)
        if call := fields(piece.get("toolUse")):
            self._call(block, call)

    def _think(self, block: _Open, reasoning: dict[str, Any]) -> None:
        told = fields(reasoning.get("reasoningText")) or reasoning
        block.thoughts.append(said(told.get("text")))
        block.signature += said(told.get("signature"))
        block.redacted += said(reasoning.get("redactedContent"))
        self._deltas.thinking(said(told.get("text")))

    def _call(self, block: _Open, call: dict[str, Any]) -> None:
        if block.call is None:
            block.call = Draft(id=said(call.get("toolUseId")), name=said(call.get("name")))
        given = call.get("input")
        text = said(given)
        if isinstance(given, dict):
            block.call.whole = fields(given)
        elif given is not None and not isinstance(given, str):
            text = dump(given).decode()  # no object, and no arguments then
        block.call.pieces.append(text)
        self._deltas.put(ToolCallDelta(id=CallId(block.call.id), name=said(call.get("name")), arguments=text))

    def _count(self, usage: Any) -> None:
        figures = fields(usage)
        read, written = count(figures.get("cacheReadInputTokens")), count(figures.get("cacheWriteInputTokens"))
        self._usage = Usage(
            input_tokens=count(figures.get("inputTokens")) + read + written,
            output_tokens=count(figures.get("outputTokens")),
            cached_tokens=read,
            cache_write_tokens=written,
        )


def _parts(block: _Open) -> list[Part]:
    text, thought = "".join(block.texts), "".join(block.thoughts)
    parts: list[Part] = []
    if thought or block.signature:
        parts.append(Thinking(text=thought, signature=block.signature))
    if block.redacted:
        parts.append(Thinking(redacted=block.redacted))
    return [*parts, Text(text=text)] if text else parts
