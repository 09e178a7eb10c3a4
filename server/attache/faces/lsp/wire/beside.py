"""Stand before another language server as well: one connection to the client, two servers behind it.

For clients that know one server a buffer. What the client sends goes to us, to the other, or to both; two answers
become one; ids of the other's own requests are made ours on the way out and its own again on the way back. Standard
library only. The client's reader, the other's reader and our loop each come in here; none waits for another inside.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple, cast

from attache.faces.lsp.wire.merging import (
    MINE,
    Json,
    hears_changes,
    marked,
    merged_answer,
    merged_capabilities,
    provides,
    unmarked,
)
from attache.faces.lsp.wire.transport import Closed, Transport
from attache.workspace.servers.table import TABLE

INITIALIZE_SECONDS: Final = 30.0
MERGE_SECONDS: Final = 5.0
"""How long our answer waits for the other's."""
SWEEP_SECONDS: Final = 0.5
END_SECONDS: Final = 1.0
_PIECE_BYTES: Final = 65536
_REQUEST_FAILED: Final = -32803
_INVALID_REQUEST: Final = -32600
_WARNING: Final = 2
_MISSHAPEN: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What reading a message raises that is not as the protocol says."""
_OURS: Final = "ours"
_THEIRS: Final = "theirs"
_OF_NO_RESULT: Final = frozenset({
    "client/registerCapability", "client/unregisterCapability", "window/workDoneProgress/create",
    "workspace/diagnostic/refresh", "workspace/semanticTokens/refresh", "workspace/inlayHint/refresh",
    "workspace/codeLens/refresh", "workspace/foldingRange/refresh",
})  # fmt: skip
"""Requests whose failure tells nothing that a server could act on. pyright dies of it, as where eglot fails to watch
the files of a folder that git does not know."""


class Expected(NamedTuple):
    """A request of the client that the other server answers, alone or with us."""

    method: str
    both: bool
    until: float
    answers: dict[str, Json]
    """What came of each so far, of those that answer together."""


class Line(Transport):
    """The connection to the other server: what comes is handed on at once, by the thread that read it."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], None], hear: Callable[[Any], None]) -> None:
        super().__init__(read, write)
        self._hear = hear

    def _deliver(self, message: Any, *, within_limit: bool = True) -> None:
        del within_limit
        self._hear(message)


