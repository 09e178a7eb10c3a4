"""The wire of Google's Gemini API, at Google AI and on Vertex: connecting, and its events into an answer."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from attache.foundation.settings import Settings
from attache.providers import gemini_request
from attache.providers.calls import TRUNCATED, Draft, settle
from attache.providers.deltas import Deltas
from attache.providers.foreign import count, fields, read, said
from attache.providers.remote import RemoteModel, Wire
from attache.providers.row import Access, ProviderRow, access
from attache.schema.data import CallId
from attache.schema.errors import MalformedToolCall, StreamCut
from attache.schema.messages import Message, Part, Text, Thinking
from attache.schema.models import Answer, Delta, StopReason, ToolCallDelta, Usage

if TYPE_CHECKING:
    from attache.providers.direct import Client

STOPS: dict[str, StopReason] = {
    "MAX_TOKENS": "max_tokens",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
}
"""Reasons that are told apart; all others, such as `STOP`, mean that the turn is over."""
MALFORMED = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"})
"""Reasons that say that the model called a tool as it should not."""


def connect(row: ProviderRow, model: str, settings: Settings) -> RemoteModel:
    """Return the model, not spoken to yet."""

    def client(reached: Access) -> Client:
        from attache.providers.direct import Client, Route

        return Client(
            reached,
            (Route("/models/{model}:streamGenerateContent?alt=sse"), Route("/models/{model}:generateContent")),
        )

    body = partial(gemini_request.body, quirks=row.quirks)
    return RemoteModel(access(row, settings), model, Wire(client=client, body=body, decoder=Decoder))


class _Call(msgspec.Struct):
    id: Any = None
    name: Any = None
    args: Any = None


class _Part(msgspec.Struct, rename="camel"):
    text: Any = None
    thought: Any = None
    thought_signature: Any = None
    function_call: _Call | None = None


class _Content(msgspec.Struct):
    parts: list[_Part | None] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    index: Any = None
    content: _Content | None = None
    finish_reason: Any = None
    finish_message: Any = None


class _Chunk(msgspec.Struct, rename="camel"):
    """An event of a stream, or a whole answer."""

    candidates: list[_Candidate] | None = None
    prompt_feedback: Any = None
    usage_metadata: Any = None
    model_version: Any = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)
_CHUNKS = msgspec.json.Decoder(list[_Chunk])
_FIRST = (0, None)


class _Piece:
    """A part of the answer as far as it has come."""

    __slots__ = ("draft", "signature", "texts", "thought")

    def __init__(self, *, thought: bool = False, draft: Draft | None = None) -> None:
        self.texts: list[str] = []
        self.thought = thought
        self.signature = ""
        self.draft = draft


class Decoder:
    """Events in, deltas as they come, the answer at the end."""

    def __init__(self) -> None:
        self.done = False
        self.error: object = None
        self._deltas = Deltas()
        self._pieces: list[_Piece] = []
        self._finish = ""
        self._words = ""
        self._usage: dict[str, Any] = {}
        self._model = ""

    def event(self, data: bytes) -> None:
        """Take one event, or a list of them; raises msgspec.DecodeError where it is none."""
        for chunk in read(_CHUNKS, data) if data.startswith(b"[") else [read(_CHUNK, data)]:
            self._chunk(chunk)

    def take(self) -> list[Delta]:
        """Return what came since the last time."""
        return self._deltas.take()

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far."""
        return self._counted()

    def answer(self) -> Answer:
        """Return the whole answer; raises StreamCut where nothing said that it is over."""
        if not self._finish:
            raise StreamCut("the answer ended before it was whole")
        if self._finish in MALFORMED:
            raise MalformedToolCall(
                f"the model called a tool in a way that its provider could not read: {self._words}".rstrip(": "),
                arguments=self._words,
            )
        if self._finish == "OTHER" and not self._pieces:
            raise StreamCut("the provider broke off the answer (OTHER)")
        stop = STOPS.get(self._finish)
        drafts = [piece.draft for piece in self._pieces if piece.draft]
        calls = {id(draft): call for draft, call in settle(drafts, truncated=stop in TRUNCATED)}
        parts: list[Part] = []
        for piece in self._pieces:
            if piece.signature and not piece.thought:
                parts.append(Thinking(redacted=json.dumps({"thoughtSignature": piece.signature})))
            text = "".join(piece.texts)
            if piece.draft:
                parts += [calls[id(piece.draft)]] if id(piece.draft) in calls else []
            elif piece.thought:
                parts += [Thinking(text=text)] if text else []
            elif text or piece.signature:
                parts.append(Text(text=text))
        return Answer(
            message=Message(role="assistant", parts=tuple(parts)),
            stop_reason=stop or ("tool_use" if calls else "end_turn"),
            usage=self.usage,
            model=self._model,
        )

    def _chunk(self, chunk: _Chunk) -> None:
        if chunk.error:
            self.error = {"error": chunk.error}
            return
        self._model = said(chunk.model_version) or self._model
        # The figures are totals so far; some are left out on the way.
        self._usage.update({key: value for key, value in fields(chunk.usage_metadata).items() if value})
        for candidate in chunk.candidates or ():
            if candidate.index in _FIRST:  # further ones were not asked for
                self._candidate(candidate)
        # Early models put a reason to stop into every event; with them the end is that of the stream.
        last = bool(self._finish and chunk.usage_metadata and self._model)
        self.done = self.done or (last and not self._model.startswith("gemini-1"))
        if fields(chunk.prompt_feedback).get("blockReason") and not self._finish:
            self._finish = "PROHIBITED_CONTENT"

    def _candidate(self, candidate: _Candidate) -> None:
        for part in (candidate.content.parts if candidate.content else None) or ():
            if part is not None:
                self._part(part)
        self._finish = said(candidate.finish_reason) or self._finish
        self._words = said(candidate.finish_message) or self._words

    def _part(self, part: _Part) -> None:
        signature = said(part.thought_signature)
        if part.function_call is not None:
            self._call(part.function_call).signature = signature
            return
        text = said(part.text)
        thought = part.thought is True
        last = self._pieces[-1] if self._pieces else None
        if not (text or signature):
            return
        if last is None or last.draft or last.thought != thought or last.signature:
            # What is signed goes back as it came, apart from what follows.
            last = _Piece(thought=thought)
            self._pieces.append(last)
        last.texts.append(text)
        last.signature = signature
        if thought:
            self._deltas.thinking(text)
        else:
            self._deltas.text(text)

    def _call(self, call: _Call) -> _Piece:
        whole = isinstance(call.args, dict)
        text = "" if whole or call.args is None else json.dumps(call.args)
        draft = Draft(id=said(call.id), name=said(call.name), whole=fields(call.args), pieces=[text])
        self._pieces.append(_Piece(draft=draft))
        shown = json.dumps(call.args, ensure_ascii=False) if whole else text
        self._deltas.put(ToolCallDelta(id=CallId(draft.id), name=draft.name, arguments=shown))
        return self._pieces[-1]

    def _counted(self) -> Usage:
        return Usage(
            input_tokens=count(self._usage.get("promptTokenCount")),
            output_tokens=count(self._usage.get("candidatesTokenCount")),
            cached_tokens=count(self._usage.get("cachedContentTokenCount")),
            reasoning_tokens=count(self._usage.get("thoughtsTokenCount")),
        )
