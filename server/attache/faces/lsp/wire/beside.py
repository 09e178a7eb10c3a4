"""Stand before another language server as well: one connection to the client, two servers behind it.

For clients that know one server a buffer. What the client sends goes to us, to the other, or to both; two answers
become one; ids of the other's own requests are made ours on the way out and its own again on the way back. Standard
library only. The client's reader, the other's reader and our loop each come in here; none waits for another inside.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from queue import Empty, SimpleQueue
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
from attache.faces.lsp.wire.other import (
    HEALTHY_SECONDS,
    MOST_STARTS,
    OF_NO_RESULT,
    PAUSES_SECONDS,
    Other,
    Told,
    reason_against,
)  # fmt: skip
from attache.faces.lsp.wire.transport import Closed, Transport

INITIALIZE_SECONDS: Final = 30.0
MERGE_SECONDS: Final = 5.0
"""How long our answer waits for the other's."""
SWEEP_SECONDS: Final = 0.5
_REQUEST_FAILED: Final = -32803
_INVALID_REQUEST: Final = -32600
_WARNING: Final = 2
_MISSHAPEN: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What reading a message raises that is not as the protocol says."""
_OURS: Final = "ours"
_THEIRS: Final = "theirs"


class Expected(NamedTuple):
    """A request of the client that the other server answers, alone or with us."""

    method: str
    both: bool
    until: float
    answers: dict[str, Json]
    """What came of each so far, of those that answer together."""


class Beside(Transport):
    """The client's connection, with another server beside us on it."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], None], command: Sequence[str]) -> None:
        """Start the other server by `command`. Raises OSError where it cannot be."""
        super().__init__(read, write)
        self._command = tuple(command)
        self._other = Other(command, self._from_other)
        self._routing = threading.RLock()
        """Held while a message of the client's is passed on: a new process comes in between two of them."""
        self._name = PurePosixPath(command[0].replace("\\", "/")).name.removesuffix(".exe")
        self._told = Told(self._name)
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
        """Whether there is no other server to send anything to."""
        self._returning = False
        """Whether it is being started again."""
        self._fit = True
        """Whether one that is started again can take its place."""
        self._failures = 0
        self._since = time.monotonic()
        self._outcomes = SimpleQueue[str]()
        """Why the present start came to nothing; empty where it succeeded."""
        self._works: set[Any] = set()
        """Tokens of the other's progress that has not ended."""
        self._leaving = threading.Event()

    def start(self) -> None:
        """Begin to read and write, here and there."""
        super().start()
        self._other.start()
        threading.Thread(target=self._sweep, name="attache sweeper", daemon=True).start()

    def finish(self, timeout_seconds: float) -> None:
        """Take nothing more, let what was queued be written, and end the other server."""
        super().finish(timeout_seconds)
        self._leaving.set()
        with self._routing:
            self._gone = True
            other = self._other
        other.end()

    # ------------------------------------------------------------ from the client

    def _deliver(self, message: Any, *, within_limit: bool = True) -> None:
        if isinstance(message, dict):
            with self._routing, contextlib.suppress(*_MISSHAPEN):  # what cannot be routed is ours to refuse
                message = self._from_client(cast("Json", message))
        if message is not None:
            super()._deliver(message, within_limit=within_limit)

    def _from_client(self, message: Json) -> Json | None:
        """Give the other server what is for it; return what is for us."""
        method, number = message.get("method"), message.get("id")
        if method is None:
            return self._answered(message)
        if number is None:
            return self._told_of(str(method), message)
        if method == "shutdown":
            self._leaving.set()
        if self._gone:
            return self._alone(str(method), number, message)
        if method == "initialize":
            return message if self._met.is_set() else self._introduce(message)
        if method == "shutdown":
            self._other.send({**message, "id": "attache-shutdown"})
            return message
        return self._requested(str(method), number, message)

    def _introduce(self, message: Json) -> Json:
        """Let the other server answer first: we count columns as it does."""
        self._hello, self._told.hello = message.get("id"), message
        self._other.send({**message, "id": "attache-initialize"})
        if not self._met.wait(INITIALIZE_SECONDS) or self._gone:
            self._lose(f"no answer to initialize in {INITIALIZE_SECONDS:g} s")
            return message
        params = cast("Json", message.get("params") or {})
        capabilities = cast("Json", params.get("capabilities") or {})
        general = {**cast("Json", capabilities.get("general") or {})}
        general["positionEncodings"] = [self._theirs.get("positionEncoding", "utf-16")]
        return {**message, "params": {**params, "capabilities": {**capabilities, "general": general}}}

    def _alone(self, method: str, number: Any, message: Json) -> Json | None:
        """Return what is for us while there is nobody else; what only the other can answer is refused."""
        params = message.get("params")
        command: Any = cast("Json", params).get("command") if isinstance(params, dict) else None
        theirs = command in self._commands if method == "workspace/executeCommand" else self._offers(method)
        if not self._returning or not theirs or provides(self._ours, method) or not self._told.concerns(params):
            return message
        self._refuse(number, _REQUEST_FAILED, f"{self._name} has ended and is being started again")
        return None

    def _told_of(self, method: str, message: Json) -> Json | None:
        params = message.get("params")
        if method == "exit":
            self._leaving.set()
        if method == "$/cancelRequest" and not self._gone:
            self._other.send(message)  # a number that it does not know it ignores, as we do
        elif not method.startswith(MINE) and self._told.concerns(params):
            if self._hears(method) and not self._gone:
                self._other.send(message)
            self._told.note(method, message, self._theirs.get("positionEncoding", "utf-16"))
        return message

    def _hears(self, method: str) -> bool:
        return method != "textDocument/didChange" or hears_changes(self._theirs)

    def _requested(self, method: str, number: Any, message: Json) -> Json | None:
        params = cast("Json", message["params"]) if isinstance(message.get("params"), dict) else {}
        if method.startswith(MINE) or not self._told.concerns(params):
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
        if original is None:
            return None  # asked by one that is no more, or on its behalf
        if "error" in message and method in OF_NO_RESULT:
            message = {"jsonrpc": "2.0", "result": None}
        self._other.send({**message, "id": original})
        return None

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

    def _from_other(self, other: Other, message: Any) -> None:
        if other is not self._other:
            return  # one that is no more
        if isinstance(message, Closed):
            self._lose(other.fate())
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
            if method == "$/progress":
                self._note_progress(cast("Json", given.get("params") or {}))
            super().send(given)

    def _note_progress(self, params: Json) -> None:
        token, kind = params.get("token"), cast("Json", params.get("value") or {}).get("kind")
        (self._works.discard if kind == "end" else self._works.add)(token)

    def _heard_answer(self, number: Any, message: Json) -> None:
        if number == "attache-initialize":
            result: Any = message.get("result")
            if isinstance(result, dict):
                self._meet(cast("Json", cast("Json", result).get("capabilities") or {}))
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

    def _meet(self, capabilities: Json) -> None:
        """Take the other server for there, with what it offers; one started anew is brought to where we are."""
        anew = self._met.is_set()
        if anew and not self._returning:
            return  # after its time: the client has been told of another
        if anew and (reason := reason_against(self._theirs, capabilities)):
            self._lose(reason, for_good=True)
            return
        with self._routing if anew else contextlib.nullcontext():
            self._theirs = capabilities
            commands: Any = cast("Json", capabilities.get("executeCommandProvider") or {}).get("commands")
            self._commands |= set(map(str, commands or ()))
            if anew and not self._leaving.is_set():
                for each in self._told.again():
                    self._other.send(each)
                self._dynamic.clear()
                self._gone = self._returning = False
                self._outcomes.put("")
        self._met.set()

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
        while not self._ended:
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

    def _lose(self, reason: str, *, for_good: bool = False) -> None:
        """Go on alone, answer what the other has left, and start it again where it had begun and nobody ended it."""
        with self._lock:
            first = not self._gone
            self._gone = True
            waiting = {number: each for number, each in self._expected.items() if each.both and _THEIRS in each.answers}
            left = {number: each for number, each in self._expected.items() if number not in waiting}
            self._expected = waiting  # its answer is here already; ours will come
            shown = [uri for uri, sets in self._diagnostics.items() if sets.get(_THEIRS)]
            had_begun = self._met.is_set()
            self._fit = self._fit and not for_good
        if not first:
            self._outcomes.put(reason)
            return
        self._met.set()
        for number, each in left.items():
            if each.both and each.answers:
                self._send_both(number, each)
            elif not each.both:
                self._refuse(number, _REQUEST_FAILED, f"{self._name} has ended")
        for uri in shown:
            self._publish(_THEIRS, {"uri": uri, "diagnostics": []})
            self._pass_on({"uri": uri, "diagnostics": []})
        self._clear_away()
        if self._leaving.is_set():
            return
        if had_begun and self._fit:
            self._returning = True
            threading.Thread(target=self._bring_back, args=(reason,), name="attache restarter", daemon=True).start()
        else:
            self._give_up(reason)

    def _clear_away(self) -> None:
        """Take back what the client was asked to keep for the other: questions, progress, registrations."""
        with self._lock:
            self._asked = dict.fromkeys(self._asked, (None, ""))
            works, self._works = self._works, set()
            kept = [{"id": id_, "method": method} for id_, (method, _) in self._dynamic.items()]
            self._numbers += 1
            own = f"{self._name}-{self._numbers}"
            if kept:
                self._asked[own] = None, ""
        for token in works:
            params: Json = {"token": token, "value": {"kind": "end"}}
            super().send({"jsonrpc": "2.0", "method": "$/progress", "params": params})
        if kept:
            params = {"unregisterations": kept}  # as the protocol spells it
            super().send({"jsonrpc": "2.0", "id": own, "method": "client/unregisterCapability", "params": params})

    # ------------------------------------------------------------ started again

    def _bring_back(self, reason: str) -> None:
        """Start the other server again, ever more slowly, until it is there or nothing comes of it."""
        self._failures = 1 if time.monotonic() - self._since > HEALTHY_SECONDS else self._failures + 1
        if self._failures == 1:
            self._say(f"{self._name} has ended ({reason}) and is being started again")
        while self._fit and self._failures <= MOST_STARTS:
            self._other.end()
            if self._leaving.wait(PAUSES_SECONDS[min(self._failures, len(PAUSES_SECONDS)) - 1]):
                return
            reason = self._start_anew()
            if not reason or self._leaving.is_set():
                return
            self._failures += 1
        self._other.end()
        self._returning = False
        self._give_up(reason)

    def _start_anew(self) -> str:
        """Start a process and let it begin; return why it did not, nothing where it is there."""
        try:
            other = Other(self._command, self._from_other)
        except OSError as error:
            return str(error)
        with self._routing:
            outcomes = self._outcomes = SimpleQueue[str]()
            self._other, self._since = other, time.monotonic()
        other.start()
        if self._leaving.is_set():
            other.end()
        other.send({**self._told.hello, "id": "attache-initialize"})
        try:
            return outcomes.get(timeout=INITIALIZE_SECONDS)
        except Empty:
            return f"no answer to initialize in {INITIALIZE_SECONDS:g} s"

    def _give_up(self, reason: str) -> None:
        self._say(f"{self._name} is gone ({reason}); restart the language server to have it back")

    def _say(self, text: str) -> None:
        message = {"type": _WARNING, "message": f"Attaché: {text}"}
        super().send({"jsonrpc": "2.0", "method": "window/showMessage", "params": message})

    def _refuse(self, number: Any, code: int, text: str) -> None:
        super().send({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": text}})
