"""What a face may ask of a session: seven operations, and nothing else gets in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from attache.schema.data import Record
from attache.schema.messages import Part
from attache.schema.session import ApprovalAnswer, Mode


class Prompt(Record):
    """Start a run."""

    type: Literal["prompt"] = "prompt"
    parts: tuple[Part, ...]
    title: str = ""


class Steer(Record):
    """Say something to the run under way; it is heard before the next turn."""

    type: Literal["steer"] = "steer"
    text: str


class Interrupt(Record):
    """Stop the run under way; what was accepted stays."""

    type: Literal["interrupt"] = "interrupt"


class Answer(Record):
    """Answer an approval."""

    type: Literal["answer"] = "answer"
    answer: ApprovalAnswer


class Configure(Record):
    """Change the model or the mode, from the next turn on."""

    type: Literal["configure"] = "configure"
    model: str | None = None
    mode: Mode | None = None


class Rewind(Record):
    """Forget everything after the event `seq`."""

    type: Literal["rewind"] = "rewind"
    seq: int


class Close(Record):
    """End the session's life in this process; its log stays."""

    type: Literal["close"] = "close"


Op = Annotated[Prompt | Steer | Interrupt | Answer | Configure | Rewind | Close, Field(discriminator="type")]
