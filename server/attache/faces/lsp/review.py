"""Reviews: what rules find stands as diagnostics, true while the user edits; what a model thinks goes to the chat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from attache.faces.lsp.diagnostics import ERROR, SOURCE, WARNING
from attache.faces.lsp.features import command
from attache.faces.lsp.outline import position
from attache.faces.lsp.shapes import Diagnostic, Range
from attache.faces.lsp.targets import About, target
from attache.schema import documents
from attache.schema.data import Uri
from attache.workspace.documents import BufferChange, Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

PAUSE_SECONDS: Final = 0.5


@command("attache.review", About)
async def review(server: Server, about: About) -> None:
    """Review a file: by rules at once, and by the model where there is one."""
    place = target(server, about)
    await server.reviews.begin(place.document)
    await server.models.look()
    if not server.models.reason:
        await server.chats.ask(
            f"Review `{place.path}`: mistakes, gaps and risks, the gravest first. "
            "One sentence of what and one of why each, with the line. Change nothing.",
            f"Review {place.path}",
        )
    elif not server.board.about(place.document.uri, "review"):
        server.tell(f"no rule finds anything wrong in {place.path}")


class Reviews:
    """The files under review: their findings are looked for anew after each pause, until none is left."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._waiting: dict[Uri, asyncio.TimerHandle] = {}
        server.buffers.subscribe(self._heard)

    async def begin(self, document: Document) -> None:
        """Show what rules find in a document now."""
        from attache.tools.diagnostics import check

        version, uri = document.version, document.uri
        found = await check(self._server.context(), self._server.shown(uri), document.text)
        if document.version == version:
            self._server.board.pin(uri, "review", [self._shown(document, each) for each in found])

    def _heard(self, change: BufferChange) -> None:
        waiting = self._waiting.pop(change.uri, None)
        if waiting is not None:
            waiting.cancel()
        if not self._server.board.about(change.uri, "review"):
            return
        if change.kind == "close":
            self._server.board.pin(change.uri, "review", ())
        elif change.kind == "change":
            later = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._look_again, change.uri)
            self._waiting[change.uri] = later

    def _look_again(self, uri: Uri) -> None:
        document = self._server.buffers.get(uri)
        if document is not None:
            self._server.background(self.begin(document), "review")

    def _shown(self, document: Document, found: documents.Diagnostic) -> Diagnostic:
        encoding, place = self._server.client.encoding, found.place
        start = position(document, place.line - 1, place.column - 1, encoding)
        last = (place.end_line or place.line) - 1
        end = position(document, last, (place.end_column or place.column) - 1, encoding)
        rule = " ".join(part for part in (found.source, found.code) if part)
        return Diagnostic(
            range=Range(start, end),
            message=f"{found.message} ({rule})" if rule else found.message,
            severity=ERROR if found.severity == "error" else WARNING,
            code="review",
            source=SOURCE,
            data={"rule": found.code},
        )
