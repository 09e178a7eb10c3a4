"""A connection between two peers, over real sockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from attache.foundation import jsonrpc
from attache.foundation.jsonrpc import Connection, Disconnected, RpcError, encode


@dataclass
class Peer:
    """One side of a connection, with all that it heard."""

    heard: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    cancelled: list = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, method, params):
        if method == "echo":
            return params
        if method == "wait":
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.cancelled.append(params)
                raise
            return "released"
        if method == "fail":
            raise ZeroDivisionError("by zero")
        if method == "exit":
            raise SystemExit(1)
        if method == "unspeakable":
            return object()
        raise RpcError(jsonrpc.METHOD_NOT_FOUND, f"{method}: no such method", {"near": []})

    def hear(self, method, params):
        if method == "fail":
            raise ZeroDivisionError("by zero")
        self.heard.append((method, params))

    def error(self, name, error):
        self.errors.append((name, type(error)))


@asynccontextmanager
async def joined():
    """Yield (connection to the peer, the peer's own side of things, the raw stream reader and writer of a second link)."""
    peer = Peer()
    served = []

    async def accept(reader, writer):
        connection = Connection(reader, writer, on_error=peer.error, on_request=peer.serve, on_notification=peer.hear)
        served.append(connection)
        await connection.run()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ours = Peer()
    connection = Connection(*await asyncio.open_connection("127.0.0.1", port), on_error=ours.error)
    running = asyncio.create_task(connection.run())
    try:
        yield connection, peer, port, served
    finally:
        await connection.close()
        await running
        for other in served:
            await other.close()
        server.close()
        await server.wait_closed()
        assert ours.errors == []


async def test_requests_are_answered_beside_one_another():
    async with joined() as (connection, peer, _, _):
        slow = asyncio.create_task(connection.request("wait"))
        assert await connection.request("echo", {"a": [1, "ü"]}) == {"a": [1, "ü"]}
        peer.release.set()
        assert await slow == "released"


async def test_errors_come_back_as_errors():
    async with joined() as (connection, peer, _, _):
        with pytest.raises(RpcError) as caught:
            await connection.request("nonsense")
        assert (caught.value.code, caught.value.data) == (jsonrpc.METHOD_NOT_FOUND, {"near": []})
        for method in ("fail", "exit", "unspeakable"):
            with pytest.raises(RpcError) as caught:
                await connection.request(method)
            assert caught.value.code == jsonrpc.INTERNAL_ERROR
        assert peer.errors == [("fail", ZeroDivisionError), ("exit", SystemExit), ("unspeakable", TypeError)]
        assert await connection.request("echo", 1) == 1


async def test_notifications_are_heard_in_order_and_before_what_follows():
    async with joined() as (connection, peer, _, _):
        await connection.notify("fail")
        for number in range(100):
            await connection.notify("n", number)
        assert await connection.request("echo", len(peer.heard)) == 0
        assert peer.heard == [("n", number) for number in range(100)]
        assert peer.errors == [("fail", ZeroDivisionError)]


async def test_giving_up_cancels_the_work_on_the_other_side():
    async with joined() as (connection, peer, _, _):
        with pytest.raises(TimeoutError):
            await connection.request("wait", "timed out", timeout_seconds=0.01)
        asked = asyncio.create_task(connection.request("wait", "dropped"))
        await connection.request("echo")
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await connection.request("echo")
        assert peer.cancelled == ["timed out", "dropped"]


async def talk(port: int, *frames: bytes) -> list:
    """Send raw frames and return the answers in the order they came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(frames))
    parser = jsonrpc.Frames(jsonrpc.decode)
    answers = []
    while data := await reader.read(65536):
        answers += parser.feed(data)
        if len(answers) >= len(frames):
            break
    writer.close()
    await writer.wait_closed()
    return answers


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (jsonrpc.frame(b"{nonsense"), jsonrpc.PARSE_ERROR),
        (encode([1, 2]), jsonrpc.INVALID_REQUEST),
        (encode({"jsonrpc": "2.0", "id": 7}), jsonrpc.INVALID_REQUEST),
        (encode({"jsonrpc": "2.0", "id": 7, "method": 5}), jsonrpc.INVALID_REQUEST),
    ],
)
async def test_what_is_no_message_is_refused_and_the_next_is_served(data, code):
    async with joined() as (_, _, port, _):
        answers = await talk(port, data, encode({"jsonrpc": "2.0", "id": "s", "method": "echo", "params": 5}))
        assert answers[0]["error"]["code"] == code
        assert answers[1] == {"jsonrpc": "2.0", "id": "s", "result": 5}


async def test_an_id_in_use_is_refused_and_a_cancelled_request_is_answered():
    wait = encode({"jsonrpc": "2.0", "id": 1, "method": "wait"})
    async with joined() as (_, _, port, _):
        cancel = encode({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}})
        answers = await talk(port, wait, wait + cancel)
        assert [answer["error"]["code"] for answer in answers] == [jsonrpc.INVALID_REQUEST, jsonrpc.REQUEST_CANCELLED]


async def test_requests_under_way_are_limited():
    async with joined() as (_, _, port, _):
        flood = [encode({"jsonrpc": "2.0", "id": number, "method": "wait"}) for number in range(jsonrpc.SERVED_LIMIT)]
        over = encode({"jsonrpc": "2.0", "id": "over", "method": "wait"})
        (answer,) = await talk(port, b"".join([*flood, over]))
        assert (answer["id"], answer["error"]["code"]) == ("over", jsonrpc.BUSY)


async def test_a_peer_that_goes_takes_no_answer_with_it_unheard():
    async with joined() as (connection, peer, _, served):
        asked = asyncio.create_task(connection.request("wait"))
        await connection.request("echo")
        await served[0].close()
        with pytest.raises(Disconnected):
            await asked
        with pytest.raises(Disconnected):
            await connection.request("echo")
        with pytest.raises(Disconnected):
            await connection.notify("n")
        assert peer.errors == []


async def test_close_ends_the_work_for_the_peer():
    async with joined() as (connection, peer, _, _):
        asked = asyncio.create_task(connection.request("wait", "w"))
        await connection.request("echo")
        await connection.close()
        await connection.close()
        with pytest.raises(Disconnected):
            await asked
        while not peer.cancelled:
            await asyncio.sleep(0.001)
        assert peer.cancelled == ["w"]
