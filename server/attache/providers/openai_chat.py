"""The wire of OpenAI's Chat Completions API, which many providers speak: connecting, and its events into an answer."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from attache.foundation.settings import Settings
from attache.providers import openai_request
from attache.providers.calls import TRUNCATED, Draft, arguments, settle
from attache.providers.deltas import Deltas
from attache.providers.foreign import count, fields, load, objects, read, said
from attache.providers.remote import RemoteModel, Wire
from attache.providers.row import PLAIN, Access, ProviderRow, Quirks, access
from attache.schema.data import CallId
from attache.schema.errors import MalformedToolCall, StreamCut
from attache.schema.messages import Message, Part, Text, Thinking
from attache.schema.models import Answer, Delta, StopReason, ToolCallDelta, Usage

if TYPE_CHECKING:
    from attache.providers.sdk_openai import Client

STOPS: dict[str, StopReason] = {
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "model_length": "max_tokens",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "safety": "content_filter",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
}
"""Reasons that are told apart; all others, such as `stop`, `eos` and `tool_calls`, mean that the turn is over."""
_FIRST = (0, None, "0")
_JOINED = frozenset({"text", "summary", "data"})
FAILURES = frozenset({"error", "network_error", "insufficient_system_resource", "engine_overloaded", "abort"})
"""Reasons that say that the answer broke off."""


def connect(row: ProviderRow, model: str, settings: Settings) -> RemoteModel:
    """Return the model, not spoken to yet."""

    def client(reached: Access) -> Client:
        from attache.providers.sdk_openai import Client

        return Client(reached, "/chat/completions")

    wire = Wire(
        client=client,
        body=partial(openai_request.body, quirks=row.quirks),
        decoder=partial(Decoder, row.quirks),
    )
    return RemoteModel(access(row, settings), model, wire)


class _Function(msgspec.Struct):
    name: Any = None
    arguments: Any = None


class _Call(msgspec.Struct):
    index: Any = None
    id: Any = None
    function: _Function | None = None
    extra_content: Any = None


class _Delta(msgspec.Struct):
    """A piece of the answer in a stream, or the whole of it."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    refusal: Any = None
    tool_calls: list[_Call | None] | None = None
    function_call: _Function | None = None


class _Choice(msgspec.Struct):
    index: Any = None
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: Any = None
    usage: Any = None


class _Chunk(msgspec.Struct):
    """An event of a stream, or a whole answer."""

    object: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    x_groq: Any = None
    error: Any = None
    message: Any = None
    detail: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)


def _goes_on(draft: Draft, name: str) -> bool:
    """Say whether a piece with this name, and no id, may belong to a call: some servers repeat it with every piece."""
    if not draft.pieces and draft.whole is None:
        return True
    return name == draft.name and draft.whole is None and arguments("".join(draft.pieces)) is None


