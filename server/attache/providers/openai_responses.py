"""The wire of OpenAI's Responses API: connecting, and its events into an answer."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from attache.foundation.settings import Settings
from attache.providers import openai_responses_request
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
    from attache.providers.sdk_openai import Client

STOPS: dict[str, StopReason] = {
    "max_output_tokens": "max_tokens",
    "max_tokens": "max_tokens",
    "content_filter": "content_filter",
}
"""Why an answer is incomplete."""
BROKEN = frozenset({"failed", "cancelled", "in_progress", "queued"})
"""Statuses of a response that is no answer."""


def connect(row: ProviderRow, model: str, settings: Settings) -> RemoteModel:
    """Return the model, not spoken to yet."""

    def client(reached: Access) -> Client:
        from attache.providers.sdk_openai import Client

        return Client(reached, "/responses")

    body = partial(openai_responses_request.body, quirks=row.quirks)
    return RemoteModel(access(row, settings), model, Wire(client=client, body=body, decoder=Decoder))


class _Event(msgspec.Struct):
    """An event of a stream, or a whole response."""

    type: Any = None
    object: Any = None
    output_index: Any = None
    item: Any = None
    delta: Any = None
    response: Any = None
    output: Any = None
    status: Any = None
    error: Any = None
    code: Any = None
    message: Any = None
    text: Any = None
    refusal: Any = None
    arguments: Any = None


_EVENT = msgspec.json.Decoder(_Event)
_PIECES = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "text",
    "response.reasoning_summary_text.delta": "thinking",
    "response.reasoning_text.delta": "thinking",
    "response.function_call_arguments.delta": "arguments",
}
_WHOLE = {
    "response.output_text.done": ("text", "text"),
    "response.refusal.done": ("text", "refusal"),
    "response.function_call_arguments.done": ("arguments", "arguments"),
}
"""Events that tell at once what came in pieces: of what kind, and in which field."""
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})


class _Item:
    """An item of the answer: what it is at last, and what was shown of it on the way."""

    __slots__ = ("fields", "pieces")

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.pieces: dict[str, list[str]] = {"text": [], "thinking": [], "arguments": []}

    def shown(self, kind: str) -> str:
        return "".join(self.pieces[kind])


class Decoder:
    """Events in, deltas as they come, the answer at the end."""

    def __init__(self) -> None:
        self.done = False
        self.error: object = None
        self._deltas = Deltas()
        self._items: dict[int, _Item] = {}
        self._settled = False
        self._response: dict[str, Any] = {}

    def event(self, data: bytes) -> None:
        """Take one event; raises msgspec.DecodeError where it is none."""
        if data.strip() == b"[DONE]":
            return
        event = read(_EVENT, data)
        kind = said(event.type)
        if piece := _PIECES.get(kind):
            self._piece(event, piece)
        elif piece := _WHOLE.get(kind):
            self._told(event, *piece)
        elif kind in {"response.output_item.added", "response.output_item.done"}:
            self._item(event.output_index, fields(event.item), whole=kind.endswith("done"))
        elif kind in _ENDS or (not kind and isinstance(event.output, list)):
            self._end(fields(event.response) if kind else fields(msgspec.json.decode(data)))
        elif event.error or kind == "error":
            self.error = {"error": event.error or {"code": event.code, "message": event.message}}

    def take(self) -> list[Delta]:
        """Return what came since the last time."""
        return self._deltas.take()

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far."""
        return _usage(fields(self._response.get("usage")))

    def answer(self) -> Answer:
        """Return the whole answer; raises StreamCut where nothing said that it is over."""
        status = said(self._response.get("status"))
        if not self.done or status in BROKEN:
            raise StreamCut(f"the answer ended before it was whole{f' ({status})' if status else ''}")
        reason = said(fields(self._response.get("incomplete_details")).get("reason"))
        stop: StopReason | None = STOPS.get(reason, "max_tokens") if status == "incomplete" else None
        items = [item for _, item in sorted(self._items.items())]
        drafts = {id(item): _draft(item) for item in items if item.fields.get("type") == "function_call"}
        calls = {id(draft): call for draft, call in settle(list(drafts.values()), truncated=stop in TRUNCATED)}
        parts: list[Part] = []
        for item in items:
            if id(item) in drafts:
                parts += [calls[id(drafts[id(item)])]] if id(drafts[id(item)]) in calls else []
            else:
                parts += _parts(item)
        refused = any(_refusal(item) for item in items)
        return Answer(
            message=Message(role="assistant", parts=tuple(parts)),
            stop_reason=stop or ("refusal" if refused else "tool_use" if calls else "end_turn"),
            usage=self.usage,
            model=said(self._response.get("model")),
        )

    def _piece(self, event: _Event, kind: str) -> None:
        item = self._at(event.output_index)
        text = said(event.delta)
        item.pieces[kind].append(text)
        self._show(item, kind, text)

    def _told(self, event: _Event, kind: str, field: str) -> None:
        """Take what came in pieces as a whole, where no piece of it came."""
        item = self._at(event.output_index)
        text = said(getattr(event, field))
        if text and not item.shown(kind):
            item.pieces[kind] = [text]
            self._show(item, kind, text)

    def _item(self, index: Any, given: dict[str, Any], *, whole: bool) -> None:
        """Take an item as it is announced or, at last, as it is; what was not shown in pieces is shown then."""
        item = self._at(index)
        known = bool(item.fields)
        item.fields = given
        if given.get("type") == "function_call" and not known:
            self._deltas.put(ToolCallDelta(id=CallId(said(given.get("call_id"))), name=said(given.get("name"))))
        if not whole:
            return
        self._settled = True
        for kind, text in (("text", _text(given)), ("thinking", _thought(given)), ("arguments", _arguments(given))):
            shown = item.shown(kind)
            if text != shown:
                item.pieces[kind] = [text]
                self._show(item, kind, text[len(shown) :] if text.startswith(shown) else "")

    def _show(self, item: _Item, kind: str, text: str) -> None:
        if kind == "text":
            self._deltas.text(text)
        elif kind == "thinking":
            self._deltas.thinking(text)
        elif text:
            self._deltas.put(ToolCallDelta(id=CallId(said(item.fields.get("call_id"))), arguments=text))

    def _end(self, response: dict[str, Any]) -> None:
        if error := response.get("error"):
            self.error = {"error": error}
            return
        # Where the items came one by one, that is what counts: not every server numbers both lists alike.
        for index, given in enumerate([] if self._settled else objects(response.get("output"))):
            self._item(index, given, whole=True)
        self._response = response
        self.done = True

    def _at(self, index: Any) -> _Item:
        place = index if isinstance(index, int) else max(self._items, default=0)
        return self._items.setdefault(place, _Item())


