"""A small HTTP server that plays a recording in pieces of any size, and can fail in the ways that networks fail."""

from __future__ import annotations

import asyncio
import json
import random
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from wire import amazon

FOLDER = Path(__file__).parent
Cut = Callable[[bytes], Iterable[bytes]]


@dataclass(frozen=True)
class Recording:
    """What a server sends, and what must be understood of it."""

    name: str
    wire: str
    body: bytes
    expected: dict[str, Any]
    status: int = 200
    content_type: str = "text/event-stream"
    ends: str = "well"
    headers: tuple[tuple[str, str], ...] = ()


def recordings(wire: str = "") -> list[Recording]:
    """Return the recordings of a wire, or of all."""
    return [_load(path) for path in sorted(FOLDER.glob(f"{wire or '*'}/*.toml"))]


def _load(path: Path) -> Recording:
    fields = tomllib.loads(path.read_text("utf-8"))
    text, wire = fields.pop("body"), path.parent.name
    binary = wire == "bedrock_converse" and "content_type" not in fields
    if binary:
        fields["content_type"] = "application/vnd.amazon.eventstream"
    return Recording(name=path.stem, wire=wire, body=amazon.stream(text) if binary else text.encode(), **fields)


def whole(body: bytes) -> Iterable[bytes]:
    return [body]


def each_byte(body: bytes) -> Iterable[bytes]:
    return [body[place : place + 1] for place in range(len(body))]


def events(body: bytes) -> Iterable[bytes]:
    *full, rest = body.split(b"\n\n")
    return [part + b"\n\n" for part in full] + [rest] * bool(rest)


def at_random(seed: int) -> Cut:
    def cut(body: bytes) -> Iterable[bytes]:
        chance = random.Random(seed)
        place = 0
        while place < len(body):
            size = chance.choice((1, 2, 5, 30, 200, 1400))
            yield body[place : place + size]
            place += size

    return cut


@dataclass
class Replay:
    """Serves `recording` to every POST; what was asked stands in `requests`. `url` is the base without a path."""

    recording: Recording
    cut: Cut = whole
    first: Sequence[tuple[int, dict[str, str]] | tuple[int, dict[str, str], bytes]] = ()
    """Failures, one a request, before the recording: status, headers, and a body where it matters."""
    share: float = 1.0
    """How much of the body is sent before the connection breaks."""
    stall_after: int | None = None
    """How many bytes are sent before nothing more comes, with the connection open."""
    silent: bool = False
    """Whether not even a status is sent."""
    path: str = ""
    """The one path that is known, without its query; empty where every one is."""
    models: bytes = b'{"data":[]}'
    """What a GET answers, which is the list of models."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """The paths that were asked for and are not known."""
    connections: int = 0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # the loop lets go of closed connections at its next turn

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, _ = head.split(" ", 2)
        headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if method == "GET":
            _send(writer, 200, {"content-type": "application/json"}, self.models)
            return True
        if self.path and unquote(path).partition("?")[0] != unquote(self.path):
            self.refused.append(path.partition("?")[0])
            _send(writer, 404, {"content-type": "application/json"}, b'{"error":{"message":"no such path"}}')
            return True
        self.requests.append({"path": path, "headers": headers, "body": json.loads(body)})
        if self.silent:
            await asyncio.Event().wait()
        if len(self.requests) <= len(self.first):
            status, extra, *said = self.first[len(self.requests) - 1]
            _send(
                writer, status, extra, said[0] if said else b'{"error":{"message":"not now","type":"overloaded_error"}}'
            )
            return True
        return await self._play(writer)

    async def _play(self, writer: asyncio.StreamWriter) -> bool:
        recording = self.recording
        if recording.status != 200:
            _send(
                writer,
                recording.status,
                {"content-type": recording.content_type, **dict(recording.headers)},
                recording.body,
            )
            return True
        extra = "".join(f"{key}: {value}\r\n" for key, value in recording.headers)
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: {recording.content_type}\r\n{extra}transfer-encoding: chunked\r\n\r\n".encode()
        )
        sent = 0
        for piece in self.cut(recording.body[: int(len(recording.body) * self.share)]):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
            sent += len(piece)
            if self.stall_after is not None and sent >= self.stall_after:
                await asyncio.Event().wait()
        if self.share < 1 or recording.ends == "cut":
            return False
        writer.write(b"0\r\n\r\n")
        return True


def _send(writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes) -> None:
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    writer.write(f"HTTP/1.1 {status} Said So\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)
