"""The parts of the Language Server Protocol that this server speaks, as msgspec structs, and their coding."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field
from pydantic import BaseModel

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Token = int | str
T = TypeVar("T")


class Shape(Struct, rename="camel", omit_defaults=True):
    """Camel case outside; what has its default is left out; what nobody declared is let through unread."""


class Position(Shape):
    """Lines from 0, characters in units of the negotiated encoding."""

    line: Count
    character: Count


class Range(Shape):
    """From `start` up to but without `end`."""

    start: Position
    end: Position


class Location(Shape):
    """A range of a document."""

    uri: str
    range: Range


# ---------------------------------------------------------------- documents


class DocumentId(Shape):
    """A document by its URI."""

    uri: str


class VersionedId(Shape):
    """A document as it was at a version."""

    uri: str
    version: int | None


class DocumentItem(Shape):
    """A document that the editor opened."""

    uri: str
    language_id: str
    version: int
    text: str


class Reach(Shape):
    """A place in a document, as far behind its end as may be: a change that is not taken would cost the document."""

    line: Annotated[int, Meta(ge=0)]
    character: Annotated[int, Meta(ge=0)]


class Stretch(Shape):
    """From `start` up to but without `end`, or the other way round."""

    start: Reach
    end: Reach


class ContentChange(Shape):
    """New text for a range, or for the whole document."""

    text: str
    range: Stretch | None = None


class DidOpen(Shape):
    """Parameters of textDocument/didOpen."""

    text_document: DocumentItem


class DidChange(Shape):
    """Parameters of textDocument/didChange."""

    text_document: VersionedId
    content_changes: list[ContentChange]


class DocumentParams(Shape):
    """Parameters that name a document and nothing else that we read."""

    text_document: DocumentId


# ---------------------------------------------------------------- edits


class TextEdit(Shape):
    """New text for a range."""

    range: Range
    new_text: str


class DocumentEdit(Shape):
    """Edits of one document at one version."""

    text_document: VersionedId
    edits: tuple[TextEdit, ...]


class WorkspaceEdit(Shape):
    """Edits by document; `document_changes` for clients that look at versions, `changes` for the others."""

    document_changes: tuple[DocumentEdit, ...] | None = None
    changes: dict[str, tuple[TextEdit, ...]] | None = None


# ---------------------------------------------------------------- findings, actions, lenses


class RelatedInformation(Shape):
    """Another place that a diagnostic points at."""

    location: Location
    message: str


class Diagnostic(Shape):
    """A finding. One from a client goes back as it came."""

    range: Range
    message: str
    severity: Literal[1, 2, 3, 4] | None = None
    code: int | str | None = None
    code_description: Any = None
    source: str | None = None
    tags: list[int] | None = None
    related_information: list[RelatedInformation] | None = None
    data: Any = None


class Command(Shape):
    """A command as an editor shows and runs it."""

    title: str
    command: str
    arguments: tuple[Any, ...] = ()


class CodeLens(Shape):
    """A command above a range."""

    range: Range
    command: Command


class Disabled(Shape):
    """Why an action cannot be picked."""

    reason: str


class CodeAction(Shape):
    """Something to pick: an edit, a command, or `data` that resolves to an edit."""

    title: str
    kind: str = ""
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    is_preferred: bool = False
    disabled: Disabled | None = None
    edit: WorkspaceEdit | None = None
    command: Command | None = None
    data: Any = None


class ActionContext(Shape):
    """What the client knows where actions are asked for."""

    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    only: list[str] | None = None


class ActionParams(Shape):
    """Parameters of textDocument/codeAction."""

    text_document: DocumentId
    range: Range
    context: ActionContext


class CommandParams(Shape):
    """Parameters of workspace/executeCommand."""

    command: str
    arguments: list[Any] | None = None
    work_done_token: Token | None = None


# ---------------------------------------------------------------- what stands in a document


class DocumentSymbol(Shape):
    """A part of a document, with the parts it holds."""

    name: str
    kind: int
    range: Range
    selection_range: Range
    children: list[DocumentSymbol] = field(default_factory=list["DocumentSymbol"])


class FoldingRange(Shape):
    """Lines that fold into the first."""

    start_line: Count
    end_line: Count
    kind: str = ""


class Link(Shape):
    """A range that leads somewhere."""

    range: Range
    target: str


class PositionParams(Shape):
    """Parameters that name a place in a document."""

    text_document: DocumentId
    position: Position


class Markup(Shape):
    """Text to show, and what it is: "markdown" or "plaintext"."""

    kind: str
    value: str


class CompletionContext(Shape):
    """Why completion is asked for: 1 by hand or by typing, 2 by a character, 3 again."""

    trigger_kind: int = 1
    trigger_character: str | None = None


class CompletionParams(PositionParams):
    """Parameters of textDocument/completion, and of its inline kind, of which 1 is by hand and 2 by typing."""

    context: CompletionContext = field(default_factory=CompletionContext)


# ---------------------------------------------------------------- the rest


class Nothing(Shape):
    """Parameters of which nothing is read."""


class ProgressCancelParams(Shape):
    """Parameters of window/workDoneProgress/cancel."""

    token: Token


class Applied(Shape):
    """What a client says of workspace/applyEdit."""

    applied: bool = False
    failure_reason: str | None = None


# ---------------------------------------------------------------- coding


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    raise TypeError(f"{type(value).__name__} does not go over the wire")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_plain)


def decode(body: bytes) -> Any:
    """Read JSON. Raises ValueError or RecursionError."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return json.loads(body)  # takes lone surrogates, which editors do send while someone types


def encode(message: Any) -> bytes:
    """Write JSON; shapes and records included."""
    try:
        return _ENCODER.encode(message)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(message, enc_hook=_plain), separators=(",", ":")).encode("ascii")


def read_as(shape: type[T], value: Any) -> T:
    """Read parameters as `shape`. Raises ValueError saying what does not fit where."""
    if issubclass(shape, BaseModel):
        return shape.model_validate(value or {})
    return msgspec.convert({} if value is None else value, shape)
