"""The server's half of WebSocket (RFC 6455) as far as a language server needs it: a handshake, text, ping and close.

Standard library only, so that the base install has it; no extensions, one message at a time, every length bounded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

NORMAL: Final = 1000
_PROTOCOL_ERROR: Final = 1002
_NOT_TEXT: Final = 1007
_TOO_BIG: Final = 1009
MESSAGE_BYTES: Final = 64 * 1024 * 1024
REQUEST_BYTES: Final = 16 * 1024
_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_CONTROL_BYTES: Final = 125
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class Gate(NamedTuple):
    """Who is let in."""

    token: str
    host: str
    """Where we listen: on loopback no page of another name may lead here."""
    origins: tuple[str, ...]
    """Sites whose pages may call; a program, which sends no origin, needs the token alone."""


class Refusal(Exception):
    """An answer in HTTP, with its status line."""


class Closing(Exception):
    """The connection is over, for a reason that has a number."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def welcome(calling: socket.socket, gate: Gate) -> Line | None:
    """Read a handshake and answer it; return the open line, None where it was refused."""
    try:
        head, rest = _head(calling)
        accept = _accepted(head, gate)
    except (Refusal, ValueError) as error:
        refusal = error if isinstance(error, Refusal) else "400 Bad Request"  # no host, or no target, that is one
        calling.sendall(f"HTTP/1.1 {refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        return None
    calling.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    return Line(calling, rest)


def _head(calling: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = calling.recv(4096)
        if not piece or len(data) > REQUEST_BYTES:
            raise Refusal("400 Bad Request")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _accepted(head: bytes, gate: Gate) -> bytes:
    """Return the key that accepts a handshake. Raises Refusal."""
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, target, *_ = [*first.split(" "), "", ""]
    upgrades = {part.strip().lower() for part in fields.get("connection", "").split(",")}
    if method != "GET" or fields.get("upgrade", "").lower() != "websocket" or "upgrade" not in upgrades:
        raise Refusal("426 Upgrade Required\r\nUpgrade: websocket")
    if fields.get("sec-websocket-version") != "13":
        raise Refusal("426 Upgrade Required\r\nSec-WebSocket-Version: 13")
    asked = urlsplit(f"//{fields.get('host', '')}").hostname or ""
    if gate.host in _LOOPBACK and asked not in _LOOPBACK:
        raise Refusal("403 Forbidden")  # a name that somebody else made lead here
    origin = fields.get("origin")
    if origin is not None and origin not in gate.origins:
        raise Refusal("403 Forbidden")
    scheme, _, bearer = fields.get("authorization", "").partition(" ")
    given = bearer if scheme.lower() == "bearer" else (parse_qs(urlsplit(target).query).get("token") or [""])[0]
    if not hmac.compare_digest(given.encode("utf-8", "replace"), gate.token.encode()):
        raise Refusal("401 Unauthorized\r\nWWW-Authenticate: Bearer")
    key = fields.get("sec-websocket-key", "")
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + _MAGIC, usedforsecurity=False).digest())


class Line:
    """An open connection."""

    def __init__(self, calling: socket.socket, rest: bytes) -> None:
        self._calling = calling
        self._buffer = bytearray(rest)
        self._sending = threading.Lock()

    def messages(self) -> Iterator[bytes]:
        """Yield each text message until the connection is over."""
        try:
            while True:
                yield self._message()
        except Closing as closing:
            self.close(closing.code)

    def send(self, body: bytes) -> None:
        """Send a text message."""
        self._send(_TEXT, body)

    def close(self, code: int) -> None:
        """Say why it is over, and end it."""
        with suppress(OSError):
            self._send(_CLOSE, struct.pack("!H", code))
            self._calling.shutdown(socket.SHUT_RDWR)

    def _message(self) -> bytes:
        """Return the next text message. Raises Closing."""
        parts = bytearray()
        begun = False
        while True:
            final, kind, body = self._frame(MESSAGE_BYTES - len(parts))
            if kind == _CLOSE:
                raise Closing(NORMAL)
            if kind == _PING:
                self._send(_PONG, body)
            elif (kind in (_TEXT, _BINARY) and not begun) or (kind == _CONTINUATION and begun):
                begun = True
                parts += body
                if final:
                    return self._text(parts)
            elif kind != _PONG:
                raise Closing(_PROTOCOL_ERROR)

    def _text(self, parts: bytearray) -> bytes:
        try:
            parts.decode()
        except UnicodeDecodeError:
            raise Closing(_NOT_TEXT) from None
        return bytes(parts)

    def _frame(self, room: int) -> tuple[bool, int, bytes]:
        """Return whether a frame is the last of its message, its kind, and what it holds. Raises Closing."""
        first, second = self._take(2)
        kind, length = first & 0x0F, second & 0x7F
        control = kind >= _CLOSE
        if first & 0x70 or not second & 0x80 or (control and (length > _CONTROL_BYTES or not first & 0x80)):
            raise Closing(_PROTOCOL_ERROR)  # an extension nobody agreed on, an open mask, a control frame in parts
        if length == 126:  # noqa: PLR2004 - the protocol's mark for a length of two bytes
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:  # noqa: PLR2004 - and of eight
            (length,) = struct.unpack("!Q", self._take(8))
        if length > room and not control:
            raise Closing(_TOO_BIG)
        mask = self._take(4)
        return bool(first & 0x80), kind, _unmasked(self._take(length), mask)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = self._calling.recv(65536)
            if not data:
                raise Closing(NORMAL)
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _send(self, kind: int, body: bytes) -> None:
        length = len(body)
        if length <= _CONTROL_BYTES:
            head = struct.pack("!BB", 0x80 | kind, length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 127, length)
        with self._sending:
            self._calling.sendall(head + body)


def _unmasked(data: bytes, mask: bytes) -> bytes:
    """Return what a client masked: as one long number, since a loop over the bytes is a hundred times slower."""
    if not data:
        return data
    key = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(len(data), "big")
