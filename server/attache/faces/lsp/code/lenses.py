"""Lenses: what can be asked about a definition, and decided about a hunk, right above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from attache.faces.lsp.chat import chat_text
from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.chat.plan_text import is_plan, steps
from attache.faces.lsp.features import feature
from attache.faces.lsp.outline import name_range
from attache.faces.lsp.wire.shapes import CodeLens, Command, DocumentParams, Position, Range
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
    if is_chat(document.uri):
        return list(_on_chat(server, document))
    if is_plan(document.uri):
        return list(_on_plan(document))
    found = list(_on_hunks(server, document))
    if server.settings.lenses:
        found += _on_definitions(server, document)
    return found


def _on_chat(server: Server, document: Document) -> Iterator[CodeLens]:
    """Yield what can be done in a chat: send, stop, and answer what waits, each on its line."""
    turns = list(chat_text.turns(document.text))
    if turns and turns[-1].who == chat_text.YOU:
        yield _lens(turns[-1].first, "send", "attache.sendChat", {"uri": document.uri})
    titles = {work.title: work.token for work in server.works.values()}
    waiting = list(server.questions)
    answer = max((turn.first for turn in turns if turn.who == chat_text.AGENT), default=document.line_count)
    for number in range(answer, document.line_count):
        line = document.line(number)
        if line.startswith(chat_text.WORKING):
            for title, token in titles.items():
                yield _lens(number, f"stop: {title.removeprefix('Attaché: ')}", "attache.stop", {"work": token})
        if line.startswith("- ? "):
            for approval in (each for each in waiting if each.title.removeprefix("run: ") in line):
                about = {"approval": approval.id, "digest": approval.digest}
                yield _lens(number, "allow once", "attache.approve", about)
                if approval.pattern:
                    yield _lens(number, "allow for this session", "attache.approve", {**about, "forSession": True})
                yield _lens(number, "deny", "attache.deny", about)
                if not server.client.grants_permission:
                    yield _lens(number, "deny and say why…", "attache.denyWhy", about)


def _on_plan(document: Document) -> Iterator[CodeLens]:
    for step in steps(document.text):
        about = {"uri": document.uri, "range": Range(Position(step.line, 0), Position(step.line, 0))}
        if step.done:
            yield _lens(step.line, "run again", "attache.runStep", about)
        else:
            yield _lens(step.line, "run", "attache.runStep", about)
            yield _lens(step.line, "skip", "attache.skipStep", about)


def _lens(line: int, title: str, name: str, about: dict[str, Any]) -> CodeLens:
    at = Position(line, 0)
    return CodeLens(Range(at, at), Command(title, name, (about,)))


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
