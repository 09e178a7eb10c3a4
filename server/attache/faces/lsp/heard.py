"""What other language servers say about open documents: it comes with every request for code actions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from attache.faces.lsp.diagnostics import SOURCE
from attache.faces.lsp.wire import shapes
from attache.faces.lsp.wire.positions import to_column
from attache.schema.data import Uri
from attache.schema.documents import Diagnostic, Place, Severity
from attache.workspace.documents import Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

_SEVERITIES: Final = cast("tuple[Severity, ...]", ("error", "warning", "information", "hint"))
_MOST_KEPT: Final = 200
_CATCH_UP_SECONDS: Final = 1.5


class Heard:
    """Findings of others, for as long as the text is the one they were made for."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[Uri, tuple[int, list[shapes.Diagnostic]]] = {}
        self._told: dict[Uri, tuple[int, list[shapes.Diagnostic]]] = {}
        self._news = asyncio.Event()

    def note(self, document: Document, diagnostics: Sequence[shapes.Diagnostic]) -> None:
        """Remember what a client sent along."""
        version, known = self._known.get(document.uri, (document.version, []))
        fresh = list(known) if version == document.version else []
        fresh += [each for each in diagnostics if each.source != SOURCE and each not in fresh]
        self._known[document.uri] = document.version, fresh[-_MOST_KEPT:]

    def told(self, uri: Uri, version: int | None, diagnostics: Sequence[shapes.Diagnostic]) -> None:
        """Take all that a client passes on about a document, as of a version; without one, as of the newest."""
        document = self._server.buffers.get(uri)
        if document is not None:
            fresh = [each for each in diagnostics if each.source != SOURCE]
            self._told[document.uri] = document.version if version is None else version, fresh[:_MOST_KEPT]
            self._news.set()

    async def findings(self, path: str) -> tuple[Diagnostic, ...]:
        """Return what is known about a path of the workspace; of what is passed on, the news of its text is awaited."""
        for document in self._server.buffers:
            if self._server.shown(document.uri) == path:
                await self._catch_up(document)
                both = (self._told.get(document.uri), self._known.get(document.uri))
                current = [each for said in both if said and said[0] == document.version for each in said[1]]
                unique = [each for number, each in enumerate(current) if each not in current[:number]]
                return tuple(self.read(document, each) for each in unique)
        return ()

    async def _catch_up(self, document: Document) -> None:
        """Wait a moment where a client passes findings on, and those of the newest text are still to come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                while (told := self._told.get(document.uri)) and told[0] < document.version:
                    self._news.clear()
                    await self._news.wait()

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
