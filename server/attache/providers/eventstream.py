"""Amazon's binary event stream out of bytes that may be cut anywhere; checked, and handed on as JSON.

A message is a prelude (its length, that of its headers, a checksum), headers, a payload and a checksum of it all.
"""

from __future__ import annotations

import json
import struct
from binascii import crc32

from attache.providers.sse import MAX_EVENT_BYTES, web_page
from attache.schema.errors import StreamCut

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_SHORT = struct.Struct(">H")
_STRING = 7
_SIZED = frozenset({6, _STRING})
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Sizes of header values by type; bytes and strings say their own."""


class Frames:
    """An incremental parser; `feed` returns each event as `{"<its type>": <payload>}`, an exception under `error`."""

    __slots__ = ("_buffer", "_document", "_started")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._document = False
        self._started = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes."""
        self._buffer += piece
        if not self._started and (begin := self._buffer.lstrip()):
            self._started = True
            # A message that began with either letter would be longer than a gigabyte.
            self._document = begin.startswith(b"{")
            if begin.startswith(b"<"):
                raise web_page()
        if self._document:
            return []
        found: list[bytes] = []
        while (message := self._message()) is not None:
            if event := _event(*message):
                found.append(event)
        return found

    def finish(self) -> list[bytes]:
        """Return the document where the body is one; of half a message there is nothing to be had."""
        rest = bytes(self._buffer).strip()
        self._buffer.clear()
        return [rest] if self._document and rest else []

    @property
    def document(self) -> bool:
        """Whether the body is one JSON document."""
        return self._document

    def _message(self) -> tuple[dict[str, str], bytes] | None:
        """Take one message off the buffer: its headers and its payload; None where it is not whole yet."""
        if len(self._buffer) < _PRELUDE.size:
            return None
        length, of_headers, checksum = _PRELUDE.unpack_from(self._buffer)
        if crc32(self._buffer[:8]) != checksum or not _PRELUDE.size + of_headers + 4 <= length <= MAX_EVENT_BYTES:
            raise StreamCut("the answer is damaged")
        if len(self._buffer) < length:
            return None
        message = bytes(self._buffer[:length])
        del self._buffer[:length]
        if crc32(message[:-4]) != _CHECKSUM.unpack_from(message, length - 4)[0]:
            raise StreamCut("the answer is damaged")
        start = _PRELUDE.size + of_headers
        return _headers(message[_PRELUDE.size : start]), message[start:-4]


def _headers(data: bytes) -> dict[str, str]:
    """Return the headers that hold strings."""
    found: dict[str, str] = {}
    place = 0
    try:
        while place < len(data):
            name = data[place + 1 : place + 1 + data[place]]
            place += 1 + len(name)
            kind = data[place]
            place += 1
            if kind in _SIZED:
                size = _SHORT.unpack_from(data, place)[0]
                place += _SHORT.size
            else:
                size = _FIXED[kind]
            if kind == _STRING:
                found[name.decode()] = data[place : place + size].decode()
            place += size
    except (LookupError, UnicodeDecodeError, struct.error) as error:
        raise StreamCut("the answer is damaged") from error
    return found


def _event(headers: dict[str, str], payload: bytes) -> bytes:
    """Return the event as JSON."""
    match headers.get(":message-type", "event"):
        case "event":
            return b"{%s:%s}" % (json.dumps(headers.get(":event-type", "")).encode(), payload.strip() or b"{}")
        case "exception":
            kind = json.dumps(headers.get(":exception-type", "")).encode()
            return b'{"error":{"type":%s,"detail":%s}}' % (kind, payload.strip() or b"{}")
        case _:
            words = {"type": headers.get(":error-code", ""), "message": headers.get(":error-message", "")}
            return json.dumps({"error": words}).encode()
