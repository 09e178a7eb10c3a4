"""A model on one's own machine, where much is left to chance: calls and reasoning among its words, prompts cut short.

What is no whole call is never run: the model is told.
"""

from __future__ import annotations

import re

from attache.foundation.ids import new_id
from attache.providers.calls import TRUNCATED
from attache.providers.model import Distant, Emit, counted
from attache.providers.sieve import Sieve
from attache.providers.text_calls import Found, Schemas, find, without_reasoning
from attache.providers.text_form import in_words
from attache.schema.data import CallId
from attache.schema.errors import ContextOverflow, MalformedToolCall, ProviderError, ProviderUnavailable, RequestRefused
from attache.schema.messages import Message, Part, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import Answer, Delta, ModelInfo, Request, TextDelta, ThinkingDelta, ToolCallDelta, WaitDelta

NO_TOOLS = re.compile(
    r"(does|do|is|are) not support(ed)?.{0,40}(tool|function)|(tool|function)s?\b.{0,60}(not (be )?support|unsupported)"
    r"|--enable-auto-tool-choice|--jinja",
    re.IGNORECASE,
)
_SURE_CHARS_A_TOKEN = 8
"""More than any tokenizer gets out of a text: fewer tokens than so were counted only where a part was cut off."""
_LIKELY_CHARS_A_TOKEN = 5
_NEAR = 0.88
"""How much of a window a prompt fills that was cut to fit into it."""
_WINDOWS = tuple(2**power for power in range(11, 18))
_LEAST_CHARS = 6_000
_LATER = "what came so far was reasoning"


class Textual:
    """A model whose words are read for what else they hold; where it has no form for tools, words take its place."""

    def __init__(self, model: Distant) -> None:
        self._model = model
        self._native = model.info.tools
        self._window: int | None = None

    @property
    def info(self) -> ModelInfo:
        """Return what is known of the model; the window as it was noticed where a prompt did not fit in."""
        info = self._model.info
        return info.model_copy(update={"tools": True, "context_tokens": self._window or info.context_tokens})

    async def prepare(self) -> None:
        """Import what a call needs; see RemoteModel."""
        await self._model.prepare()

    async def models(self) -> tuple[str, ...]:
        """Return the names of the models on offer; see RemoteModel."""
        return await self._model.models()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._model.close()

    async def answer(self, request: Request, emit: Emit) -> Answer:
        """Answer once; see Model. A server that refuses tools is asked again in words, and then always."""
        if self._native:
            try:
                return await self._read(request, request, emit)
            except (RequestRefused, ProviderUnavailable) as error:
                if not request.tools or error.status is None or not NO_TOOLS.search(error.message):
                    raise
                self._native = False
        return await self._read(request, in_words(request), emit)

    async def count(self, request: Request) -> int | None:
        """Return how many tokens the request takes, in the form in which it would be sent; see Counting."""
        return await counted(self._model, request if self._native else in_words(request))

    async def _read(self, request: Request, asked: Request, emit: Emit) -> Answer:
        tools: Schemas = {tool.name: tool.parameters for tool in request.tools}
        sieve = Sieve(tuple(tools))

        def strain(delta: Delta) -> None:
            if not isinstance(delta, TextDelta):
                emit(delta)
                return
            for kind, words in sieve.feed(delta.text):
                emit(_delta(kind, words))

        answer = await self._model.answer(asked, strain)
        for kind, words in sieve.finish():
            emit(_delta(kind, words))
        self._notice_a_cut(asked, answer)
        read = _understood(answer, tools)
        if sieve.held and not read.message.tool_calls:
            emit(TextDelta(text=sieve.held))
        for call in read.message.tool_calls if not answer.message.tool_calls else ():
            emit(ToolCallDelta(id=call.id, name=call.name))
        return read

    def _notice_a_cut(self, request: Request, answer: Answer) -> None:
        """Raise ContextOverflow where the server must have cut the prompt: the model did not see what it was asked."""
        chars, counted = _chars(request), answer.usage.input_tokens
        if not counted or chars < _LEAST_CHARS:
            return
        window = next((size for size in _WINDOWS if counted <= size), None)
        filled = window is not None and counted >= window * _NEAR
        if counted * _SURE_CHARS_A_TOKEN >= chars and not (filled and counted * _LIKELY_CHARS_A_TOKEN < chars):
            return
        self._window = window or counted
        error = ContextOverflow(
            f"{self._model.info.ref} read {counted:,} tokens of about {chars // 4:,}: its server cut the prompt",
            hint="give it a larger window (Ollama: OLLAMA_CONTEXT_LENGTH; LM Studio, llama.cpp: the context length)",
            provider=self._model.info.provider,
        )
        error.usage = answer.usage
        raise error


def _understood(answer: Answer, tools: Schemas) -> Answer:
    """Return the answer with its reasoning and its calls told from its words. Raises MalformedToolCall."""
    words, thought = _sifted(answer.message.text, tuple(tools))
    native = bool(answer.message.tool_calls)
    complete = answer.stop_reason not in TRUNCATED
    found = Found(words) if native or not tools else find(words, tools, complete=complete)
    if found.broken and not found.calls and complete:
        raise _malformed(found.broken, answer)
    calls = [ToolCall(id=CallId(new_id("call")), name=name, arguments=given) for name, given in found.calls]
    others = [_clean(part) for part in answer.message.parts if not isinstance(part, Text)]
    parts: list[Part] = [Thinking(text=thought)] if thought else []
    parts += [part for part in others if isinstance(part, Thinking)]
    text = found.text.strip() if calls or thought else found.text
    parts += [Text(text=text)] if text else []
    parts += [*(part for part in others if not isinstance(part, Thinking)), *calls]
    stop = "tool_use" if calls and complete else answer.stop_reason
    message = Message(role="assistant", parts=tuple(parts))
    return answer.model_copy(update={"message": message, "stop_reason": stop})


def _clean(part: Part) -> Part:
    """Return a call without the reasoning that leaked into its arguments."""
    if not isinstance(part, ToolCall):
        return part
    return part.model_copy(update={"arguments": without_reasoning(part.arguments)})


def _sifted(text: str, names: tuple[str, ...]) -> tuple[str, str]:
    """Return the words and the reasoning of a whole text."""
    sieve = Sieve(names)
    words, thoughts = "", ""
    for kind, piece in (*sieve.feed(text), *sieve.finish(), ("text", sieve.held)):
        match kind:
            case "text":
                words += piece
            case "thinking":
                thoughts += piece
            case _:
                words = ""
    return words, thoughts.strip()


def _delta(kind: str, words: str) -> Delta:
    match kind:
        case "text":
            return TextDelta(text=words)
        case "thinking":
            return ThinkingDelta(text=words)
        case _:
            return WaitDelta(reason=_LATER)


def _malformed(broken: str, answer: Answer) -> ProviderError:
    error = MalformedToolCall(
        f"the model called a tool in a way that cannot be read: {broken[:200]}",
        hint="ask again, or take a model that is better at tools",
        arguments=broken,
    )
    error.usage = answer.usage
    return error


def _chars(request: Request) -> int:
    parts = (part for message in request.messages for part in message.parts)
    words = sum(len(part.text) for part in parts if isinstance(part, Text | ToolResult))
    return words + len(request.system) + sum(len(tool.description) for tool in request.tools)
