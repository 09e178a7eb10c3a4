"""JSON-RPC 2.0 with `Content-Length` framing, over a pair of asyncio streams."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import msgspec

from attache.foundation.frames import Frames, Malformed, frame
from attache.foundation.tasks import OnError, Tasks

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
REQUEST_CANCELLED = -32800
BUSY = -32000

SERVED_LIMIT = 256
"""Requests of the peer that may be under way at once; one more is answered with an error."""
_CHUNK_BYTES = 64 * 1024

_SURROGATE = re.compile("[\ud800-\udfff]")

OnRequest = Callable[[str, Any], Awaitable[Any]]
OnNotification = Callable[[str, Any], None]
Object = dict[str, Any]


class RpcError(Exception):
    """The peer answered with an error, or a handler of ours answers with one."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class Disconnected(ConnectionError):
    """The peer is gone, and with it the answer."""


def encode(message: object) -> bytes:
    """Return a message as a frame; a lone surrogate, which UTF-8 cannot carry, travels as a JSON escape."""
    try:
        body = msgspec.json.encode(message)
    except UnicodeEncodeError:
        body = json.dumps(message, separators=(",", ":")).encode()
    return frame(body)


def decode(body: bytes) -> Any:
    """Return the value of a JSON text; a lone surrogate, which only an escape can write, becomes U+FFFD.

    Raises:
        ValueError: it is not JSON.
        RecursionError: it is nested beyond any use.
    """
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        # Editors written in JavaScript send half a pair when half an emoji is deleted; the rest is no JSON here either.
        return json.loads(_SURROGATE.sub("\ufffd", json.dumps(json.loads(body), ensure_ascii=False)))


class Connection:
    """One peer: requests and notifications either way. Requests of the peer run beside one another.

    Notifications are handled in the order they came, before any message that came after them is looked at.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        on_error: OnError,
        on_request: OnRequest | None = None,
        on_notification: OnNotification | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_error = on_error
        self._on_request = on_request
        self._on_notification = on_notification
        self._tasks = Tasks(on_error)
        self._ids = itertools.count(1)
        self._awaited: dict[int, asyncio.Future[Any]] = {}
        self._served: dict[int | str, asyncio.Task[None]] = {}
        self._gone = False

    async def run(self) -> None:
        """Serve the peer until it closes its stream or `close` is called."""
        frames = Frames(decode)
        try:
            while chunk := await self._reader.read(_CHUNK_BYTES):
                for message in frames.feed(chunk):
                    self._receive(message)
        except ConnectionError as error:
            self._on_error("connection", error)
        finally:
            self._lose_peer()

    async def request(self, method: str, params: Any = None, timeout_seconds: float | None = None) -> Any:
        """Ask the peer and return its result; giving up, by time-out or cancellation, tells it so.

        Raises:
            RpcError: the peer answered with an error.
            TimeoutError: it did not answer in time.
            Disconnected: it is gone.
        """
        number = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, even if nobody awaits it
        self._awaited[number] = answer
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._send({"id": number, "method": method, "params": params})
                return await answer
        except (TimeoutError, asyncio.CancelledError):
            self._write({"method": "$/cancelRequest", "params": {"id": number}})
            raise
        finally:
            del self._awaited[number]

    async def notify(self, method: str, params: Any = None) -> None:
        """Tell the peer something; returns when the stream has taken it.

        Raises:
            Disconnected: the peer is gone.
        """
        await self._send({"method": method, "params": params})

    async def close(self) -> None:
        """End all requests of either side and close the stream."""
        self._lose_peer()
        await self._tasks.close()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    def _lose_peer(self) -> None:
        self._gone = True
        for answer in self._awaited.values():
            if not answer.done():
                answer.set_exception(Disconnected("the other side is gone"))
        for task in tuple(self._served.values()):
            task.cancel()

    def _write(self, message: Object) -> None:
        if not self._gone:
            self._writer.write(encode({"jsonrpc": "2.0", **message}))

    async def _send(self, message: Object) -> None:
        if self._gone:
            raise Disconnected("the other side is gone")
        self._write(message)
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise Disconnected(str(error)) from error

    def _receive(self, message: Any) -> None:
        if isinstance(message, Malformed):
            self._refuse(None, PARSE_ERROR, str(message))
            return
        content = cast("Object", message) if isinstance(message, dict) else {}
        number, method = content.get("id"), content.get("method")
        if isinstance(method, str) and isinstance(number, int | str):
            self._accept(number, method, content.get("params"))
        elif isinstance(method, str) and number is None:
            self._hear(method, content.get("params"))
        elif "result" in content or "error" in content:
            self._settle(number, content)
        else:
            self._refuse(None, INVALID_REQUEST, "neither a request nor a notification nor an answer")

    def _accept(self, number: int | str, method: str, params: Any) -> None:
        if number in self._served:
            self._refuse(number, INVALID_REQUEST, f"request {number} is under way already")
        elif self._on_request is None:
            self._refuse(number, METHOD_NOT_FOUND, f"{method}: no requests are served here")
        elif len(self._served) >= SERVED_LIMIT:
            self._refuse(number, BUSY, f"{SERVED_LIMIT} requests are under way")
        else:
            task = self._tasks.spawn(self._serve(self._on_request, number, method, params), method)
            self._served[number] = task
            task.add_done_callback(lambda _: self._finish(number))

    async def _serve(self, on_request: OnRequest, number: int | str, method: str, params: Any) -> None:
        try:
            answer = encode({"jsonrpc": "2.0", "id": number, "result": await on_request(method, params)})
        except RpcError as error:
            problem = {"code": error.code, "message": error.message, "data": error.data}
            answer = encode({"jsonrpc": "2.0", "id": number, "error": problem})
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a request: the peer gets an answer whatever happens
            self._on_error(method, error)
            problem = {"code": INTERNAL_ERROR, "message": f"{type(error).__name__}: {error}"}
            answer = encode({"jsonrpc": "2.0", "id": number, "error": problem})
        del self._served[number]
        if not self._gone:
            self._writer.write(answer)
            with suppress(ConnectionError):  # whoever reads the stream meets it too
                await self._writer.drain()

    def _finish(self, number: int | str) -> None:
        """Answer a request that was cancelled, be it before it began."""
        if self._served.pop(number, None) is not None:
            self._refuse(number, REQUEST_CANCELLED, "cancelled")

    def _hear(self, method: str, params: Any) -> None:
        if method == "$/cancelRequest":
            number = cast("Object", params).get("id") if isinstance(params, dict) else None
            if isinstance(number, int | str) and number in self._served:
                self._served[number].cancel()
        elif self._on_notification is not None:
            try:
                self._on_notification(method, params)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a notification, which has no answer
                self._on_error(method, error)

    def _settle(self, number: Any, content: Object) -> None:
        answer = self._awaited.get(number) if isinstance(number, int) else None
        if answer is None or answer.done():
            return  # an answer that nobody awaits any more
        if (problem := content.get("error")) is None:
            answer.set_result(content.get("result"))
        else:
            details = cast("Object", problem) if isinstance(problem, dict) else Object(message=str(problem))
            error = RpcError(details.get("code", INTERNAL_ERROR), details.get("message", ""), details.get("data"))
            answer.set_exception(error)

    def _refuse(self, number: int | str | None, code: int, message: str) -> None:
        self._write({"id": number, "error": {"code": code, "message": message}})
