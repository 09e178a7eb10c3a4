"""One language server of ours: started when it is first asked, started again when it dies, never waited for long."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from attache.foundation.jsonrpc import METHOD_NOT_FOUND, Connection, Disconnected, RpcError
from attache.foundation.positions import Encoding
from attache.foundation.tasks import Tasks
from attache.schema.data import Uri
from attache.workspace.environment import command_environment
from attache.workspace.paths import to_uri
from attache.workspace.servers.findings import Findings
from attache.workspace.servers.table import Row, settings

PAUSES_SECONDS: Final = (1.0, 5.0, 30.0, 120.0)
"""How long to wait before each new start; the last one for all that follow."""
FAILURES_BORNE: Final = 3
"""One that has ended so often in a row, and was never once ready, is not started again."""
HEALTHY_SECONDS: Final = 60.0
"""A server that lived so long starts the pauses anew."""
INITIALIZE_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 1.0
SAID_BYTES: Final = 4_096
TRIES: Final = 4
_CANCELLED_BY_SERVER: Final = -32802
_CONTENT_MODIFIED: Final = -32801
_KILL: Final[int] = getattr(signal, "SIGKILL", signal.SIGTERM)


class Opened(NamedTuple):
    """A document as the server holds it."""

    version: int
    text: str


class Away(Exception):
    """There is no server to ask now; the message says why."""


class Child:
    """A language server, for as long as ours lives. What it is asked goes through `asked`, one question at a time."""

    def __init__(self, row: Row, command: Sequence[str], roots: Sequence[Path], *, trusted: bool) -> None:
        """Be ready to run `command` for the folders `roots`; nothing is started yet."""
        self.row = row
        self.command = tuple(command)
        self.turn = asyncio.Lock()
        """Held from the moment the documents are brought to a state until what was asked of it is answered."""
        self.findings = Findings()
        self.capabilities: dict[str, Any] = {}
        self.encoding: Encoding = "utf-16"
        self.trouble = "it has not started yet"
        """Why it cannot be asked, where it cannot."""
        self.pid: int | None = None
        self._roots = tuple(roots)
        self._trusted = trusted
        self._documents: dict[Uri, Opened] = {}
        self._changes: dict[Uri, int] = {}
        self._version = 0
        self._works: set[str | int] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._ready = asyncio.Event()
        self._settled = asyncio.Event()  # whether the present start has succeeded or failed
        self._connection: Connection | None = None
        self._tasks = Tasks(self._failed)
        self._started = self._served = False

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Start it, without waiting for it."""
        if not self._started:
            self._started = True
            self._tasks.spawn(self._keep(), self.row.name)

    async def ready(self, timeout_seconds: float) -> None:
        """Wait until it can be asked, and is not busy; one that stays busy is asked all the same. Raises Away."""
        self.start()
        deadline = time.monotonic() + timeout_seconds
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), timeout_seconds)
        if not self._ready.is_set():
            raise Away(self.trouble)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), max(deadline - time.monotonic(), 0.01))

    async def close(self) -> None:
        """End it."""
        connection = self._connection
        if connection is not None:
            with suppress(Disconnected, RpcError, TimeoutError):
                await connection.request("shutdown", None, CLOSE_SECONDS / 2)
                await connection.notify("exit")
        await self._tasks.close()

    async def _keep(self) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            self.trouble = "it is still starting"
            self._settled.clear()
            reason = await self._live()
            failures = 1 if time.monotonic() - started > HEALTHY_SECONDS else failures + 1
            pause = PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS)) - 1]
            self.trouble = f"it ended: {reason}"
            self._settled.set()
            if failures >= FAILURES_BORNE and not self._served:
                return  # a name that leads nowhere, such as a rustup proxy without its component
            await asyncio.sleep(pause)

    async def _live(self) -> str:
        """Run one process to its end and return why it ended."""
        own: dict[str, Any] = {"start_new_session": True} if sys.platform != "win32" else {}
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                cwd=self._roots[0], env=command_environment(), **own,
            )  # fmt: skip
        except OSError as error:
            return str(error)
        self.pid = process.pid
        said: list[bytes] = []
        listening = asyncio.create_task(_listen(process.stderr, said))
        try:
            reason = await self._converse(process)
        finally:
            self._forget()
            try:
                await _end(process)
            finally:
                with suppress(TimeoutError):
                    await asyncio.wait_for(listening, CLOSE_SECONDS)
        last = b"".join(said).decode("utf-8", "replace").strip().partition("\n")[0]
        return reason or last[:200] or f"exit code {process.returncode}"

    async def _converse(self, process: asyncio.subprocess.Process) -> str:
        """Speak with a process until it is gone; return what went wrong before it could be asked anything."""
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("pipes were asked for")
        connection = self._connection = Connection(
            process.stdout, process.stdin, on_error=self._failed, on_request=self._answer, on_notification=self._hear
        )
        reading = asyncio.ensure_future(connection.run())
        try:
            try:
                answer = await connection.request("initialize", self._introduction(), INITIALIZE_SECONDS)
            except TimeoutError:
                return self._gave_up(f"no answer to initialize in {INITIALIZE_SECONDS:g} s")
            except RpcError as error:
                return self._gave_up(error.message)
            except Disconnected:
                return ""
            self._met(answer)
            with suppress(Disconnected):
                await connection.notify("initialized", {})
                if self.row.settings:  # many of them never ask
                    await connection.notify("workspace/didChangeConfiguration", {"settings": self.row.settings})
            self._served = True
            self._ready.set()
            self._settled.set()
            await reading
            return ""
        finally:
            reading.cancel()
            self._connection = None
            await connection.close()

    def _gave_up(self, reason: str) -> str:
        self.trouble = reason
        self._settled.set()  # nobody has to wait until it has ended
        return reason

    def _met(self, answer: Any) -> None:
        capabilities: Any = cast("dict[str, Any]", answer).get("capabilities") if isinstance(answer, dict) else None
        self.capabilities = capabilities if isinstance(capabilities, dict) else {}
        encoding = self.capabilities.get("positionEncoding")
        self.encoding = encoding if encoding in {"utf-8", "utf-16", "utf-32"} else "utf-16"
        self.findings.pulled = bool(self.capabilities.get("diagnosticProvider"))

    def _forget(self) -> None:
        self._ready.clear()
        self._documents.clear()
        self._changes.clear()
        self._works.clear()
        self._idle.set()
        self.findings.forget()
        self.pid = None

    def _introduction(self) -> dict[str, Any]:
        folders = [{"uri": to_uri(root), "name": root.name} for root in self._roots]
        return {
            "processId": os.getpid(),
            "clientInfo": {"name": "attache"},
            "rootUri": folders[0]["uri"],
            "rootPath": str(self._roots[0]),
            "workspaceFolders": folders,
            "capabilities": _CAPABILITIES,
            **({"initializationOptions": self.row.options} if self.row.options else {}),
        }

    # ------------------------------------------------------------ documents

    async def hold(self, texts: Mapping[Uri, str], saved: Callable[[Uri], Awaitable[str | None]]) -> None:
        """Let exactly these documents be open in the server, with these texts. Hold `turn`. Raises Disconnected.

        One is opened, and closed, with the text that is `saved`: pyright takes what is opened with another text for no
        change of the file, and leaves what depends on it as it was.
        """
        if self._changes:
            changes = [{"uri": uri, "type": kind} for uri, kind in self._changes.items()]
            self._changes.clear()
            await self._tell("workspace/didChangeWatchedFiles", {"changes": changes})
        for uri in self._documents.keys() - texts.keys():
            if (text := await saved(uri)) is not None:
                await self._show(uri, text)
            del self._documents[uri]
            self.findings.drop(uri)
            await self._tell("textDocument/didClose", {"textDocument": {"uri": uri}})
        for uri, text in texts.items():
            if uri not in self._documents:
                await self._show(uri, text if (on_disk := await saved(uri)) is None else on_disk)
            await self._show(uri, text)

    async def _show(self, uri: Uri, text: str) -> None:
        """Open a document, or change the one that is open; nothing where it says that already."""
        held = self._documents.get(uri)
        if held is not None and (held.text is text or held.text == text):
            return
        self._version += 1
        self._documents[uri] = Opened(self._version, text)
        self.findings.expect(uri, self._version)
        identity = {"uri": uri, "version": self._version}
        if held is None:
            item = {**identity, "languageId": self.row.languages[suffix(uri)], "text": text}
            await self._tell("textDocument/didOpen", {"textDocument": item})
        else:
            change = {"textDocument": identity, "contentChanges": [{"text": text}]}
            await self._tell("textDocument/didChange", change)

    def changed_on_disk(self, uri: Uri, kind: int) -> None:
        """Note what happened to a file on disk; the server hears of it before it is asked the next time."""
        if self._ready.is_set():  # one that is not there will read the files anyway
            self._changes[uri] = kind

    async def diagnose(self, uri: Uri, timeout_seconds: float) -> list[dict[str, Any]]:
        """Return what the server finds in a document that it holds. Hold `turn`. Raises TimeoutError, Disconnected."""
        async with asyncio.timeout(timeout_seconds):
            if await self.findings.to_pull(uri):
                answer = await self.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}}, timeout_seconds)
                report = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
                self.findings.note(uri, report.get("items"))
            return self.findings.of(uri)

    async def ask(self, method: str, params: dict[str, Any], timeout_seconds: float) -> Any:
        """Ask, again where the server took its answer back. Raises TimeoutError, Disconnected, RpcError."""
        for attempt in range(TRIES):
            connection = self._connection
            if connection is None:
                raise Disconnected(f"{self.row.name} is gone")
            try:
                return await connection.request(method, params, timeout_seconds)
            except RpcError as error:
                if error.code not in {_CANCELLED_BY_SERVER, _CONTENT_MODIFIED} or attempt == TRIES - 1:
                    raise
            await asyncio.sleep(0.1 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def offers(self, capability: str) -> bool:
        """Return whether the server said that it can do something, such as `renameProvider`."""
        return self.capabilities.get(capability, False) not in (None, False)

    async def _tell(self, method: str, params: dict[str, Any]) -> None:
        if self._connection is None:
            raise Disconnected(f"{self.row.name} is gone")
        await self._connection.notify(method, params)

    # ------------------------------------------------------------ what it asks and tells

    async def _answer(self, method: str, params: Any) -> Any:
        given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
        match method:
            case "workspace/configuration":
                items = cast("list[dict[str, Any]]", given.get("items", []))
                return [self._setting(str(item.get("section", ""))) for item in items]
            case "client/registerCapability":
                registered = cast("list[dict[str, Any]]", given.get("registrations", []))
                if any(each.get("method") == "textDocument/diagnostic" for each in registered):
                    self.findings.pull()
                return None
            case "workspace/workspaceFolders":
                return [{"uri": to_uri(root), "name": root.name} for root in self._roots]
            case "workspace/applyEdit":
                return {"applied": False, "failureReason": "nothing is changed behind the user's back"}
            case (
                "window/workDoneProgress/create" | "window/showMessageRequest" | "client/unregisterCapability"
                | "workspace/diagnostic/refresh" | "workspace/semanticTokens/refresh" | "workspace/inlayHint/refresh"
                | "workspace/codeLens/refresh"
            ):  # fmt: skip
                return None
            case _:
                raise RpcError(METHOD_NOT_FOUND, f"{method} is not known here")

    def _setting(self, section: str) -> Any:
        return settings(self.row, section, self._roots, trusted=self._trusted)

    def _hear(self, method: str, params: Any) -> None:
        given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
        if method == "textDocument/publishDiagnostics":
            self.findings.published(Uri(str(given.get("uri"))), given.get("version"), given.get("diagnostics"))
        elif method == "$/progress":
            value = cast("dict[str, Any]", given.get("value") or {})
            if value.get("kind") == "begin":
                self._works.add(given.get("token", ""))
                self._idle.clear()
            elif value.get("kind") == "end":
                self._works.discard(given.get("token", ""))
                if not self._works:
                    self._idle.set()

    def _failed(self, what: str, error: BaseException) -> None:
        self.trouble = f"{what}: {error}"


def suffix(name: str) -> str:
    """Return the last suffix of a file's name or URI in small letters, with its dot."""
    return Path(name.rpartition("/")[2]).suffix.lower()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let a process end by itself, then end it with all that it started."""
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), CLOSE_SECONDS / 2)
    finally:  # also where we are told to hurry
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, _KILL)  # also where the first of them has ended and left others
        await process.wait()


async def _listen(stream: asyncio.StreamReader | None, said: list[bytes]) -> None:
    """Keep the beginning of what the process says on standard error, and let the rest pass."""
    while stream and (data := await stream.read(SAID_BYTES)):
        if sum(map(len, said)) < SAID_BYTES:
            said.append(data)


_CAPABILITIES: Final = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {
        "synchronization": {"didSave": False},
        "publishDiagnostics": {"versionSupport": True},
        "diagnostic": {"dynamicRegistration": True, "relatedDocumentSupport": False},
        "definition": {"linkSupport": True},
        "references": {},
        "hover": {"contentFormat": ["plaintext", "markdown"]},
        "rename": {"prepareSupport": False},
    },
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create", "rename", "delete"]},
    },
    "window": {"workDoneProgress": True},
}
