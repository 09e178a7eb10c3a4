"""A language server whose every word is spoken by the test: an editor starts it, the test answers for it.

The editor runs this file as its server; it only carries bytes to the `StandIn` that the test holds, so that a test
decides when and what is answered and sees every message with its time.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Self
from urllib.parse import unquote

Message = dict[str, Any]
Answer = Callable[[Any], Any]
CHANGES = {"textDocument/didOpen", "textDocument/didChange"}


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """An answer that is a JSON-RPC error."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A message from the editor and when it came."""

    at: float
    message: Message

    @property
    def method(self) -> str:
        return self.message.get("method", "")

    @property
    def params(self) -> Any:
        return self.message.get("params")


class StandIn:
    """The test's end of the server: `answers` by method, all that was heard, and requests to the editor."""

    def __init__(self, capabilities: Message | None = None) -> None:
        self.heard: list[Heard] = []
        self.answers: dict[str, Answer] = {
            "initialize": lambda _: {"capabilities": {"textDocumentSync": 2, **(capabilities or {})}},
            "shutdown": lambda _: None,
        }
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._news = threading.Condition()
        self._ids = itertools.count(1)
        self._connection: socket.socket | None = None
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # where no editor came, or it went first
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._connection:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._reader.join(5)

    @property
    def command(self) -> list[str]:
        """What an editor is told to run."""
        return [sys.executable, "-S", "-E", __file__, str(self._listener.getsockname()[1])]

    def wait(self, method: str, *, after: float = 0.0, timeout: float = 10.0) -> Heard:
        """The first message of a method that came after a moment (of `time.monotonic`)."""
        return self._wait(lambda heard: heard.method == method and heard.at > after, method, timeout)

    def has_heard(self, method: str, *, after: float = 0.0) -> bool:
        return any(heard.method == method and heard.at > after for heard in self.heard)

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> int:
        """Send a request without waiting; its number."""
        number = next(self._ids)
        self._send({"id": f"s{number}", "method": method, "params": params})
        return number

    def answer_to(self, number: int, *, timeout: float = 10.0) -> Heard:
        """The editor's answer to a request of ours."""
        return self._wait(lambda heard: not heard.method and heard.message.get("id") == f"s{number}", "answer", timeout)

    def request(self, method: str, params: Any, *, timeout: float = 10.0) -> Any:
        """Send a request and wait for its result."""
        answer = self.answer_to(self.ask(method, params), timeout=timeout).message
        if "error" in answer:
            raise Refusal(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def document(self, uri: str) -> tuple[int, str]:
        """What the editor has told of an open document so far: its version and its text. Editors escape differently."""
        version, text = -1, ""
        for heard in self.heard:
            if heard.method in CHANGES and unquote(heard.params["textDocument"]["uri"]) == unquote(uri):
                version = heard.params["textDocument"]["version"]
                text = heard.params["textDocument"].get("text", text)
                for change in heard.params.get("contentChanges", ()):
                    text = _changed(text, change)
        return version, text

    def wait_document(self, uri: str, text: str, *, timeout: float = 10.0) -> int:
        """Wait till the editor has told this text; its version."""
        with self._news:
            if not self._news.wait_for(lambda: self.document(uri)[1] == text, timeout):
                raise TimeoutError(f"{uri} is told to be {self.document(uri)[1]!r}, not {text!r}")
        return self.document(uri)[0]

    def apply(self, *documents: Message, timeout: float = 10.0) -> Any:
        """Ask the editor to apply one edit of several documents; its result."""
        return self.request("workspace/applyEdit", {"edit": {"documentChanges": list(documents)}}, timeout=timeout)

    def _wait(self, wanted: Callable[[Heard], bool], name: str, timeout: float) -> Heard:
        with self._news:
            found = self._news.wait_for(lambda: next(filter(wanted, self.heard), None), timeout)
        if not found:
            raise TimeoutError(f"no {name} within {timeout} s; heard {[heard.method for heard in self.heard]}")
        return found

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # closed before an editor came, or cut by it
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as stream:
                self._connection = connection
                for message in _frames(stream):
                    with self._news:
                        self.heard.append(Heard(time.monotonic(), message))
                        self._news.notify_all()
                    if "method" in message and "id" in message:
                        threading.Thread(target=self._reply, args=(message,), daemon=True).start()

    def _reply(self, message: Message) -> None:
        answer = self.answers.get(message["method"])
        with contextlib.suppress(OSError):  # the editor may be gone by now
            if answer:
                self._send({"id": message["id"], "result": answer(message.get("params"))})
            else:
                error = {"code": -32601, "message": f"no answer for {message['method']}"}
                self._send({"id": message["id"], "error": error})

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._news:
            if self._connection is None:
                raise ConnectionError("no editor has started the server yet")
            self._connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def put(uri: str, version: int | None, text: str) -> Message:
    """An edit of one document: text put at its start."""
    start = {"line": 0, "character": 0}
    edit = {"range": {"start": start, "end": start}, "newText": text}
    return {"textDocument": {"uri": uri, "version": version}, "edits": [edit]}


def _changed(text: str, change: Message) -> str:
    if "range" not in change:
        return change["text"]
    start, end = (_offset(text, change["range"][side]) for side in ("start", "end"))
    raw = text.encode("utf-16-le")
    return raw[:start].decode("utf-16-le") + change["text"] + raw[end:].decode("utf-16-le")


def _offset(text: str, position: Message) -> int:
    before = "".join(text.splitlines(keepends=True)[: position["line"]])
    return len(before.encode("utf-16-le")) + 2 * position["character"]


def _frames(stream: IO[bytes]) -> Iterator[Message]:
    while header := stream.readline():
        length = int(header.split(b":")[1])
        while stream.readline().strip():
            pass  # other header lines
        body = stream.read(length)
        if len(body) < length:
            return  # cut in the middle
        yield json.loads(body)


def carry(port: int) -> None:
    """Carry bytes between the editor (standard input and output) and the test."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def outward() -> None:
        while data := connection.recv(65536):
            os.write(1, data)
        os._exit(0)

    threading.Thread(target=outward, daemon=True).start()
    while data := os.read(0, 65536):
        connection.sendall(data)


if __name__ == "__main__":
    carry(int(sys.argv[1]))
