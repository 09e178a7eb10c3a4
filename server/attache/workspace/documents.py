"""Open buffers: what the editor holds, line by line, with the version that each change gave it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from attache.schema.data import Uri
from attache.schema.errors import AttacheError
from attache.workspace.paths import key

Position = tuple[int, int]
"""(line, column), both from 0; the column counts code points."""

END: Position = (sys.maxsize, 0)
"""Past the end of any text; clamped to its end."""


class BufferEdit(NamedTuple):
    """Replace what stands from `start` up to but without `end`."""

    start: Position
    end: Position
    text: str


@dataclass(frozen=True, slots=True)
class BufferChange:
    """What just happened to a buffer.

    `edits` are in the order they were made: the positions of each one count in the text that the one before it left.
    """

    uri: Uri
    kind: Literal["open", "change", "close", "save"]
    version: int
    edits: tuple[BufferEdit, ...] = ()


Listener = Callable[[BufferChange], None]


def text_hash(text: str) -> str:
    """Return the hash that proves a text, the same for buffer and disk."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def split_lines(text: str) -> list[str]:
    r"""Return the lines with their line ends; the last one has none and may be empty.

    Only \n, \r\n and \r end a line, as in LSP: `str.splitlines` also breaks at form feeds, U+2028 and others.
    """
    lines = io.StringIO(text, newline="").readlines()
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def _width(line: str) -> int:
    """Return the length of a line without its line end, and without copying it."""
    return len(line) - (2 if line.endswith("\r\n") else line.endswith(("\n", "\r")))


class Document:
    """The text of one open buffer; an edit costs what it touches, not what the file holds."""

    __slots__ = ("_hash", "_lines", "_starts", "_text", "language", "uri", "version")

    def __init__(self, uri: Uri, text: str, *, version: int = 0, language: str = "") -> None:
        self.uri = uri
        """As the client spells it."""
        self.version = version
        self.language = language
        self._lines = split_lines(text)
        self._starts = [0]  # offsets of the first lines; an edit drops those behind it, `_start` counts them again
        self._text: str | None = text
        self._hash: str | None = None

    @property
    def text(self) -> str:
        """Return the whole text."""
        if self._text is None:
            self._text = "".join(self._lines)
        return self._text

    @property
    def hash(self) -> str:
        """Return the hash of the whole text."""
        if self._hash is None:
            self._hash = text_hash(self.text)
        return self._hash

    @property
    def line_count(self) -> int:
        """Return the number of lines; an empty text has one."""
        return len(self._lines)

    def line(self, number: int) -> str:
        """Return a line without its line end, the empty string past the last line."""
        return self._lines[number].rstrip("\r\n") if 0 <= number < len(self._lines) else ""

    def clamp(self, position: Position) -> Position:
        """Return the nearest place that is there: columns end before the line end, lines at the end of the text."""
        line, column = position
        if line >= len(self._lines):
            return len(self._lines) - 1, len(self._lines[-1])
        if line < 0:
            return 0, 0
        return line, min(max(column, 0), _width(self._lines[line]))

    def offset(self, line: int, column: int) -> int:
        """Return the number of code points before a place."""
        line, column = self.clamp((line, column))
        return self._start(line) + column

    def position(self, offset: int) -> Position:
        r"""Return the place that has `offset` code points before it; inside a \r\n it is the place before it."""
        starts, lines = self._starts, self._lines
        while starts[-1] <= offset and len(starts) < len(lines):
            starts.append(starts[-1] + len(lines[len(starts) - 1]))
        line = max(bisect_right(starts, offset) - 1, 0)
        return self.clamp((line, offset - starts[line]))

    def replace(self, start: Position, end: Position, text: str) -> BufferEdit:
        """Replace what stands from `start` to `end`, clamped and put in order; return the edit as it was made."""
        start, end = sorted((self.clamp(start), self.clamp(end)))
        lines = self._lines
        first, last = start[0], end[0] + 1
        changed = lines[first][: start[1]] + text + lines[end[0]][end[1] :]
        if first > 0 and changed.startswith("\n") and lines[first - 1].endswith("\r"):
            first -= 1  # a \r and a \n that now meet are one line end
            changed = lines[first] + changed
        fresh = split_lines(changed)
        if last < len(lines):
            fresh.pop()  # nothing: the line end of what was replaced ended it, and the next line follows
        lines[first:last] = fresh
        del self._starts[first + 1 :]
        self._text = self._hash = None
        return BufferEdit(start, end, text)

    def rewrite(self, text: str) -> BufferEdit:
        """Replace the whole text; return the edit that changes only the lines that differ, as a person would."""
        old, new = self._lines, split_lines(text)
        shorter = min(len(old), len(new))
        head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
        tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
        return self.replace((head, 0), (len(old) - tail, 0), "".join(new[head : len(new) - tail]))

    def _start(self, line: int) -> int:
        starts, lines = self._starts, self._lines
        for number in range(len(starts), line + 1):
            starts.append(starts[-1] + len(lines[number - 1]))
        return starts[line]


