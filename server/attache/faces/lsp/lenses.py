"""Lenses: what can be asked about a definition, and decided about a hunk, right above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from attache.faces.lsp.features import feature
from attache.faces.lsp.outline import name_range
from attache.faces.lsp.shapes import CodeLens, Command, DocumentParams, Position, Range
from attache.schema.data import Uri
from attache.workspace.documents import Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

ON_DEFINITIONS: Final = (("ask agent", "attache.ask"), ("explain", "attache.explain"), ("test", "attache.test"))
ON_HUNKS: Final = (
    ("accept", "attache.acceptHunk"),
    ("reject", "attache.rejectHunk"),
    ("ask", "attache.ask"),
    ("next", "attache.nextHunk"),
)


@feature("textDocument/codeLens", DocumentParams)
def lenses(server: Server, params: DocumentParams) -> list[CodeLens]:
    """List the lenses of a document, those of hunks first."""
    document = server.buffers.get(Uri(params.text_document.uri))
    if document is None:
        return []
    found = list(_on_hunks(server, document))
    if server.settings.lenses:
        found += _on_definitions(server, document)
    return found


def _on_hunks(server: Server, document: Document) -> Iterator[CodeLens]:
    for hunk in server.pending(document.uri):
        line = Position(min(hunk.start_line, document.line_count) - 1, 0)
        about = {"uri": document.uri, "range": Range(line, line), "hunk": hunk.id}
        yield from (CodeLens(Range(line, line), Command(title, name, (about,))) for title, name in ON_HUNKS)


def _on_definitions(server: Server, document: Document) -> Iterator[CodeLens]:
    for definition in server.outlines.of(document):
        place = name_range(document, definition, server.client.encoding)
        about: dict[str, Any] = {"uri": document.uri, "range": place, "symbol": definition.qualified}
        yield from (CodeLens(place, Command(title, name, (about,))) for title, name in ON_DEFINITIONS)
