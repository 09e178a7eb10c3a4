"""Reviews: what rules find and what a model says stands as diagnostics, true while the user edits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from attache.faces.lsp.approvals import Denier
from attache.faces.lsp.diagnostics import ERROR, SOURCE, WARNING
from attache.faces.lsp.features import command
from attache.faces.lsp.outline import position
from attache.faces.lsp.progress import shown
from attache.faces.lsp.runs import run
from attache.faces.lsp.targets import About, target
from attache.faces.lsp.wire.shapes import Diagnostic, Range
from attache.schema import documents
from attache.schema.data import Uri
from attache.schema.messages import Text
from attache.workspace.documents import BufferChange, Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

PAUSE_SECONDS: Final = 0.5
_PROMPT: Final = (
    "Review `{path}` as it stands now: mistakes, gaps and risks, the gravest first, at most ten. Read it first: it may "
    "hold unsaved text. Answer with one line for each finding, as `LINE: what is wrong. Why it matters.`, where LINE "
    "is its number, and with nothing else. Where nothing is wrong, say so in one sentence."
)
_FINDING: Final = re.compile(
    r"[\W_]*?(?:[Ll]ine\s+|[\w./-]+:)?(\d{1,7})(?:\s*[-–]\s*\d+)?[`*]*\s*[:|.)][`*]*\s*(.{3,})"
)


@command("attache.review", About)
async def review(server: Server, about: About) -> None:
    """Review a file: by rules at once, and by the model where there is one."""
    place = target(server, about)
    await server.reviews.begin(place.document)
    await server.models.look()
    if not server.models.reason:
        await server.reviews.ask(place.document)
    elif not server.board.about(place.document.uri, "review"):
        server.tell(f"no rule finds anything wrong in {place.path}")


class Said(NamedTuple):
    """What a model said of a line, and the line's text, which it is true of."""

    line: int
    text: str
    message: str


class Reviews:
    """The files under review: their findings are looked for anew after each pause, until none is left."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._waiting: dict[Uri, asyncio.TimerHandle] = {}
        self._said: dict[Uri, tuple[Said, ...]] = {}
        server.buffers.subscribe(self._heard)

    async def begin(self, document: Document) -> None:
        """Show what rules find in a document now."""
        from attache.tools.diagnostics import check

        version, uri = document.version, document.uri
        found = await check(self._server.context(), self._server.shown(uri), document.text)
        if document.version == version:
            shown = [self._shown(document, each) for each in found]
            self._server.board.pin(uri, "review", [*shown, *self._still(document)])

    async def ask(self, document: Document) -> None:
        """Let the model read a document, and show what it says of its lines. Raises AttacheError."""
        server, uri = self._server, document.uri
        path, lines = server.shown(uri), [document.line(number) for number in range(document.line_count)]
        orchestrator = (await server.app()).orchestrator
        session = await orchestrator.new_session(model=server.models.chosen, mode="explore")
        title = f"Review {path}"
        with shown(server, f"Attaché: {title}") as work:
            prompt = (Text(text=_PROMPT.format(path=path)),)
            await run(session, prompt, title=title, work=work, approver=Denier())
        answer = next((each.text for each in reversed(session.state.messages) if each.role == "assistant"), "")
        said = tuple(
            Said(number, lines[number], message) for number, message in findings(answer) if number < len(lines)
        )  # fmt: skip
        self._said[uri] = said
        if not said:
            server.tell(f"{path}: {answer.strip().partition(chr(10))[0] or 'the model found nothing'}")
        if open_now := server.buffers.get(uri):
            await self.begin(open_now)

    def _still(self, document: Document) -> Iterator[Diagnostic]:
        """Yield what the model said of lines that still stand, where they stand now."""
        kept: list[Said] = []
        for said in self._said.pop(document.uri, ()):
            alike = [number for number in range(document.line_count) if document.line(number) == said.text]
            line = min(alike, key=lambda number: abs(number - said.line), default=None)
            if line is None:
                continue
            kept.append(said._replace(line=line))
            row = document.line(line)
            encoding = self._server.client.encoding
            start = position(document, line, len(row) - len(row.lstrip()), encoding)
            whole = Range(start, position(document, line, len(row), encoding))
            yield Diagnostic(range=whole, message=said.message, severity=WARNING, code="review", source=SOURCE)
        if kept:
            self._said[document.uri] = tuple(kept)

    def _heard(self, change: BufferChange) -> None:
        waiting = self._waiting.pop(change.uri, None)
        if waiting is not None:
            waiting.cancel()
        if not self._server.board.about(change.uri, "review"):
            return
        if change.kind == "close":
            self._said.pop(change.uri, None)
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


def findings(answer: str) -> Iterator[tuple[int, str]]:
    """Yield the findings of a review, each a line of the answer: the number of its line, from 0, and what it says."""
    for line in answer.splitlines():
        found = _FINDING.fullmatch(line.strip())
        if found and int(found[1]) > 0:
            yield int(found[1]) - 1, found[2].strip()