class Buffers:
    """The editor's open buffers, each found under any spelling of its URI."""

    def __init__(self) -> None:
        self._documents: dict[Uri, Document] = {}
        self._spellings: dict[str, list[Uri]] = {}  # key of the file -> URIs it is open as, the latest last
        self._listeners: list[Listener] = []
        self._waiters: list[asyncio.Future[None]] = []

    def __iter__(self) -> Iterator[Document]:
        """Iterate over the open documents, in the order they were opened."""
        return iter(tuple(self._documents.values()))

    def get(self, uri: Uri) -> Document | None:
        """Return the document that is open as `uri`, or as another spelling of the same file."""
        if document := self._documents.get(uri):
            return document
        spellings = self._spellings.get(key(uri)) if self._documents else None
        return self._documents[spellings[-1]] if spellings else None

    def open(self, uri: Uri, text: str, version: int, language: str = "") -> Document:
        """Take over a buffer that the editor opened; opened again, it is replaced."""
        if uri not in self._documents:
            self._spellings.setdefault(key(uri), []).append(uri)
        document = self._documents[uri] = Document(uri, text, version=version, language=language)
        self._tell(BufferChange(uri, "open", version))
        return document

    def change(self, uri: Uri, version: int, edits: Iterable[BufferEdit]) -> Document:
        """Make the edits that the user, or we, made in the editor. One from (0, 0) to END is a new whole text."""
        document = self._opened(uri)
        made = tuple(
            document.rewrite(edit.text) if (edit.start, edit.end) == ((0, 0), END) else document.replace(*edit)
            for edit in edits
        )
        document.version = version
        self._tell(BufferChange(document.uri, "change", version, made))
        return document

    def save(self, uri: Uri) -> None:
        """Note that the editor wrote the buffer to disk."""
        document = self._opened(uri)
        self._tell(BufferChange(document.uri, "save", document.version))

    def close(self, uri: Uri) -> None:
        """Let go of a buffer: from now on the disk holds the file's text."""
        document = self._opened(uri)
        del self._documents[document.uri]
        for file, spellings in self._spellings.items():
            if document.uri in spellings:
                spellings.remove(document.uri)
                if not spellings:
                    del self._spellings[file]
                break
        self._tell(BufferChange(document.uri, "close", document.version))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change, the document being as it says; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def settled(self, uri: Uri, *, after_version: int, timeout_seconds: float) -> Document:
        """Return the document once its version is past `after_version`.

        Raises TimeoutError when nothing came in time, and at once when the buffer is closed.
        """
        async with asyncio.timeout(timeout_seconds):
            while document := self.get(uri):
                if document.version > after_version:
                    return document
                await self._next_change()
        raise TimeoutError(f"{uri} was closed")

    async def _next_change(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)

    def _opened(self, uri: Uri) -> Document:
        if document := self.get(uri):
            return document
        raise AttacheError(f"{uri} is not open", hint="the editor has to send textDocument/didOpen first")

    def _tell(self, change: BufferChange) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        for listener in tuple(self._listeners):
            listener(change)
