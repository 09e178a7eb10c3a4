"""What a command is about: the one optional object that each takes, and what stands for what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attache.faces.lsp.outline import innermost
from attache.faces.lsp.wire.shapes import Diagnostic, Position, Range, Shape
from attache.schema.data import Uri
from attache.schema.errors import UserError
from attache.workspace.documents import Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

NOWHERE = Range(Position(0, 0), Position(0, 0))


class About(Shape):
    """The argument of most commands. All of it may be missing: then the place last seen counts."""

    uri: str = ""
    range: Range | None = None
    symbol: str = ""
    question: str = ""
    diagnostic: Diagnostic | None = None
    hunk: str = ""
    change_set: str = ""
    work: str = ""
    model: str = ""
    mode: str = ""
    way: int = 0
    """Which of the alternatives, from 0."""
    rule: str = ""
    """The tool that does it without a model."""
    what: str = ""
    """What is to be shown."""


class Here(NamedTuple):
    """Where the user was last seen: nothing but a request that carries a place tells."""

    uri: Uri = Uri("")
    range: Range = NOWHERE


class Target(NamedTuple):
    """What a command acts on."""

    document: Document
    path: str
    line: int
    """From 1, as people count."""
    end_line: int
    symbol: str
    """Qualified name of the definition there; empty where there is none."""
    symbol_line: int
    """Where that name stands."""

    @property
    def place(self) -> str:
        """Return `path:line`, as a prompt names it."""
        return f"{self.path}:{self.line}"

    @property
    def named(self) -> str:
        """Return the definition and its place, or the place alone."""
        return f"`{self.symbol}` in `{self.path}:{self.symbol_line}`" if self.symbol else f"`{self.place}`"


def target(server: Server, about: About) -> Target:
    """Return what a command acts on. Raises UserError where no open document is meant."""
    uri = Uri(about.uri) or server.here.uri
    document = server.buffers.get(uri)
    if document is None:
        what = f"{uri} is not open" if uri else "no file is known to be in front of you"
        raise UserError(what, hint="open it, put the cursor where it matters, and pick the code action there")
    place = about.range or (server.here.range if document.uri == server.here.uri else NOWHERE)
    definition = innermost(server.outlines.of(document), place.start.line)
    return Target(
        document=document,
        path=server.shown(document.uri),
        line=place.start.line + 1,
        end_line=place.end.line + 1,
        symbol=about.symbol or (definition.qualified if definition else ""),
        symbol_line=(definition.line if definition else place.start.line) + 1,
    )
