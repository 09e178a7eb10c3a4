"""Serve clients that call over TCP or WebSocket: each gets a server process of its own, once it has shown the token.

Standard library only. On loopback unless another address is named; who has no token learns nothing.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from attache.faces.lsp.wire import websocket
from attache.foundation.frames import Frames, Malformed, frame

TOKEN: Final = "ATTACHE_LSP_TOKEN"  # noqa: S105 - the name of a variable
"""The variable that holds the token; where it is not set, one is made and printed."""
HELLO_SECONDS: Final = 30.0
HELLO_BYTES: Final = 4 * 1024 * 1024
CLIENTS: Final = 32
END_SECONDS: Final = 3.0
_PIECE_BYTES: Final = 65536
_INVALID_REQUEST: Final = -32600
_WRONG_USE: Final = 2
_INTERRUPTED: Final = 130
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

Serve = Callable[[socket.socket], None]


def listen(options: Mapping[str, str]) -> int:
    """Serve clients until the process is ended or interrupted; return 130, or 2 where it cannot listen."""
    kind = "--ws" if "--ws" in options else "--tcp"
    try:
        host, port = address(options[kind])
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"attache lsp: {kind} {options[kind]}: {error}\n  such as: attache lsp {kind} 9257\n")
        return _WRONG_USE
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(24)
    command = _command(options.get("--with", ""))
    if kind == "--ws":
        gate = websocket.Gate(token, host, tuple(options.get("--origin", "").split(",")))

        serve: Serve = partial(_serve_websocket, gate=gate, command=command)
    else:
        serve = partial(_serve_tcp, token=token, command=command)

    own = listener.getsockname()
    shown = f"[{own[0]}]" if ":" in own[0] else own[0]
    made = "" if os.environ.get(TOKEN) else f" token {token}"
    sys.stdout.write(f"listening on {'ws' if kind == '--ws' else 'tcp'}://{shown}:{own[1]}{made}\n")
    sys.stdout.flush()
    if host not in _LOOPBACK:
        sys.stderr.write("attache lsp: others on the network can call, and what is said is not encrypted\n")
    with suppress(KeyboardInterrupt):
        _accept(listener, serve)
    return _INTERRUPTED


def address(text: str) -> tuple[str, int]:
    """Return host and port; a port alone means loopback. Raises ValueError."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not port.isdecimal() or int(port) >= 1 << 16:
        raise ValueError("an address is HOST:PORT, or a port alone")
    return host, int(port)


def _command(beside: str) -> list[str]:
    more = ["--with", beside] if beside else []
    return [sys.executable, "-P", "-m", "attache", "lsp", *more]


def _accept(listener: socket.socket, serve: Serve) -> None:
    places = threading.BoundedSemaphore(CLIENTS)

    def served(calling: socket.socket) -> None:
        with places, calling, suppress(OSError, ValueError):
            serve(calling)

    with listener:
        while True:
            calling, _ = listener.accept()
            calling.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=served, args=(calling,), name="attache client", daemon=True).start()


# ---------------------------------------------------------------- TCP


def _serve_tcp(calling: socket.socket, token: str, command: list[str]) -> None:
    """Let one client in whose `initialize` carries the token among its options, and carry bytes from then on."""
    calling.settimeout(HELLO_SECONDS)
    frames = Frames(limit_bytes=HELLO_BYTES)
    messages: list[Any] = []
    while not messages:
        data = calling.recv(_PIECE_BYTES)
        if not data:
            return
        messages = frames.feed(data)
    hello = cast("dict[str, Any]", messages[0]) if isinstance(messages[0], dict) else {}
    if not admitted(hello, token):
        problem = {"code": _INVALID_REQUEST, "message": "initialize has to carry initializationOptions.token"}
        answer = {"jsonrpc": "2.0", "id": hello.get("id"), "error": problem}
        calling.sendall(frame(json.dumps(answer).encode()))
        return
    calling.settimeout(None)
    more = [each for each in messages[1:] if not isinstance(each, Malformed)]
    with _server(command) as (feed, read):
        feed(b"".join(frame(json.dumps(each).encode()) for each in (hello, *more)) + frames.rest())

        def back() -> None:
            with suppress(OSError):
                while data := read():
                    calling.sendall(data)
                calling.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=back, name="attache answers", daemon=True).start()
        while data := calling.recv(_PIECE_BYTES):
            feed(data)


def admitted(hello: dict[str, Any], token: str) -> bool:
    """Say whether an `initialize` carries the token, and make it fit for a server that is not the client's child.

    The token goes no further, and the client's process is not watched: the number may be another machine's.
    """
    params: Any = hello.get("params")
    options: Any = cast("dict[str, Any]", params).get("initializationOptions") if isinstance(params, dict) else None
    given: Any = cast("dict[str, Any]", options).pop("token", "") if isinstance(options, dict) else ""
    if hello.get("method") != "initialize" or not same(str(given), token):
        return False
    cast("dict[str, Any]", params)["processId"] = None
    return True


def same(given: str, token: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


# ---------------------------------------------------------------- WebSocket


def _serve_websocket(calling: socket.socket, gate: websocket.Gate, command: list[str]) -> None:
    """Let one client in by its handshake, and carry messages: a text message is one message of the protocol."""
    calling.settimeout(HELLO_SECONDS)
    line = websocket.welcome(calling, gate)
    if line is None:
        return
    calling.settimeout(None)
    with _server(command) as (feed, read):

        def back() -> None:
            frames = Frames(bytes)
            with suppress(OSError):
                while data := read():
                    for body in frames.feed(data):
                        if isinstance(body, bytes):
                            line.send(body)
                line.close(websocket.NORMAL)

        threading.Thread(target=back, name="attache answers", daemon=True).start()
        for number, body in enumerate(line.messages()):
            feed(frame(_without_process(body) if number == 0 else body))


def _without_process(body: bytes) -> bytes:
    try:
        hello: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if isinstance(hello, dict) and isinstance(params := cast("dict[str, Any]", hello).get("params"), dict):
        cast("dict[str, Any]", params)["processId"] = None
        return json.dumps(hello).encode()
    return body


# ---------------------------------------------------------------- the server behind


@contextmanager
def _server(command: list[str]) -> Generator[tuple[Callable[[bytes], None], Callable[[], bytes]]]:
    """Yield what feeds a server process and what reads from it; it ends with its input, or is ended."""
    package = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    environment = {name: value for name, value in os.environ.items() if name != TOKEN} | {"PYTHONPATH": path}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    incoming, outgoing = cast("Any", process.stdin), cast("Any", process.stdout)

    def feed(data: bytes) -> None:
        incoming.write(data)
        incoming.flush()

    try:
        yield feed, lambda: os.read(outgoing.fileno(), _PIECE_BYTES)
    finally:
        with suppress(OSError):
            incoming.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
