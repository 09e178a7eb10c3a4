"""A server that plays lines, the spoilt ones first, and remembers who asked what of it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Self

from wire.faults.speech import Line

LISTED = b'{"data":[{"id":"m"},{"id":"swift-coder-9"}]}'


@dataclass
class Server:
    """Answers the first posts with `first`, all others with what `well` makes of their bodies."""

    well: Callable[[bytes], Line]
    first: tuple[Line, ...] = ()
    forever: bool = False
    """Whether the last of `first` is played again and again."""
    bodies: list[bytes] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    played_well: int = 0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        begin = await reader.readexactly(4)
        if begin[:1] == b"\x16":  # somebody who wants TLS, which is not spoken here
            writer.write(b"HTTP/1.1 400 Said So\r\nconnection: close\r\n\r\n")
            return False
        head = (begin + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        named = (line.partition(": ") for line in head.split("\r\n")[1:])
        headers = {key.lower(): value for key, _, value in named}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if head.startswith("GET "):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(LISTED), LISTED))
            return True
        number = len(self.bodies)
        self.bodies.append(body)
        self.heads.append(head)
        self.at.append(asyncio.get_running_loop().time())
        spoilt = self.first[min(number, len(self.first) - 1)] if self.first else None
        if spoilt is not None and (self.forever or number < len(self.first)):
            return await play(writer, spoilt)
        self.played_well += 1
        return await play(writer, self.well(body))


async def play(writer: asyncio.StreamWriter, line: Line) -> bool:
    """Send one line; say whether the connection may serve again."""
    if line.before == "silence":
        await asyncio.Event().wait()
    if line.before == "reset":
        return _reset(writer)
    dates = {"{soon}": _date(2), "{past}": _date(-86_400)}
    named = (f"{key}: {dates.get(value, value)}" for key, value in line.headers.items())
    head = [f"HTTP/1.1 {line.status} Said So", *named]
    whole = line.status != 200 and line.ends == "well" and line.length is None
    length = sum(len(piece) for piece in line.pieces if isinstance(piece, bytes)) if whole else line.length
    head.append("transfer-encoding: chunked" if length is None else f"content-length: {length}")
    writer.write("\r\n".join([*head, "", ""]).encode())
    await writer.drain()
    for piece in line.pieces:
        if isinstance(piece, float):
            await asyncio.sleep(piece)
            continue
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if length is None else piece)
        await writer.drain()
    match line.ends:
        case "hangs":
            await asyncio.Event().wait()
        case "reset":
            return _reset(writer)
        case "closed":
            return False
        case "well" if length is None:
            writer.write(b"0\r\n\r\n")
        case _:
            pass
    return length is None or whole


def _date(seconds: float) -> str:
    """Return the time so many seconds from now, as HTTP writes it."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def _reset(writer: asyncio.StreamWriter) -> bool:
    """Break the connection off, so that the other side reads an error and no end."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False
