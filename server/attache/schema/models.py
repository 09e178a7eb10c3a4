"""Models and what is said to them and by them, in one neutral form for every wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from attache.schema.data import CallId, Record
from attache.schema.messages import Message
from attache.schema.tools import ToolSpec

StopReason = Literal["end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal", "content_filter", "pause_turn"]
ToolChoice = Literal["auto", "none", "required"]


class Usage(Record):
    """Tokens of one or more calls, as the provider counted them.

    `input_tokens` holds all input, cached or not; `cached_tokens` and `cache_write_tokens` are parts of it.
    `output_tokens` holds `reasoning_tokens`.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum, field by field."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )


class ModelInfo(Record):
    """What is known of one model. None means unknown, and is shown as such."""

    provider: str
    name: str
    context_tokens: int | None = None
    output_tokens: int | None = None
    tools: bool = True
    images: bool = False
    thinking: bool = False
    every_tool: bool = False
    """Whether it is offered every tool there is: one that pays no tokens for them, and mistakes none for another."""
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None

    @property
    def ref(self) -> str:
        """Return `provider/name`, the form people type."""
        return f"{self.provider}/{self.name}"


class Request(Record):
    """One call of a model."""

    model: str
    """The name the provider knows, without the provider's own."""
    system: str = ""
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    max_output_tokens: int = 8192
    temperature: float | None = None
    thinking_tokens: int | None = None
    """Budget for reasoning; None leaves it to the model's own default."""
    output_schema: dict[str, Any] | None = None
    """JSON Schema that the answer's words must fit; None where they are free."""


class TextDelta(Record):
    """A piece of the answer's words."""

    type: Literal["text"] = "text"
    text: str


class ThinkingDelta(Record):
    """A piece of the model's reasoning."""

    type: Literal["thinking"] = "thinking"
    text: str


class ToolCallDelta(Record):
    """A tool call under construction, for display only: nothing runs before the answer is complete."""

    type: Literal["tool_call"] = "tool_call"
    id: CallId
    name: str = ""
    arguments: str = ""


class WaitDelta(Record):
    """Nothing of the answer: why it does not begin yet, so that a face can say so."""

    type: Literal["wait"] = "wait"
    reason: str
    seconds: float = 0.0


Delta = Annotated[TextDelta | ThinkingDelta | ToolCallDelta | WaitDelta, Field(discriminator="type")]


class Answer(Record):
    """A model's complete answer. A stream that was cut never becomes one."""

    message: Message
    stop_reason: StopReason
    usage: Usage
    model: str = ""
    """The name the provider says it answered with."""
