"""The definitions of open buffers, and where they stand while the user types.

Reading a large file takes longer than anyone should wait after a keystroke. An edit whose lines show no sign of a
definition only moves what stands behind it; once the typing pauses, the file is read again in a thread.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from attache.faces.lsp.wire.positions import Encoding, to_units
from attache.faces.lsp.wire.shapes import Position, Range
from attache.schema.data import Uri
from attache.workspace.documents import BufferChange, BufferEdit, Document, split_lines

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server
    from attache.index.parse import Outline
    from attache.schema.code import Symbol

ACTED_ON: Final = frozenset({"function", "method", "class", "interface", "struct", "trait", "enum"})
PAUSE_SECONDS: Final = 0.3
LONG_LINES: Final = 1_000
"""In a longer document definitions are only moved while the user types, and read once the typing pauses."""
_MOST_LINES: Final = 40
"""An edit of more lines is not looked through for signs: the file is read again."""
_MOST_WAITING: Final = 64
"""Edits of a long document, each of which moves lines, after which it is rather read again when asked about."""
_SIGN: Final = re.compile(
    r"[{}]|=>|\"\"\"|'''|/\*|\*/|\b(?:def|class|fn|func|fun|function|impl|interface|struct|trait|enum|module|end)\b"
)
"""What may begin, end or hide a definition, in any language that is read."""


class Definition(NamedTuple):
    """A function, a class or the like. Lines and columns count from 0, columns in code points."""

    name: str
    qualified: str
    line: int
    """Where the name stands."""
    column: int
    first: int
    last: int


@dataclass(slots=True)
class Known:
    """The definitions of one version of a document, once the edits that wait have moved them."""

    version: int
    definitions: tuple[Definition, ...]
    waiting: list[BufferEdit] = field(default_factory=list[BufferEdit])
    """What was typed in a long document since: moving thousands of definitions is for when somebody asks."""

    def now(self) -> tuple[Definition, ...]:
        """Return the definitions as they stand, as far as can be told without reading."""
        for edit in self.waiting:
            sure = moved(self.definitions, edit)
            self.definitions = roughly_moved(self.definitions, edit) if sure is None else sure
        self.waiting.clear()
        return self.definitions


class Outlines:
    """The definitions of the documents that were asked about."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[Uri, Known] = {}
        self._settling: set[Uri] = set()
        self._readers: dict[Uri, Reader] = {}
        server.buffers.subscribe(self._heard)

    def of(self, document: Document) -> tuple[Definition, ...]:
        """Return the functions, classes and methods, in the order they stand."""
        known = self._known.get(document.uri)
        if known is None or known.version != document.version:
            known = Known(document.version, self._reader(document).read(document.text))
            self._known[document.uri] = known
        return known.now()

    def _heard(self, change: BufferChange) -> None:
        known = self._known.pop(change.uri, None)
        if change.kind in {"open", "close"}:
            self._readers.pop(change.uri, None)
        document = self._server.buffers.get(change.uri)
        if known is None or document is None or change.kind not in {"change", "save"}:
            return
        if document.line_count > LONG_LINES:
            known.waiting += [edit for edit in change.edits if not _within_line(edit)]
            if len(known.waiting) > _MOST_WAITING:
                return  # whoever asks next has it read
        else:
            definitions: tuple[Definition, ...] | None = known.now()
            for edit in change.edits:
                if definitions is not None:
                    definitions = None if _shows_sign(document, edit) else moved(definitions, edit)
            if definitions is None:
                return
            known.definitions = definitions
        known.version = change.version
        self._known[change.uri] = known
        if change.edits and change.uri not in self._settling:
            self._settling.add(change.uri)
            self._server.peer.begin(self._read_again(change.uri), "outline")

    def _reader(self, document: Document) -> Reader:
        if document.uri not in self._readers:
            self._readers[document.uri] = Reader(document.uri, document.language)
        return self._readers[document.uri]

    async def _read_again(self, uri: Uri) -> None:
        """Read a document once its user pauses, and ask for new lenses where the moved definitions were not right."""
        buffers = self._server.buffers
        try:
            version = None
            while (document := buffers.get(uri)) and version != document.version:
                version = document.version
                await asyncio.sleep(PAUSE_SECONDS)
            if document is None:
                return
            definitions = await asyncio.to_thread(self._reader(document).read, document.text)
        finally:
            self._settling.discard(uri)
        known = self._known.get(uri)
        if known and known.version == version == document.version and known.now() != definitions:
            self._known[uri] = Known(document.version, definitions)
            self._server.refresh_lenses()