class Beside(Transport):
    """The client's connection, with another server beside us on it."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], None], command: Sequence[str]) -> None:
        """Start the other server by `command`. Raises OSError where it cannot be."""
        super().__init__(read, write)
        own: dict[str, Any] = {"start_new_session": True} if sys.platform != "win32" else {}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **own)
        self._name = PurePosixPath(command[0].replace("\\", "/")).name.removesuffix(".exe")
        known = next((row for row in TABLE if row.command[0] == self._name), None)
        self._suffixes = tuple(known.languages) if known else ()
        self._other = Line(self._read_other, self._write_other, self._from_other)
        self._lock = threading.Lock()
        self._theirs: Json = {}
        self._ours: Json = {}
        self._dynamic: dict[str, tuple[str, Json]] = {}
        self._commands: set[str] = set()
        self._expected: dict[Any, Expected] = {}
        self._asked: dict[str, tuple[Any, str]] = {}
        self._numbers = 0
        self._diagnostics: dict[str, dict[str, list[Any]]] = {}
        self._hello: Any = None
        self._met = threading.Event()
        self._gone = False
        self._leaving = False

    def start(self) -> None:
        """Begin to read and write, here and there."""
        super().start()
        self._other.start()
        threading.Thread(target=self._sweep, name="attache sweeper", daemon=True).start()

    def finish(self, timeout_seconds: float) -> None:
        """Take nothing more, let what was queued be written, and end the other server."""
        super().finish(timeout_seconds)
        self._gone = True
        self._other.finish(END_SECONDS)
        with contextlib.suppress(OSError):
            cast("Any", self._process.stdin).close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, 9)
        self._process.wait()

    def _read_other(self) -> bytes:
        return os.read(cast("Any", self._process.stdout).fileno(), _PIECE_BYTES)

    def _write_other(self, data: bytes) -> None:
        stream = cast("Any", self._process.stdin)
        stream.write(data)
        stream.flush()

    # ------------------------------------------------------------ from the client

    def _deliver(self, message: Any, *, within_limit: bool = True) -> None:
        if isinstance(message, dict):
            with contextlib.suppress(*_MISSHAPEN):  # what cannot be routed is ours to refuse
                message = self._from_client(cast("Json", message))
        if message is not None:
            super()._deliver(message, within_limit=within_limit)

    def _from_client(self, message: Json) -> Json | None:
        """Give the other server what is for it; return what is for us."""
        method, number = message.get("method"), message.get("id")
        if method is None:
            return self._answered(message)
        if self._gone:
            return message
        if number is None:
            return self._told(str(method), message)
        if method == "initialize":
            return message if self._met.is_set() else self._introduce(message)
        if method == "shutdown":
            self._leaving = True
            self._other.send({**message, "id": "attache-shutdown"})
            return message
        return self._requested(str(method), number, message)

    def _introduce(self, message: Json) -> Json:
        """Let the other server answer first: we count columns as it does."""
        self._hello = message.get("id")
        self._other.send({**message, "id": "attache-initialize"})
        if not self._met.wait(INITIALIZE_SECONDS) or self._gone:
            self._lose(f"no answer to initialize in {INITIALIZE_SECONDS:g} s")
            return message
        params = cast("Json", message.get("params") or {})
        capabilities = cast("Json", params.get("capabilities") or {})
        general = {**cast("Json", capabilities.get("general") or {})}
        general["positionEncodings"] = [self._theirs.get("positionEncoding", "utf-16")]
        return {**message, "params": {**params, "capabilities": {**capabilities, "general": general}}}

    def _told(self, method: str, message: Json) -> Json | None:
        params = message.get("params")
        self._leaving = self._leaving or method == "exit"
        if method == "$/cancelRequest":
            self._other.send(message)  # a number that it does not know it ignores, as we do
        elif not method.startswith(MINE) and self._concerns(params) and self._hears(method):
            self._other.send(message)
        return message

    def _hears(self, method: str) -> bool:
        return method != "textDocument/didChange" or hears_changes(self._theirs)

    def _requested(self, method: str, number: Any, message: Json) -> Json | None:
        params = cast("Json", message["params"]) if isinstance(message.get("params"), dict) else {}
        if method.startswith(MINE) or not self._concerns(params):
            return message
        if method == "workspace/textDocumentContent" and str(params.get("uri")).startswith("attache"):
            return message
        if method == "workspace/executeCommand":
            theirs, ours = params.get("command") in self._commands, params.get("command") not in self._commands
        elif method.endswith("/resolve"):
            item = unmarked(params)
            theirs = item is not None or not provides(self._ours, method)
            ours, message = not theirs, message if item is None else {**message, "params": item}
        else:
            ours = provides(self._ours, method)
            theirs = self._offers(method) or not ours
        if not theirs:
            return message
        with self._lock:
            if self._gone:
                return message
            twice = number in self._expected
            if not twice:
                self._expected[number] = Expected(method, ours, time.monotonic() + MERGE_SECONDS, {})
        if twice:
            self._refuse(number, _INVALID_REQUEST, f"request {number} is still being answered")
            return None
        if ours:  # parts of an answer cannot be put together
            message = {**message, "params": {key: params[key] for key in params if key != "partialResultToken"}}
        self._other.send(message)
        return message if ours else None

    def _answered(self, message: Json) -> Json | None:
        """Hand an answer of the client's to the one who asked."""
        number = message.get("id")
        with self._lock:
            own = isinstance(number, str) and number in self._asked
            original, method = self._asked.pop(cast("str", number)) if own else (None, "")
        if not own:
            return message
        if "error" in message and method in _OF_NO_RESULT:
            message = {"jsonrpc": "2.0", "result": None}
        self._other.send({**message, "id": original})
        return None

    def _concerns(self, params: Any) -> bool:
        """Return whether the other server is meant: by all that names no document, and by documents it knows."""
        document: Any = cast("Json", params).get("textDocument") if isinstance(params, dict) else None
        uri: Any = cast("Json", document).get("uri") if isinstance(document, dict) else None
        if not isinstance(uri, str):
            return True
        name = uri.lower()
        return not name.endswith(".chat.md") and (not self._suffixes or name.endswith(self._suffixes))

    def _offers(self, method: str) -> bool:
        return provides(self._theirs, method) or any(known == method for known, _ in self._dynamic.values())

    # ------------------------------------------------------------ from us

    def send(self, message: Any, *, paint: bool = False) -> None:
        """Queue a message of ours, put together with the other server's where both have a say."""
        given = cast("Json", message)
        method, number = given.get("method"), given.get("id")
        if method == "textDocument/publishDiagnostics":
            self._publish(_OURS, self._plain(given)["params"])
        elif method is not None or "id" not in given:
            super().send(message, paint=paint)
        elif self._hello is not None and number == self._hello and "result" in given:
            super().send(self._greeting(given))
        elif not self._combine(number, _OURS, given):
            super().send(message, paint=paint)

    def _greeting(self, message: Json) -> Json:
        self._hello = None
        result = cast("Json", message["result"])
        self._ours = cast("Json", result["capabilities"])
        if self._gone:
            return message
        info = {**cast("Json", result["serverInfo"])}
        info["name"] = f"{info['name']} + {self._name}"
        return {
            **message,
            "result": {
                **result, "serverInfo": info, "capabilities": merged_capabilities(self._ours, self._theirs),
            },
        }  # fmt: skip

    def _plain(self, message: Json) -> Json:
        return json.loads(self.encode(message))

    # ------------------------------------------------------------ from the other server

    def _from_other(self, message: Any) -> None:
        if isinstance(message, Closed):
            self._lose(message.reason)
        elif isinstance(message, dict):
            with contextlib.suppress(*_MISSHAPEN):  # what the protocol does not know goes nowhere
                self._heard(cast("Json", message))

    def _heard(self, given: Json) -> None:
        method, number = given.get("method"), given.get("id")
        if method is None:
            self._heard_answer(number, given)
        elif number is not None:
            self._heard_request(str(method), number, given)
        elif method == "textDocument/publishDiagnostics":
            params = cast("Json", given.get("params") or {})
            self._pass_on(params)
            self._publish(_THEIRS, params)
        else:
            super().send(given)

    def _heard_answer(self, number: Any, message: Json) -> None:
        if number == "attache-initialize":
            result: Any = message.get("result")
            if isinstance(result, dict):
                self._theirs = cast("Json", cast("Json", result).get("capabilities") or {})
                commands: Any = cast("Json", self._theirs.get("executeCommandProvider") or {}).get("commands")
                self._commands |= set(map(str, commands or ()))
                self._met.set()
            else:
                self._lose(f"it refused to begin: {message.get('error')}")
            return
        if number == "attache-shutdown" or self._combine(number, _THEIRS, message):
            return
        with self._lock:
            expected = self._expected.pop(number, None)
        if expected is not None:
            super().send(message)

    def _heard_request(self, method: str, number: Any, message: Json) -> None:
        if method in {"client/registerCapability", "client/unregisterCapability"}:
            self._note_registration(cast("Json", message.get("params") or {}))
        with self._lock:
            self._numbers += 1
            own = f"{self._name}-{self._numbers}"
            self._asked[own] = number, method
        super().send({**message, "id": own})

    def _note_registration(self, params: Json) -> None:
        for each in cast("list[Json]", params.get("registrations") or ()):
            options = cast("Json", each.get("registerOptions") or {})
            self._dynamic[str(each.get("id"))] = str(each.get("method")), options
            if each.get("method") == "workspace/executeCommand":
                self._commands |= set(map(str, options.get("commands") or ()))
        for each in cast("list[Json]", params.get("unregisterations") or ()):
            self._dynamic.pop(str(each.get("id")), None)

    def _pass_on(self, params: Json) -> None:
        """Let our side know what the other finds, by the door that clients use for it."""
        super()._deliver({"jsonrpc": "2.0", "method": "attache/diagnostics", "params": params})

    # ------------------------------------------------------------ together

    def _publish(self, whose: str, params: Json) -> None:
        uri = str(params.get("uri"))
        with self._lock:
            sets = self._diagnostics.setdefault(uri, {})
            sets[whose] = cast("list[Any]", params.get("diagnostics") or [])
            both = [*sets.get(_OURS, ()), *sets.get(_THEIRS, ())]
            if not both:
                del self._diagnostics[uri]
        super().send(
            {"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": {**params, "diagnostics": both}}
        )

    def _combine(self, number: Any, whose: str, message: Json) -> bool:
        """Keep one of two answers, or send both as one; return whether there were to be two."""
        with self._lock:
            expected = self._expected.get(number) if isinstance(number, int | str) else None
            if expected is None or not expected.both:
                return False
            expected.answers[whose] = message
            whole = len(expected.answers) == len((_OURS, _THEIRS))
            if whole:
                del self._expected[number]
        if whole:
            self._send_both(number, expected)
        return True

    def _send_both(self, number: Any, expected: Expected) -> None:
        """Send what there is as one answer; an error only where both failed."""
        ours, theirs = expected.answers.get(_OURS), expected.answers.get(_THEIRS)
        good = [each for each in (ours, theirs) if each is not None and "error" not in each]
        if not good:
            super().send(ours or theirs or {"jsonrpc": "2.0", "id": number, "result": None})
            return
        mine = None if ours is None else self._plain(ours).get("result")
        its = None if theirs is None else marked(theirs.get("result"))
        super().send({"jsonrpc": "2.0", "id": number, "result": merged_answer(expected.method, mine, its)})

    def _sweep(self) -> None:
        """Send our own answers alone where the other's is not there in time; ours always comes."""
        while not self._gone:
            time.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            with self._lock:
                late = [
                    (number, each)
                    for number, each in self._expected.items()
                    if each.both and _OURS in each.answers and each.until < now
                ]
                for number, _ in late:
                    del self._expected[number]
            for number, each in late:
                self._send_both(number, each)

    def _lose(self, reason: str) -> None:
        """Go on alone, and answer what the other has left."""
        with self._lock:
            if self._gone:
                return
            self._gone = True
            waiting = {number: each for number, each in self._expected.items() if each.both and _THEIRS in each.answers}
            left = {number: each for number, each in self._expected.items() if number not in waiting}
            self._expected = waiting  # its answer is here already; ours will come
            shown = [uri for uri, sets in self._diagnostics.items() if sets.get(_THEIRS)]
        self._met.set()
        for number, each in left.items():
            if each.both and each.answers:
                self._send_both(number, each)
            elif not each.both:
                self._refuse(number, _REQUEST_FAILED, f"{self._name} has ended")
        for uri in shown:
            self._publish(_THEIRS, {"uri": uri, "diagnostics": []})
            self._pass_on({"uri": uri, "diagnostics": []})
        if self._leaving:
            return
        text = f"Attaché: {self._name} is gone ({reason}); restart the language server to have it back"
        message = {"type": _WARNING, "message": text}
        super().send({"jsonrpc": "2.0", "method": "window/showMessage", "params": message})

    def _refuse(self, number: Any, code: int, text: str) -> None:
        super().send({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": text}})
