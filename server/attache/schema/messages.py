"""What people, models and tools say to one another: messages made of parts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from attache.schema.data import CallId, Record

TITLE_CHARS = 72


class Text(Record):
    """Words."""

    type: Literal["text"] = "text"
    text: str


class Image(Record):
    """A picture, base64 in `data`."""

    type: Literal["image"] = "image"
    media_type: str
    data: str


class File(Record):
    """A file that is no picture, base64 in `data`: a PDF, a text, a table."""

    type: Literal["file"] = "file"
    media_type: str
    name: str
    data: str


class Thinking(Record):
    """A model's reasoning; goes back to the wire it came from with its signature, and to no other."""

    type: Literal["thinking"] = "thinking"
    text: str = ""
    signature: str = ""
    redacted: str = ""
    """Encrypted reasoning, opaque to us."""


class ToolCall(Record):
    """A model's wish to run a tool. Only complete calls with valid JSON arguments ever become one."""

    type: Literal["tool_call"] = "tool_call"
    id: CallId
    name: str
    arguments: dict[str, Any]


class ToolResult(Record):
    """What a tool answered."""

    type: Literal["tool_result"] = "tool_result"
    call_id: CallId
    name: str
    text: str
    images: tuple[Image, ...] = ()
    is_error: bool = False


Part = Annotated[Text | Image | File | Thinking | ToolCall | ToolResult, Field(discriminator="type")]


class Message(Record):
    """One side's turn to speak. Tool results travel in user messages."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]
    model: str = ""
    """The model that said it, as `provider/name`; empty where a person did, or nobody knows."""

    @property
    def text(self) -> str:
        """Return the words alone."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Return the tool calls in the order asked."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    @property
    def title(self) -> str:
        """Return a title for what begins with this message: its first line, cut at a word."""
        line = next((line.strip() for line in self.text.splitlines() if line.strip()), "")
        return line if len(line) <= TITLE_CHARS else line[:TITLE_CHARS].rsplit(" ", 1)[0] + " …"


def user(text: str) -> Message:
    """Return a user message of words."""
    return Message(role="user", parts=(Text(text=text),))


def assistant(text: str) -> Message:
    """Return an assistant message of words."""
    return Message(role="assistant", parts=(Text(text=text),))
