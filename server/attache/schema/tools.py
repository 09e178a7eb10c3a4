"""What a tool says of itself, and what it gives back."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from attache.schema.data import ChangeSetId, Record
from attache.schema.documents import Place
from attache.schema.messages import Image

Cost = Literal["FREE", "LOW", "MEDIUM", "HIGH"]
Effect = Literal["none", "workspace", "outside"]
"""none: reads only. workspace: edits that review and undo cover. outside: everything else, such as a command."""


class ToolSpec(Record):
    """A tool as models and catalogues see it."""

    name: str
    category: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments."""
    cost: Cost = "FREE"
    effect: Effect = "none"
    once: bool = False
    """Whether running it twice would hurt; such a call is never retried or replayed."""


class ToolOutput(Record):
    """What one call gave: words for the model, and what faces need to show it well."""

    text: str
    title: str = ""
    """What was done in a few words, for one line on a face: `retry` · 12 hits in 5 files."""
    places: tuple[Place, ...] = ()
    change_set: ChangeSetId | None = None
    images: tuple[Image, ...] = ()
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    """The same answer for programs, JSON-serialisable."""
    is_error: bool = False
