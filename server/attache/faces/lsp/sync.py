"""Keep our buffers equal to the editor's: what it opens, changes, saves and closes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attache.faces.lsp.carried import FOLDER, show_tool_problems
from attache.faces.lsp.features import feature
from attache.faces.lsp.wire.positions import Encoding, to_column
from attache.faces.lsp.wire.shapes import ContentChange, DidChange, DidOpen, DocumentParams, Position, Reach
from attache.schema.data import Uri
from attache.schema.errors import AttacheError
from attache.workspace.documents import END, BufferEdit, Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server


@feature("textDocument/didOpen", DidOpen)
def opened(server: Server, params: DidOpen) -> None:
    """Take over a buffer."""
    item = params.text_document
    server.buffers.open(Uri(item.uri), item.text, item.version, item.language_id)


@feature("textDocument/didChange", DidChange)
def changed(server: Server, params: DidChange) -> None:
    """Follow the user's typing, and our own edits coming back."""
    uri = Uri(params.text_document.uri)
    document = server.buffers.get(uri)
    if document is None:
        raise AttacheError(f"didChange of {uri}, which is not open", hint="the editor has to send didOpen first")
    version = params.text_document.version
    edits = _edits(document, params.content_changes, server.client.encoding)
    server.buffers.change(uri, document.version + 1 if version is None else version, edits)


@feature("textDocument/didSave", DocumentParams)
def saved(server: Server, params: DocumentParams) -> None:
    """Note that the disk has caught up; VS Code tells of settings and the like too, which it never opened for us."""
    uri = Uri(params.text_document.uri)
    if server.buffers.get(uri):
        server.buffers.save(uri)
    if FOLDER in params.text_document.uri:
        show_tool_problems(server)


@feature("textDocument/didClose", DocumentParams)
def closed(server: Server, params: DocumentParams) -> None:
    """Let the disk be the truth again."""
    server.buffers.close(Uri(params.text_document.uri))


def code_points(document: Document, position: Position | Reach, encoding: Encoding) -> tuple[int, int]:
    """Return where a position of the editor stands in our text."""
    return position.line, to_column(document.line(position.line), position.character, encoding)


def _edits(document: Document, changes: list[ContentChange], encoding: Encoding) -> Iterator[BufferEdit]:
    """Yield each change as an edit, lazily: its columns count in the text that the one before it left."""
    for change in changes:
        if change.range is None:
            yield BufferEdit((0, 0), END, change.text)
        else:
            start = code_points(document, change.range.start, encoding)
            yield BufferEdit(start, code_points(document, change.range.end, encoding), change.text)
