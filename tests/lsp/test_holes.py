"""The twelve holes of a plain pygls server: each probe fails there and holds here, in the same run.

`make long` runs both sides; what stands in test_transport.py looks at ours alone, and closer.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from attache.foundation.frames import Frames, frame
from lsp.client import environment

PYGLS = """
import sys, time
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("plain", "1")

@server.feature("textDocument/hover")
def hover(params: types.HoverParams):
    return None

@server.feature("test/slow")
@server.thread()
def slow(params):
    time.sleep(3)

@server.feature("test/block")
def block(params):
    time.sleep(3)

@server.feature("test/exit")
def leave(params):
    sys.exit(3)

@server.feature("test/flood")
def flood(params):
    for _ in range(3000):
        server.protocol.notify("test/noise", {"text": "x" * 10_000})

server.start_io()
"""
OURS = """
import asyncio, sys, time
from attache.faces.lsp.features import feature
from attache.faces.lsp.wire.shapes import Nothing, Shape, DocumentId, Position
from attache.faces.lsp.start import main

class Hover(Shape):
    text_document: DocumentId
    position: Position

@feature("textDocument/hover", Hover)
async def hover(server, params):
    return None

@feature("test/slow", Nothing)
@feature("test/block", Nothing)
async def slow(server, params):
    await asyncio.to_thread(time.sleep, 3)

@feature("test/exit", Nothing)
async def leave(server, params):
    sys.exit(3)

@feature("test/flood", Nothing)
async def flood(server, params):
    for _ in range(3000):
        server.peer.notify("test/noise", {"text": "x" * 10_000}, paint=True)

