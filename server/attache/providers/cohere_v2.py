"""The wire of Cohere's Chat API, version 2: connecting, and its events into an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from attache.foundation.settings import Settings
from attache.providers import cohere_v2_request
from attache.providers.calls import TRUNCATED, Draft, settle
from attache.providers.deltas import Deltas
from attache.providers.foreign import count, fields, objects, read, said
from attache.providers.remote import RemoteModel, Wire
from attache.providers.row import Access, ProviderRow, access
from attache.schema.data import CallId
from attache.schema.errors import StreamCut
from attache.schema.messages import Message, Part, Text, Thinking
from attache.schema.models import Answer, Delta, StopReason, ToolCallDelta, Usage

if TYPE_CHECKING:
    from attache.providers.direct import Client

STOPS: dict[str, StopReason] = {
    "MAX_TOKENS": "max_tokens",
    "ERROR_LIMIT": "max_tokens",
    "STOP_SEQUENCE": "stop_sequence",
    "ERROR_TOXIC": "content_filter",
}
"""Reasons that are told apart; `COMPLETE` and `TOOL_CALL` mean that the turn is over."""
FAILURES = frozenset({"TIMEOUT", "USER_CANCEL"})
"""Reasons that say that the answer broke off."""


def connect(row: ProviderRow, model: str, settings: Settings) -> RemoteModel:
    """Return the model, not spoken to yet."""

    def client(reached: Access) -> Client:
        from attache.providers.direct import Client, Route

        return Client(reached, (Route("/v2/chat"),), base_url=reached.base_url.removesuffix("/v2"))

    return RemoteModel(access(row, settings), model, Wire(client=client, body=cohere_v2_request.body, decoder=Decoder))


class _Event(msgspec.Struct):
    """An event of a stream, or a whole answer."""

    type: Any = None
    index: Any = None
    delta: Any = None
    message: Any = None
    finish_reason: Any = None
    usage: Any = None
    error: Any = None


_EVENT = msgspec.json.Decoder(_Event)
_DELTAS = frozenset({"content-start", "content-delta", "tool-plan-delta", "tool-call-start", "tool-call-delta"})


class Decoder:
    """Events in, deltas as they come, the answer at the end."""

    def __init__(self) -> None:
        self.done = False
        self.error: object = None
        self._deltas = Deltas()
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._plan: list[str] = []
        self._drafts: dict[int, Draft] = {}
        self._finish = ""
        self._usage = Usage()

    def event(self, data: bytes) -> None:
        """Take one event; raises msgspec.DecodeError where it is none."""
        if data.strip() == b"[DONE]":
            return
        event = read(_EVENT, data)
        delta = fields(event.delta)
        if event.type in _DELTAS:
            self._message(fields(delta.get("message")), event.index)
        elif event.type == "message-end":
            self._end(delta.get("finish_reason"), delta.get("usage"), delta.get("error"))
        elif event.type is None and event.finish_reason is not None:
            self._message(fields(event.message), None)
            self._end(event.finish_reason, event.usage, event.error)
        elif event.error or (event.type is None and isinstance(event.message, str)):
            self.error = {"error": event.error or event.message}

    def take(self) -> list[Delta]:
        """Return what came since the last time."""
        return self._deltas.take()

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far."""
        return self._usage

    def answer(self) -> Answer:
        """Return the whole answer; raises StreamCut where its last event is missing."""
        if not self.done:
            raise StreamCut("the answer ended before it was whole")
        if self._finish in FAILURES:
            raise StreamCut(f"the provider broke off the answer ({self._finish})")
        stop = STOPS.get(self._finish)
        settled = settle([draft for _, draft in sorted(self._drafts.items())], truncated=stop in TRUNCATED)
        parts: list[Part] = []
        for kind, pieces in (("thinking", self._thoughts), ("tool_plan", self._plan)):
            if text := "".join(pieces):
                parts.append(Thinking(text=text, redacted=json.dumps({"cohere": kind})))
        if text := "".join(self._text):
            parts.append(Text(text=text))
        return Answer(
            message=Message(role="assistant", parts=(*parts, *(call for _, call in settled))),
            stop_reason=stop or ("tool_use" if settled else "end_turn"),
            usage=self.usage,
        )

    def _message(self, message: dict[str, Any], index: Any) -> None:
        """Take a message, or a piece of one; the pieces of a stream hold one object where a message holds a list."""
        plan = said(message.get("tool_plan"))
        self._plan.append(plan)
        self._deltas.thinking(plan)
        content = message.get("content")
        for piece in objects(content) or [fields(content)]:
            thought, text = said(piece.get("thinking")), said(piece.get("text"))
            self._thoughts.append(thought)
            self._deltas.thinking(thought)
            self._text.append(text)
            self._deltas.text(text)
        calls = message.get("tool_calls")
        for number, call in enumerate(objects(calls) or [fields(calls)]):
            if call:
                self._call(call, index if isinstance(index, int) else number)

    def _call(self, call: dict[str, Any], index: int) -> None:
        function = fields(call.get("function"))
        draft = self._drafts.setdefault(index, Draft())
        draft.id = draft.id or said(call.get("id"))
        name = "" if draft.name else said(function.get("name"))
        draft.name += name
        given = function.get("arguments")
        if isinstance(given, dict):
            draft.whole = fields(given)
        text = said(given)
        draft.pieces.append(text)
        self._deltas.put(ToolCallDelta(id=CallId(draft.id), name=name, arguments=text))

    def _end(self, finish: Any, usage: Any, error: Any) -> None:
        self._finish = said(finish)
        if error or self._finish == "ERROR":
            self.error = {"error": error or "the provider broke off the answer (ERROR)"}
            return
        figures = fields(usage)
        counted = fields(figures.get("tokens")) or fields(figures.get("billed_units"))
        self._usage = Usage(
            input_tokens=count(counted.get("input_tokens")),
            output_tokens=count(counted.get("output_tokens")),
            cached_tokens=count(figures.get("cached_tokens")),
        )
        self.done = True
