"""What other language servers say about open documents: it comes with every request for code actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from attache.faces.lsp import shapes
from attache.faces.lsp.diagnostics import SOURCE
from attache.faces.lsp.positions import to_column
from attache.schema.data import Uri
from attache.schema.documents import Diagnostic, Place, Severity
from attache.workspace.documents import Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

_SEVERITIES: Final = cast("tuple[Severity, ...]", ("error", "warning", "information", "hint"))
_MOST_KEPT: Final = 200


class Heard:
    """Findings of others, for as long as the text is the one they were made for."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[Uri, tuple[int, list[shapes.Diagnostic]]] = {}

    def note(self, document: Document, diagnostics: Sequence[shapes.Diagnostic]) -> None:
        """Remember what a client sent along."""
        version, known = self._known.get(document.uri, (document.version, []))
        fresh = list(known) if version == document.version else []
        fresh += [each for each in diagnostics if each.source != SOURCE and each not in fresh]
        self._known[document.uri] = document.version, fresh[-_MOST_KEPT:]

    async def findings(self, path: str) -> tuple[Diagnostic, ...]:
        """Return what is known about a path of the workspace."""
        for document in self._server.buffers:
            if self._server.shown(document.uri) == path:
                said = self._known.get(document.uri)
                current = said[1] if said and said[0] == document.version else ()
                return tuple(self.read(document, each) for each in current)
        return ()

    def read(self, document: Document, given: shapes.Diagnostic) -> Diagnostic:
        """Return a diagnostic of the client as ours."""
        encoding = self._server.client.encoding
        start, end = given.range.start, given.range.end
        ours = cast("dict[str, Any]", given.data) if given.source == SOURCE and isinstance(given.data, dict) else {}
        code = ours.get("rule") or given.code
        place = Place(
            path=self._server.shown(document.uri),
            line=start.line + 1,
            column=to_column(document.line(start.line), start.character, encoding) + 1,
            end_line=end.line + 1,
            end_column=to_column(document.line(end.line), end.character, encoding) + 1,
        )
        return Diagnostic(
            place=place,
            message=given.message,
            severity=_SEVERITIES[(given.severity or 2) - 1],
            source=given.source or "",
            code="" if code is None else str(code),
        )