def _text(item: dict[str, Any]) -> str:
    """Return the words of a message; a refusal is words too."""
    if item.get("type") != "message":
        return ""
    return "".join(said(part.get("text")) or said(part.get("refusal")) for part in objects(item.get("content")))


def _thought(item: dict[str, Any]) -> str:
    """Return the words of the reasoning: its summary, or all of it where a provider shows that."""
    if item.get("type") != "reasoning":
        return ""
    told = objects(item.get("summary")) or objects(item.get("content"))
    return "".join(said(part.get("text")) for part in told)


def _arguments(item: dict[str, Any]) -> str:
    given = item.get("arguments") if item.get("type") == "function_call" else ""
    return json.dumps(given) if isinstance(given, dict) else said(given)


def _refusal(item: _Item) -> bool:
    return any(part.get("type") == "refusal" for part in objects(item.fields.get("content")))


def _draft(item: _Item) -> Draft:
    given = item.fields
    call_id = said(given.get("call_id")) or said(given.get("id"))
    return Draft(id=call_id, name=said(given.get("name")), pieces=[item.shown("arguments")])


def _parts(item: _Item) -> list[Part]:
    """Return the parts that an item makes; a provider's own tools, and what later versions may add, make none."""
    text, thought = item.shown("text"), item.shown("thinking")
    given = item.fields
    parts: list[Part] = [Text(text=text)] if text else []
    if text and (phase := said(given.get("phase"))):
        parts.insert(0, Thinking(redacted=json.dumps({"phase": phase})))
    sealed = given.get("encrypted_content") if given.get("type") == "reasoning" else None
    if sealed:
        kept = {"type": "reasoning", "id": said(given.get("id")), "encrypted_content": sealed}
        kept["summary"] = objects(given.get("summary"))
        parts.append(Thinking(text=thought, redacted=json.dumps({"reasoning": kept})))
    elif thought:
        parts.append(Thinking(text=thought))
    return parts


def _usage(figures: dict[str, Any]) -> Usage:
    read, written = (fields(figures.get(f"{side}_tokens_details")) for side in ("input", "output"))
    return Usage(
        input_tokens=count(figures.get("input_tokens")),
        output_tokens=count(figures.get("output_tokens")),
        cached_tokens=count(read.get("cached_tokens")),
        cache_write_tokens=count(read.get("cache_write_tokens")),
        reasoning_tokens=count(written.get("reasoning_tokens")),
    )
