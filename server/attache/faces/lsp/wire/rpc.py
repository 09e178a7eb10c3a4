"""JSON-RPC with the client: every request is answered exactly once, and none holds up another.

Invariant: while a request of the client is being answered, nothing awaits the client. Editors that block during their
own request (Helix in resolve, eglot always) would never answer. `ask` enforces it; `begin` is the way out.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import traceback
from collections.abc import Coroutine
from contextvars import Context, ContextVar
from typing import Any, Final, cast

from attache.faces.lsp.features import Feature, find
from attache.faces.lsp.wire.shapes import read_as
from attache.faces.lsp.wire.transport import Closed, Transport
from attache.foundation.frames import Malformed
from attache.foundation.redact import redact
from attache.foundation.tasks import Tasks
from attache.schema.errors import AttacheError

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
UNKNOWN_METHOD: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
REQUEST_CANCELLED: Final = -32800
REQUEST_FAILED: Final = -32803

MESSAGES_AT_ONCE: Final = 64
"""After so many messages in a row the loop sees to its other work."""

Id = int | str
_answering: ContextVar[bool] = ContextVar("answering", default=False)


class Refused(Exception):
    """Answers a request with an error of the protocol."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Peer:
    """The client, as a partner in requests and notifications."""

    def __init__(self, transport: Transport, server: Any) -> None:
        """Answer what comes over `transport` by the table of features, which are handed `server`."""
        self.stopped: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Done when the conversation is over: whether it ended as the protocol wants it."""
        self._transport = transport
        self._server = server
        self._tasks = Tasks(_report)
        self._open: dict[Id, asyncio.Task[None]] = {}
        self._asked: dict[Id, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._shut_down = False

    def start(self) -> None:
        """Take over the transport."""
        loop = asyncio.get_running_loop()
        self._transport.attach(lambda: loop.call_soon_threadsafe(self._take))

    async def close(self) -> None:
        """Stop everything that runs."""
        await self._tasks.close()

    # ------------------------------------------------------------ to the client

    def notify(self, method: str, params: Any, *, paint: bool = False) -> None:
        """Tell the client something; what only paints is dropped while it is far behind."""
        self._transport.send({"jsonrpc": "2.0", "method": method, "params": params}, paint=paint)

    async def ask(self, method: str, params: Any, *, timeout_seconds: float | None = None) -> Any:
        """Ask the client and wait for its answer. Raises Refused when it answers with an error, TimeoutError."""
        if _answering.get():
            raise RuntimeError(f"{method}: the client is waiting for us and may be unable to answer; use `begin`")
        number = f"attache-{next(self._ids)}"
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._transport.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        try:
            async with asyncio.timeout(timeout_seconds):
                return await answer
        except (TimeoutError, asyncio.CancelledError):
            self.notify("$/cancelRequest", {"id": number})
            raise
        finally:
            del self._asked[number]

    def begin(self, work: Coroutine[Any, Any, object], name: str) -> asyncio.Task[None]:
        """Let `work` go on beside the request that is being answered; it may ask the client."""
        return Context().run(self._tasks.spawn, work, name)

    # ------------------------------------------------------------ from the client

    def _take(self) -> None:
        if self.stopped.done():
            return
        messages = self._transport.take(MESSAGES_AT_ONCE)
        for message in messages:
            self._receive(message)
        if len(messages) == MESSAGES_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._take)

    def _receive(self, message: Any) -> None:
        if isinstance(message, Closed):
            self._stop(orderly=self._shut_down)
            return
        if isinstance(message, Malformed):
            self._refuse(None, PARSE_ERROR, str(message))
            return
        content = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
        number, method = content.get("id"), content.get("method")
        if isinstance(method, str) and isinstance(number, int | str):
            self._answer(number, method, content.get("params"))
        elif isinstance(method, str) and number is None:
            self._hear(method, content.get("params"))
        elif "result" in content or "error" in content:
            self._settle(content)
        else:
            self._refuse(None, INVALID_REQUEST, "neither a request, nor a notification, nor an answer")

    def _answer(self, number: Id, method: str, params: Any) -> None:
        try:
            feature = find(method)
        except Exception as error:  # noqa: BLE001 - a module that cannot be imported: its requests are answered too
            self._fail(number, method, error)
            return
        if self._shut_down:
            self._refuse(number, INVALID_REQUEST, "the server was shut down")
        elif number in self._open:
            self._refuse(number, INVALID_REQUEST, f"request {number} is still being answered")
        elif method == "shutdown":
            self._shut_down = True
            self._reply(number, None)
        elif method == "initialize":
            self._refuse(number, INVALID_REQUEST, "the server is initialized already")
        elif feature is None:
            self._refuse(number, UNKNOWN_METHOD, f"unknown method {method}")
        elif feature.waits:
            task = self._tasks.spawn(self._work(number, feature, params), method)
            self._open[number] = task
            task.add_done_callback(lambda _: self._drop(number))
        else:
            with_answer = _answering.set(True)
            try:
                self._reply(number, feature.answer(self._server, _parameters(feature, params)))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a request: it is answered whatever happens
                self._fail(number, method, error)
            finally:
                _answering.reset(with_answer)

    async def _work(self, number: Id, feature: Feature, params: Any) -> None:
        _answering.set(True)
        try:
            self._reply(number, await feature.answer(self._server, _parameters(feature, params)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a request: it is answered whatever happens
            self._fail(number, feature.method, error)
        self._open.pop(number, None)

    def _drop(self, number: Id) -> None:
        """Answer a request that was cancelled, maybe before it began."""
        if self._open.pop(number, None) is not None:
            self._refuse(number, REQUEST_CANCELLED, "cancelled")

    def _hear(self, method: str, params: Any) -> None:
        try:
            feature = find(method)
        except Exception as error:  # noqa: BLE001 - a module that cannot be imported
            _report(method, error)
            return
        if method == "exit":
            self._stop(orderly=self._shut_down)
        elif method == "$/cancelRequest":
            number = cast("dict[str, Any]", params).get("id") if isinstance(params, dict) else None
            if isinstance(number, int | str) and number in self._open:
                self._open[number].cancel()
        elif feature is not None and not self._shut_down:
            try:
                feature.answer(self._server, _parameters(feature, params))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a notification, which has no answer
                _report(method, error)

    def _settle(self, content: dict[str, Any]) -> None:
        number = content.get("id")
        answer = self._asked.get(number) if isinstance(number, int | str) else None
        if answer is None or answer.done():
            return  # an answer that nobody awaits any more
        error = content.get("error")
        if error is None:
            answer.set_result(content.get("result"))
        else:
            details = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
            answer.set_exception(Refused(details.get("code", INTERNAL_ERROR), str(details.get("message", error))))

    def _stop(self, *, orderly: bool) -> None:
        if not self.stopped.done():
            self.stopped.set_result(orderly)

    # ------------------------------------------------------------ answers

    def _reply(self, number: Id, result: Any) -> None:
        self._transport.send({"jsonrpc": "2.0", "id": number, "result": result})

    def _refuse(self, number: Id | None, code: int, message: str) -> None:
        self._transport.send({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": redact(message)}})

    def _fail(self, number: Id, method: str, error: BaseException) -> None:
        match error:
            case Refused():
                self._refuse(number, error.code, error.message)
            case AttacheError():
                self._refuse(number, REQUEST_FAILED, f"{error.message}\n{error.hint}".strip())
            case _:
                _report(method, error)
                self._refuse(number, INTERNAL_ERROR, f"{method} failed: {type(error).__name__}: {error}")


def _parameters(feature: Feature, params: Any) -> object:
    try:
        return read_as(feature.shape, params)
    except ValueError as error:
        raise Refused(INVALID_PARAMS, f"{feature.method}: {error}") from error


def _report(where: str, error: BaseException) -> None:
    """Say on stderr, which editors keep as the server's log, what went wrong beside any request."""
    if isinstance(error, AttacheError | Refused | TimeoutError):
        text = f"{where}: {error}"
    else:
        text = f"{where}: " + "".join(traceback.format_exception(error))
    print(redact(text), file=sys.stderr, flush=True)  # noqa: T201 - stdout belongs to the protocol, stderr is the log
