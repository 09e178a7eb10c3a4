"""Cut a stream of bytes into JSON-RPC messages. Standard library only: a server reads its first message with it.

A peer that breaks a frame loses that message and no other: the parser finds the next header by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

FRAME_LIMIT_BYTES = 256 * 1024 * 1024
HEADER_LIMIT_BYTES = 4096

_FIELD = rb"[!-9;-~]+[ \t]*:[^\r\n]*\r?\n"
_FIELDS = re.compile(rb"(?:%b)*" % _FIELD)
_HEADER = re.compile(rb"content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?\n(?:%b)*\r?\n" % _FIELD, re.IGNORECASE)

Decode = Callable[[bytes], Any]
"""Reads a JSON text; raises ValueError or RecursionError where it is none."""


class Malformed(ValueError):
    """Bytes that are no message; what stood there is gone."""


def frame(body: bytes) -> bytes:
    """Return a body with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Frames:
    """Bytes in, messages out; a `Malformed` stands where a frame was broken.

    JSON allows no raw line end inside a string, so a header can never stand inside a body that is whole. Where one
    does, the length before it was wrong; and a body that is no JSON is searched for the header it may have swallowed.
    """

    def __init__(self, decode: Decode = json.loads, *, limit_bytes: int = FRAME_LIMIT_BYTES) -> None:
        self.decode = decode
        self._limit = limit_bytes
        self._buffer = bytearray()
        self._length: int | None = None
        """Length of the body that is awaited; None where a header is."""
        self._lost = False
        """Whether the search for a header has been reported already."""

    def feed(self, data: bytes) -> list[Any]:
        """Return the messages that `data` completes, in order."""
        before = len(self._buffer)
        self._buffer += data
        out: list[Any] = []
        while self._header(out) if self._length is None else self._body(out, self._length, before):
            before = 0
        return out

    def rest(self) -> bytes:
        """Return what has come and is no message yet, for somebody else to read on from."""
        head = b"" if self._length is None else b"Content-Length: %d\r\n\r\n" % self._length
        return head + bytes(self._buffer)

    def _header(self, out: list[Any]) -> bool:
        """Take the next header off the buffer, and all that stands before it; say whether there was one."""
        buffer = self._buffer
        header = _HEADER.search(buffer)
        end = header.start() if header else max(0, len(buffer) - HEADER_LIMIT_BYTES)
        skipped = bytes(buffer[:end])
        if skipped.strip() and not (header and _FIELDS.fullmatch(skipped)):
            self._report(out, f"no header in {len(skipped)} bytes")
        if header is None:
            del buffer[:end]
            return False
        length = int(header[1])
        del buffer[: header.end()]
        if length > self._limit:
            self._report(out, f"{length} bytes are over the limit of {self._limit}")
            self._lost = True
        else:
            self._length = length
        return True

    def _body(self, out: list[Any], length: int, searched: int) -> bool:
        """Take the body off the buffer; say whether the next header can be looked for."""
        buffer = self._buffer
        if len(buffer) < length:
            start = max(0, searched - HEADER_LIMIT_BYTES)
            blank_line = buffer.find(b"\n\r\n", start) >= 0 or buffer.find(b"\n\n", start) >= 0
            if not (blank_line and _HEADER.search(buffer, start)):
                return False
            self._report(out, f"a header stands inside a body of {length} bytes")
        else:
            try:
                out.append(self.decode(bytes(buffer[:length])))
                del buffer[:length]
                self._lost = False
            except (ValueError, RecursionError) as error:
                self._report(out, f"not JSON: {error}")
        self._length = None
        return True

    def _report(self, out: list[Any], what: str) -> None:
        if not self._lost:
            out.append(Malformed(what))
        self._lost = True
