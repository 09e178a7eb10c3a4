"""Server-sent events out of bytes that may be cut anywhere; a body that is one JSON document is one event."""

from __future__ import annotations

from attache.schema.errors import ProviderUnavailable

MAX_EVENT_BYTES = 64 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


def web_page() -> ProviderUnavailable:
    """Return the error for an answer in HTML."""
    return ProviderUnavailable(
        "answered with a web page",
        hint="a proxy or a login page stands in between, or the base URL is wrong: attache doctor shows it",
    )


class Events:
    """An incremental parser; `feed` and `finish` return the data of the events that are complete.

    The names of events are left out: every wire repeats them inside the data.
    """

    __slots__ = ("_buffer", "_carriage_return", "_document", "_started")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._started = False
        self._document = False
        self._carriage_return = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes."""
        buffer = self._buffer
        if self._started and not (buffer or self._carriage_return) and piece.endswith(b"\n\n") and b"\r" not in piece:
            return [data for block in piece.split(b"\n\n") if (data := _data(block))]  # whole events: the usual case
        # A separator may straddle two pieces, so the search starts one byte before the new ones.
        seen = max(len(buffer) - 1, 0)
        buffer += piece if self._document else self._one_line_end(piece)
        if not self._started:
            self._start()
            seen = 0
        if len(buffer) > MAX_EVENT_BYTES:
            raise ProviderUnavailable(f"an event is longer than {MAX_EVENT_BYTES // 1024 // 1024} MB")
        if self._document:
            return []
        found: list[bytes] = []
        start = 0
        while (end := buffer.find(b"\n\n", seen)) >= 0:
            if data := _data(bytes(buffer[start:end])):
                found.append(data)
            start = seen = end + 2
        if start:
            del buffer[:start]
        return found

    def finish(self) -> list[bytes]:
        """Return what stands after the last blank line; a stream that was cut leaves half an event here."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        data = rest if self._document else _data(rest)
        return [data] if data.strip() else []

    @property
    def document(self) -> bool:
        """Whether the body is one JSON document."""
        return self._document

    def _start(self) -> None:
        begin = bytes(self._buffer).removeprefix(_BOM).lstrip()
        if not begin or _BOM.startswith(begin):
            return
        self._started = True
        self._buffer[:] = begin
        self._document = begin[:1] in b"{["
        if begin[:1] == b"<":
            raise web_page()

    def _one_line_end(self, piece: bytes) -> bytes:
        """Make every line end one newline; a line end of two bytes may be cut between them."""
        if self._carriage_return and piece:
            piece = piece[1:] if piece[:1] == b"\n" else piece
            self._carriage_return = False
        if b"\r" in piece:
            self._carriage_return = piece[-1:] == b"\r"
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return piece


def _data(block: bytes) -> bytes:
    """Return the data of one event; comments and other fields hold none."""
    if block.startswith(b"data:") and b"\n" not in block:
        return block[5:].removeprefix(b" ")
    if block.startswith(b"{"):
        return block  # a bare line of JSON: how some servers put an error into a stream
    lines: list[bytes] = []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            lines.append(value.removeprefix(b" "))
        elif name == b"error":
            lines.append(b'{"error":%s}' % value)  # llama.cpp
    return b"\n".join(lines)
