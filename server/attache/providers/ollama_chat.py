"""The wire of Ollama's own API: connecting, and its lines into an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from attache.foundation.settings import Settings
from attache.providers import ollama_request, openai_chat
from attache.providers.calls import TRUNCATED, Draft, settle
from attache.providers.deltas import Deltas
from attache.providers.foreign import count, read, said
from attache.providers.lines import Lines
from attache.providers.remote import RemoteModel, Wire
from attache.providers.row import Access, ProviderRow, access
from attache.schema.data import CallId
from attache.schema.errors import StreamCut
from attache.schema.messages import Message, Part, Text, Thinking
from attache.schema.models import Answer, Delta, ToolCallDelta, Usage

if TYPE_CHECKING:
    from attache.providers.direct import Client

BROKEN = frozenset({"load", "unload"})
"""Reasons that say that nothing was answered."""


def connect(row: ProviderRow, model: str, settings: Settings) -> RemoteModel:
    """Return the model, not spoken to yet; a base URL that ends in /v1 asks for OpenAI's form instead."""
    reached = access(row, settings)
    if reached.base_url.endswith("/v1"):
        return openai_chat.connect(row.model_copy(update={"models_path": "/models"}), model, settings)

    def client(reached: Access) -> Client:
        from attache.providers.direct import Client, Route

        routes = (Route("/api/chat"), Route("/api/generate", ollama_request.as_prompt))
        return Client(reached, routes, base_url=reached.base_url.removesuffix("/api"))

    return RemoteModel(reached, model, Wire(client=client, body=ollama_request.body, decoder=Decoder, frames=Lines))


class _Function(msgspec.Struct):
    name: Any = None
    arguments: Any = None


class _Call(msgspec.Struct):
    id: Any = None
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: Any = None
    thinking: Any = None
    tool_calls: list[_Call] | None = None


class _Line(msgspec.Struct):
    """A line of a stream, or a whole answer; /api/generate has the words outside of a message."""

    model: Any = None
    message: _Message | None = None
    response: Any = None
    thinking: Any = None
    done: Any = None
    done_reason: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    error: Any = None


_LINE = msgspec.json.Decoder(_Line)


class Decoder:
    """Lines in, deltas as they come, the answer at the end."""

    def __init__(self) -> None:
        self.done = False
        self.error: object = None
        self._deltas = Deltas()
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._drafts: list[Draft] = []
        self._reason = ""
        self._usage = Usage()
        self._model = ""

    def event(self, data: bytes) -> None:
        """Take one line; raises msgspec.DecodeError where it is none."""
        line = read(_LINE, data)
        if line.error:
            self.error = {"error": line.error}
            return
        message = line.message or _Message(content=line.response, thinking=line.thinking)
        self._think(said(message.thinking))
        self._say(said(message.content))
        for call in message.tool_calls or ():
            self._call(call)
        self._model = said(line.model) or self._model
        if line.done is True:
            self._reason = said(line.done_reason)
            self._usage = Usage(input_tokens=count(line.prompt_eval_count), output_tokens=count(line.eval_count))
            self.done = True

    def take(self) -> list[Delta]:
        """Return what came since the last time."""
        return self._deltas.take()

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far."""
        return self._usage

    def answer(self) -> Answer:
        """Return the whole answer; raises StreamCut where its last line is missing."""
        if not self.done:
            raise StreamCut("the answer ended before it was whole")
        if self._reason in BROKEN:
            raise StreamCut(f"the server broke off the answer ({self._reason})")
        stop = "max_tokens" if self._reason == "length" else None
        settled = settle(self._drafts, truncated=stop in TRUNCATED)
        parts: list[Part] = []
        if thought := "".join(self._thoughts):
            parts.append(Thinking(text=thought, redacted=json.dumps({"ollama": "thinking"})))
        if text := "".join(self._text):
            parts.append(Text(text=text))
        return Answer(
            message=Message(role="assistant", parts=(*parts, *(call for _, call in settled))),
            stop_reason=stop or ("tool_use" if settled else "end_turn"),
            usage=self.usage,
            model=self._model,
        )

    def _say(self, text: str) -> None:
        if text:
            self._text.append(text)
            self._deltas.text(text)

    def _think(self, text: str) -> None:
        if text:
            self._thoughts.append(text)
            self._deltas.thinking(text)

    def _call(self, call: _Call) -> None:
        """Take a call; Ollama sends each as a whole, its arguments as an object."""
        function = call.function or _Function()
        given = function.arguments
        text = said(given) if isinstance(given, str) or given is None else json.dumps(given, ensure_ascii=False)
        draft = Draft(id=said(call.id), name=said(function.name), pieces=[text])
        self._drafts.append(draft)
        self._deltas.put(ToolCallDelta(id=CallId(draft.id), name=draft.name, arguments=text))
