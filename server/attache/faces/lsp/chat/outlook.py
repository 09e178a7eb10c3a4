"""What editors show of a chat document beside its text: turns as symbols, calls and thoughts folded, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from attache.faces.lsp.chat import chat_text
from attache.faces.lsp.chat.chat_text import AGENT, Turn, is_chat
from attache.faces.lsp.chat.links import Links
from attache.faces.lsp.chat.plan_text import is_plan, steps
from attache.faces.lsp.features import feature
from attache.faces.lsp.outline import position
from attache.faces.lsp.wire.shapes import DocumentParams, DocumentSymbol, FoldingRange, Link, Position, Range
from attache.schema.data import Uri
from attache.workspace.documents import Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

_CALL: Final = re.compile(r"- (?P<mark>[✓✗✎?…]) \*\*(?P<name>[^*]+)\*\*")
_STRING: Final = 15
_FUNCTION: Final = 12
_NAME_CHARACTERS: Final = 80


@feature("textDocument/documentSymbol", DocumentParams)
def symbols(server: Server, params: DocumentParams) -> list[Any] | None:
    """List the turns of a chat document with their tool calls, or the steps of a plan; nothing of other documents."""
    document = _ours(server, params)
    if document is None:
        return None
    if is_plan(document.uri):
        found = [
            _symbol(f"{'✓' if step.done else '○'} {step.title}", _FUNCTION, step.line, step.end, document, [])
            for step in steps(document.text)
        ]
    else:
        found = [_turn(document, turn) for turn in chat_text.turns(document.text)]
    if server.client.nests_symbols:
        return found
    return [
        {"name": each.name, "kind": each.kind, "location": {"uri": document.uri, "range": each.range}}
        for parent in found
        for each in (parent, *parent.children)
    ]


def _turn(document: Document, turn: Turn) -> DocumentSymbol:
    first = next((line for n in range(turn.first + 1, turn.end) if (line := document.line(n).strip())), "")
    calls = [
        _symbol(f"{call['mark']} {call['name']}", _FUNCTION, at, end, document, [])
        for at, end, call in _calls(document, turn)
    ]
    said = first if not _CALL.match(first) else ""
    name = f"{turn.who}: {said}" if said else turn.who
    return _symbol(name[:_NAME_CHARACTERS], _STRING, turn.first, turn.end, document, calls)


def _symbol(
    name: str, kind: int, first: int, end: int, document: Document, children: list[DocumentSymbol]
) -> DocumentSymbol:
    last = min(end, document.line_count) - 1
    whole = Range(Position(first, 0), Position(max(last, first), 0))
    return DocumentSymbol(name, kind, whole, Range(Position(first, 0), Position(first, 0)), children)


def _calls(document: Document, turn: Turn) -> Iterator[tuple[int, int, re.Match[str]]]:
    """Yield the tool calls of a turn: lines [first, end), and what the first says."""
    if turn.who != AGENT:
        return
    number = turn.first + 1
    while number < turn.end:
        call = _CALL.match(document.line(number))
        end = number + 1
        while call and end < turn.end and document.line(end).startswith("  "):
            end += 1
        if call:
            yield number, end, call
        number = end


# ---------------------------------------------------------------- folding


@feature("textDocument/foldingRange", DocumentParams)
def folds(server: Server, params: DocumentParams) -> list[FoldingRange] | None:
    """List what of a chat document can be folded; nothing of other documents."""
    document = _ours(server, params)
    if document is None or is_plan(document.uri):
        return None
    found = [FoldingRange(0, _front(document))] if _front(document) else []
    for turn in chat_text.turns(document.text):
        found.append(FoldingRange(turn.first, _last_said(document, turn)))
        found += [FoldingRange(first, end - 1) for first, end, _ in _calls(document, turn)]
        found += _thoughts(document, turn)
    return [each for each in found if each.end_line > each.start_line]


def _front(document: Document) -> int:
    """Return the last line of the front matter; 0 where there is none."""
    if document.line(0).strip() != "---":
        return 0
    return next((n for n in range(1, document.line_count) if document.line(n).strip() == "---"), 0)


def _last_said(document: Document, turn: Turn) -> int:
    return next((n for n in range(turn.end - 1, turn.first, -1) if document.line(n).strip()), turn.first)


def _thoughts(document: Document, turn: Turn) -> Iterator[FoldingRange]:
    number = turn.first
    while number < turn.end:
        end = number
        while end < turn.end and document.line(end).startswith(">"):
            end += 1
        if end > number:
            yield FoldingRange(number, end - 1)
        number = max(end, number + 1)


# ---------------------------------------------------------------- links


@feature("textDocument/documentLink", DocumentParams)
def links(server: Server, params: DocumentParams) -> list[Link] | None:
    """List the places that a chat document or a plan names, as links; nothing of other documents."""
    document = _ours(server, params)
    if document is None:
        return None
    found: list[Link] = []
    of = Links(server, document.uri).of
    for number in range(document.line_count):
        for link in of(document.line(number)):
            start, end = (
                position(document, number, column, server.client.encoding) for column in (link.start, link.end)
            )
            found.append(Link(Range(start, end), link.target))
    return found


def _ours(server: Server, params: DocumentParams) -> Document | None:
    document = server.buffers.get(Uri(params.text_document.uri))
    return document if document and (is_chat(document.uri) or is_plan(document.uri)) else None
