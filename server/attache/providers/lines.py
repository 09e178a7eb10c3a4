"""JSON documents out of bytes that may be cut anywhere, one a line; a document of several lines is one all the same."""

from __future__ import annotations

from attache.providers.foreign import load
from attache.providers.sse import MAX_EVENT_BYTES, web_page
from attache.schema.errors import ProviderUnavailable


class Lines:
    """An incremental parser; `feed` and `finish` return the documents that are complete."""

    __slots__ = ("_buffer", "_document")

    document = False
    """A body of one document needs no other treatment than one of many."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._document = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes."""
        seen = len(self._buffer)
        self._buffer += piece
        if len(self._buffer) + len(self._document) > MAX_EVENT_BYTES:
            raise ProviderUnavailable(f"an event is longer than {MAX_EVENT_BYTES // 1024 // 1024} MB")
        if self._buffer.startswith(b"<") and not self._document:
            raise web_page()
        if self._buffer.find(b"\n", seen) < 0:
            return []
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer[:] = rest
        return [found for line in lines if (found := self._line(line.strip()))]

    def finish(self) -> list[bytes]:
        """Return what stands after the last line end; a stream that was cut leaves half a document here."""
        rest = self._document + bytes(self._buffer).strip()
        self._buffer.clear()
        self._document = b""
        return [rest] if rest else []

    def _line(self, line: bytes) -> bytes:
        """Return the document that ends with `line`, empty where it does not end yet."""
        if not self._document and line.startswith(b"<"):
            raise web_page()
        if not self._document and (line.endswith(b"}") or not line.startswith(b"{")):
            return line  # the usual case, and what is no JSON at all
        document = self._document + line
        whole = load(document) is not None
        self._document = b"" if whole else document
        return document if whole else b""