sys.exit(main())
"""
PATIENCE = 2.0
Json = dict[str, Any]


class Wire:
    """A server, and bytes to and from it."""

    async def start(self, script: Path, home: Path, *command: str) -> Wire:
        self.process = await asyncio.create_subprocess_exec(
            *(command or (sys.executable, str(script))), stdin=-1, stdout=-1, stderr=asyncio.subprocess.DEVNULL,
            env=environment(home), cwd=home,
        )  # fmt: skip
        self.answers: dict[Any, Json] = {}
        self.news = asyncio.Event()
        self.reading = asyncio.create_task(self.read())
        return self

    async def read(self) -> None:
        frames = Frames()
        assert self.process.stdout
        while data := await self.process.stdout.read(65536):
            for message in frames.feed(data):
                if "method" not in message:
                    self.answers[message["id"]] = message
            self.news.set()

    async def write(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def send(self, method: str, params: Any, number: int | None = None) -> None:
        more = {} if number is None else {"id": number}
        await self.write(frame(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()))

    async def answer(self, number: Any, seconds: float = PATIENCE) -> Json:
        async with asyncio.timeout(seconds):
            while number not in self.answers:
                self.news.clear()
                await self.news.wait()
        return self.answers[number]

    async def hello(self, **params: Any) -> None:
        await self.send("initialize", {"processId": None, "rootUri": None, "capabilities": {}, **params}, 1)
        assert "result" in await self.answer(1, 20)
        await self.send("initialized", {})

    async def alive(self, number: int = 99) -> None:
        position = {"line": 0, "character": 0}
        await self.send("textDocument/hover", {"textDocument": {"uri": "file:///a.py"}, "position": position}, number)
        await self.answer(number)

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.stdout._transport.resume_reading()  # type: ignore[union-attr]
        await self.reading
        await self.process.wait()


Probe = Callable[[Wire], Awaitable[None]]


async def eight_busy_handlers_are_not_deafness(wire: Wire) -> None:
    await wire.hello()
    for number in range(10, 18):
        await wire.send("test/slow", {}, number)
    await wire.alive()


async def a_cancellation_is_answered_while_a_handler_is_slow(wire: Wire) -> None:
    await wire.hello()
    await wire.send("test/block", {}, 10)
    await wire.send("$/cancelRequest", {"id": 10})
    assert (await wire.answer(10))["error"]["code"] == -32800


async def wrong_parameters_are_answered(wire: Wire) -> None:
    await wire.hello()
    await wire.send("textDocument/hover", {"textDocument": 5, "position": "here"}, 10)
    assert (await wire.answer(10))["error"]["code"] == -32602


async def what_does_not_parse_is_answered(wire: Wire) -> None:
    await wire.hello()
    await wire.write(frame(b"{not json"))
    assert (await wire.answer(None))["error"]["code"] == -32700


async def a_header_may_be_written_small(wire: Wire) -> None:
    await wire.hello()
    body = b'{"jsonrpc":"2.0","id":10,"method":"no/such"}'
    await wire.write(b"content-length:%d\r\n\r\n%b" % (len(body), body))
    await wire.answer(10)


async def a_short_length_costs_one_message(wire: Wire) -> None:
    await wire.hello()
    await wire.write(b'Content-Length: 20\r\n\r\n{"jsonrpc":"2.0","id":10,"method":"no/such"}')
    await wire.alive()


async def eight_gigabytes_are_not_believed(wire: Wire) -> None:
    await wire.hello()
    await wire.write(b"Content-Length: 8589934592\r\n\r\n" + b"x" * 100)
    await wire.alive()


async def an_exit_in_a_handler_is_an_error_of_that_request(wire: Wire) -> None:
    await wire.hello()
    await wire.send("test/exit", {}, 10)
    assert "error" in await wire.answer(10)
    await wire.alive()


async def a_client_that_does_not_read_is_given_up(wire: Wire) -> None:
    await wire.hello()
    wire.process.stdout._transport.pause_reading()  # type: ignore[union-attr]
    for number in range(10, 15):
        await wire.send("test/flood", {}, number)
    await asyncio.sleep(0.5)
    await wire.send("exit", None)
    async with asyncio.timeout(8):
        while wire.process.returncode is None:  # `wait` would wait for the pipe to be read, too
            await asyncio.sleep(0.05)


async def its_life_is_as_the_protocol_says(wire: Wire) -> None:
    await wire.send("textDocument/hover", {}, 5)
    assert (await wire.answer(5, 10))["error"]["code"] == -32002
    await wire.hello()
    await wire.send("shutdown", None, 6)
    await wire.answer(6)
    await wire.send("textDocument/hover", {}, 7)
    assert (await wire.answer(7))["error"]["code"] == -32600
    await wire.send("exit", None)
    assert await asyncio.wait_for(wire.process.wait(), 8) == 0


async def it_follows_its_parent(wire: Wire) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=-1)
    await wire.hello(processId=parent.pid)
    parent.kill()
    await parent.wait()
    await asyncio.wait_for(wire.process.wait(), 5)


async def an_edit_costs_what_it_touches(wire: Wire) -> None:
    await wire.hello(capabilities={"general": {"positionEncodings": ["utf-16"]}})
    text = ("x" * 99 + "\n") * 100_000
    item = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": text}
    await wire.send("textDocument/didOpen", {"textDocument": item})
    await wire.alive(50)
    began = time.monotonic()
    for version in range(2, 22):
        at = {"line": 50_000, "character": 5}
        change = {"range": {"start": at, "end": at}, "text": "y"}
        identity = {"uri": "file:///a.py", "version": version}
        await wire.send("textDocument/didChange", {"textDocument": identity, "contentChanges": [change]})
    position = {"line": 0, "character": 0}
    await wire.send("textDocument/hover", {"textDocument": {"uri": "file:///a.py"}, "position": position}, 51)
    await wire.answer(51, 30)
    assert (time.monotonic() - began) / 20 < 0.05


PROBES: tuple[Probe, ...] = (
    eight_busy_handlers_are_not_deafness,
    a_cancellation_is_answered_while_a_handler_is_slow,
    wrong_parameters_are_answered,
    what_does_not_parse_is_answered,
    a_header_may_be_written_small,
    a_short_length_costs_one_message,
    eight_gigabytes_are_not_believed,
    an_exit_in_a_handler_is_an_error_of_that_request,
    a_client_that_does_not_read_is_given_up,
    its_life_is_as_the_protocol_says,
    it_follows_its_parent,
    an_edit_costs_what_it_touches,
)


async def holds(probe: Probe, script: str, home: Path) -> bool:
    (home / "server.py").write_text(script)
    wire = await Wire().start(home / "server.py", home)
    try:
        await probe(wire)
    except (AssertionError, TimeoutError, ConnectionError, KeyError):
        return False
    finally:
        await wire.end()
    return True


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="ATTACHE_LONG=1 probes a plain pygls server too")
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
async def test_the_hole_is_there_in_pygls_and_not_here(probe: Probe, home: Path):
    assert await holds(probe, OURS, home), "ours has the hole"
    assert not await holds(probe, PYGLS, home), "pygls does without; the probe shows nothing"


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
async def test_the_hole_is_closed(probe: Probe, home: Path):
    assert await holds(probe, OURS, home)