class Reader:
    """Reads one document ever again: its tree is kept, so that only what changed is parsed again."""

    def __init__(self, uri: str, language: str) -> None:
        self._uri = uri
        self._language = language
        self._outline: Outline | None = None
        self._turn = threading.Lock()

    def read(self, text: str) -> tuple[Definition, ...]:
        """Return the definitions of a text; none where its language is not known."""
        if not self._turn.acquire(blocking=False):
            return read(self._uri, self._language, text)  # a thread is at it, which nobody waits for
        try:
            self._outline = self._outline or _outline(self._uri, self._language)
            return _acted_on(self._outline.of(text))
        finally:
            self._turn.release()


def read(uri: str, language: str, text: str) -> tuple[Definition, ...]:
    """Read the definitions of a text once; none where its language is not known."""
    return _acted_on(_outline(uri, language).of(text))


def _outline(uri: str, language: str) -> Outline:
    from attache.index.languages import languages
    from attache.index.parse import Outline

    known = languages().of(uri)  # by the file's name first: editors name languages as they like
    return Outline(known.name if known else language)


def _acted_on(symbols: Iterable[Symbol]) -> tuple[Definition, ...]:
    return tuple(
        Definition(each.name, each.qualified, each.line - 1, each.column - 1, each.start_line - 1, each.end_line - 1)
        for each in symbols
        if each.kind in ACTED_ON
    )


def moved(definitions: Iterable[Definition], edit: BufferEdit) -> tuple[Definition, ...] | None:
    """Return definitions as an edit leaves them; None where it touches the head of one."""
    first, last = edit.start[0], edit.end[0]
    by = len(split_lines(edit.text)) - 1 - (last - first)
    found: list[Definition] = []
    for each in definitions:
        if each.first > last:
            found.append(each._replace(line=each.line + by, first=each.first + by, last=each.last + by) if by else each)
        elif each.line >= first:
            return None
        else:
            found.append(each._replace(last=each.last + by) if each.last >= last and by else each)
    return tuple(found)


def roughly_moved(definitions: Iterable[Definition], edit: BufferEdit) -> tuple[Definition, ...]:
    """Return definitions as an edit leaves them, as far as can be told without reading, which follows."""
    first, last = edit.start[0], edit.end[0]
    by = len(split_lines(edit.text)) - 1 - (last - first)

    def at(line: int) -> int:
        return line + by if line > last else min(line, last + by) if line >= first else line

    kept = (each for each in definitions if not first < each.line < last)
    return tuple(
        each._replace(line=at(each.line), first=at(each.first), last=max(at(each.last), at(each.line))) for each in kept
    )


def _within_line(edit: BufferEdit) -> bool:
    """Whether an edit moves no line: what most keys do."""
    return edit.start[0] == edit.end[0] and len(split_lines(edit.text)) == 1


def _shows_sign(document: Document, edit: BufferEdit) -> bool:
    lines = len(split_lines(edit.text))
    begins = edit.start[0]
    return lines > _MOST_LINES or any(_SIGN.search(document.line(n)) for n in range(begins, begins + lines))


def innermost(definitions: Iterable[Definition], line: int) -> Definition | None:
    """Return the smallest definition around a line."""
    around = [each for each in definitions if each.first <= line <= each.last]
    return min(around, key=lambda each: each.last - each.first, default=None)


def position(document: Document, line: int, column: int, encoding: Encoding) -> Position:
    """Return a place of ours as the editor counts."""
    return Position(line, to_units(document.line(line), column, encoding))


def name_range(document: Document, definition: Definition, encoding: Encoding) -> Range:
    """Return where the name of a definition stands."""
    end = definition.column + len(definition.name)
    start = position(document, definition.line, definition.column, encoding)
    return Range(start, position(document, definition.line, end, encoding))