class Decoder:
    """Events in, deltas as they come, the answer at the end."""

    def __init__(self, quirks: Quirks = PLAIN) -> None:
        self.done = False
        self.error: object = None
        self._quirks = quirks
        self._deltas = Deltas()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._drafts: list[Draft] = []
        self._at: dict[int | str | None, Draft] = {}
        self._refused = False
        self._finish: str | None = None
        self._usage = Usage()
        self._model = ""

    def event(self, data: bytes) -> None:
        """Take one event; raises msgspec.DecodeError where it is none."""
        if data.strip() == b"[DONE]":
            self.done = self._finish is not None or self._said_something
            return
        chunk = read(_CHUNK, data)
        if chunk.error or (not chunk.choices and (chunk.message or chunk.detail)):
            self.error = load(data)
            return
        if chunk.model:
            self._model = said(chunk.model)
        if chunk.usage:
            self._count(chunk.usage)
        if chunk.x_groq:
            self._groq(chunk.x_groq)
        for choice in chunk.choices or ():
            if choice.index in _FIRST:  # further choices were not asked for
                self._choice(choice)

    def take(self) -> list[Delta]:
        """Return what came since the last time."""
        return self._deltas.take()

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far."""
        return self._usage

    def answer(self) -> Answer:
        """Return the whole answer; raises StreamCut where nothing said that it is over."""
        finish = (self._finish or "").lower()
        if not self.done and not finish:
            raise StreamCut("the answer ended before it was whole")
        if finish in FAILURES:
            raise StreamCut(f"the provider broke off the answer ({finish})")
        if "malformed" in finish:  # Gemini could not read its own call
            raise MalformedToolCall("the model called a tool in a way that its provider could not read")
        stop = STOPS.get(finish.partition(":")[0])
        settled = settle(self._drafts, truncated=stop in TRUNCATED)
        parts: list[Part] = self._thoughts()
        if text := "".join(self._text):
            parts.append(Text(text=text))
        for draft, call in settled:
            parts += [Thinking(redacted=draft.opaque), call] if draft.opaque else [call]
        return Answer(
            message=Message(role="assistant", parts=tuple(parts)),
            stop_reason=stop or ("refusal" if self._refused else "tool_use" if settled else "end_turn"),
            usage=self.usage,
            model=self._model,
        )

    @property
    def _said_something(self) -> bool:
        return bool(self._text or self._reasoning or self._drafts)

    def _choice(self, choice: _Choice) -> None:
        if choice.usage:
            self._count(choice.usage)  # Moonshot puts it here
        if choice.delta is not None:
            self._delta(choice.delta)
        elif choice.message is not None:
            for number, call in enumerate(choice.message.tool_calls or ()):
                if call is not None:
                    call.index = number  # all are whole here, and not every server numbers them
            self._delta(choice.message)
            self.done = True
        if isinstance(choice.finish_reason, str):
            self._finish = choice.finish_reason or self._finish

    def _delta(self, delta: _Delta) -> None:
        if thought := said(delta.reasoning_content) or said(delta.reasoning):
            self._think(thought)
        if delta.reasoning_details and "reasoning_details" in self._quirks.echo:
            self._detail(delta.reasoning_details)
        if isinstance(delta.content, str):
            self._say(delta.content)
        elif delta.content:
            self._pieces(delta.content)
        if delta.refusal:
            self._refused = True
            self._say(said(delta.refusal))
        for call in delta.tool_calls or ():
            if call is not None:
                self._call(call)
        if delta.function_call is not None and said(delta.function_call.name) + said(delta.function_call.arguments):
            self._call(_Call(index="function_call", function=delta.function_call))

    def _say(self, text: str) -> None:
        if text:
            self._text.append(text)
            self._deltas.text(text)

    def _think(self, text: str) -> None:
        if text:
            self._reasoning.append(text)
            self._deltas.thinking(text)

    def _pieces(self, content: Any) -> None:
        """Take content that comes as a list of typed pieces; reasoning stands among them with Mistral."""
        for piece in objects(content):
            self._say(said(piece.get("text")))
            self._think(said(piece.get("thinking")))
            for thought in objects(piece.get("thinking")):
                self._think(said(thought.get("text")))

    def _call(self, piece: _Call) -> None:
        name, given = (said(piece.function.name), piece.function.arguments) if piece.function else ("", None)
        draft = self._draft(piece, name)
        if said(piece.id) and not draft.id:
            draft.id = said(piece.id)
        if name and name != draft.name and not draft.pieces:
            draft.name += name
        if piece.extra_content and "extra_content" in self._quirks.echo:
            draft.opaque = json.dumps({"extra_content": piece.extra_content})
        text = said(given)
        if isinstance(given, dict):
            draft.whole = fields(given)
        elif text:
            draft.pieces.append(text)
        self._deltas.put(ToolCallDelta(id=CallId(draft.id), name=name, arguments=text))

    def _draft(self, piece: _Call, name: str) -> Draft:
        """Return the call that a piece belongs to.

        An index tells, but some servers give none, or the same one to every call of a turn: then a piece that brings
        both a name and another id, or a name after arguments, begins a call of its own.
        """
        index = piece.index if isinstance(piece.index, int | str) else None
        draft = self._at.get(index)
        if draft is None and index is None and not name and self._drafts:
            draft = self._drafts[-1]
        if draft is not None and name and draft.name:
            other_id = bool(said(piece.id)) and said(piece.id) != draft.id
            after_arguments = index is None or not _goes_on(draft, name)
            if other_id or (not said(piece.id) and after_arguments):
                draft = None
        if draft is None:
            draft = Draft()
            self._drafts.append(draft)
            self._at[index] = draft
        return draft

    def _thoughts(self) -> list[Part]:
        kept = json.dumps({"reasoning_details": self._details}) if self._details else ""
        text = "".join(self._reasoning)
        return [Thinking(text=text, redacted=kept)] if text or kept else []

    def _detail(self, details: Any) -> None:
        """Join the pieces of OpenRouter's record of the reasoning, which it wants back as a whole."""
        for piece in objects(details):
            last = self._details[-1] if self._details else {}
            if any(last.get(key) != piece.get(key) for key in ("type", "index")):
                self._details.append(dict(piece))
                continue
            for key, value in piece.items():
                joined = key in _JOINED and isinstance(value, str) and isinstance(last.get(key), str)
                if joined:
                    last[key] += value
                elif value is not None:
                    last[key] = value

    def _groq(self, extra: Any) -> None:
        figures = fields(extra)
        self._count(figures.get("usage"))
        if figures.get("error"):
            self.error = {"error": figures["error"]}

    def _count(self, usage: Any) -> None:
        """Take the figures; where they come more than once they are totals, and the last that says something counts."""
        figures = fields(usage)
        read, written = (fields(figures.get(f"{side}_tokens_details")) for side in ("prompt", "completion"))
        # The second names are those of other wires, which some gateways hand through.
        prompt = count(figures.get("prompt_tokens")) or count(figures.get("input_tokens"))
        completion = count(figures.get("completion_tokens")) or count(figures.get("output_tokens"))
        cached = (
            read.get("cached_tokens"),
            figures.get("prompt_cache_hit_tokens"),  # DeepSeek
            figures.get("num_cached_tokens"),  # Mistral
            figures.get("cached_tokens"),  # Moonshot
        )
        reasoning = count(written.get("reasoning_tokens"))
        if self._quirks.reasoning_apart:
            reasoning = max(reasoning, count(figures.get("total_tokens")) - prompt - completion)
        if prompt or completion:
            self._usage = Usage(
                input_tokens=prompt,
                output_tokens=completion,
                cached_tokens=next((number for value in cached if (number := count(value))), 0),
                cache_write_tokens=count(read.get("cache_write_tokens")),
                reasoning_tokens=reasoning,
            )
