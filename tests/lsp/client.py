"""An editor without a screen: it starts the real server, speaks as its profile says, and keeps texts and undo."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter

from attache.foundation.frames import Frames, frame
from attache.workspace.documents import Document
from attache.workspace.paths import to_path, to_uri

REPOSITORY = Path(__file__).resolve().parents[2]
PROFILES = Path(__file__).parent / "profiles"
SERVER = (sys.executable, "-m", "attache", "lsp")
KEYS = ("API_KEY", "TOKEN", "BASE_URL", "ATTACHE_")
CONVERTER = get_converter()
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Habits:
    """How a client behaves where its capabilities say nothing. The real editors show each of these in tests/e2e."""

    name: str
    freezes: bool = False
    """Helix: while it resolves an action, it answers nothing."""
    gullible: bool = False
    """Neovim: says that it applied what it skipped for its version."""
    tells_after: bool = False
    """Neovim: the didChange of an applied edit comes well after the answer."""
    shows_disabled: bool = True
    ends_lines: bool = False
    """Neovim: a last line has its end, whatever was asked for."""


HABITS = {
    "vscode": Habits("vscode"),
    "neovim": Habits("neovim", gullible=True, tells_after=True),
    "helix": Habits("helix", freezes=True, shows_disabled=False),
    "emacs": Habits("emacs", shows_disabled=False),
    "zed": Habits("zed"),
}


class Refused(Exception):
    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['message']} ({error['code']})")
        self.code: int = error["code"]
        self.message: str = error["message"]


@dataclass(slots=True)
class Opened:
    document: Document
    undo: list[str] = field(default_factory=list[str])


def environment(home: Path, **more: str) -> dict[str, str]:
    """The process's own environment without anything that names a model."""
    plain = {name: value for name, value in os.environ.items() if not any(key in name for key in KEYS)}
    # nothing listens there: a model that runs on this machine must not answer in a test
    nobody = {"ATTACHE_OLLAMA_BASE_URL": "http://127.0.0.1:9", "OLLAMA_HOST": "127.0.0.1:9"}
    # what servers this machine has must not change an answer; a test that is about them says "auto"
    nobody["ATTACHE_LANGUAGE_SERVERS"] = "off"
    return {**plain, **nobody, "ATTACHE_HOME": str(home), "PYTHONPATH": str(REPOSITORY / "server"), **more}


class Client:
    """One running server. Positions are (line, column) from 0 in code points."""

    def __init__(self, folder: Path, profile: str = "vscode", habits: Habits | None = None) -> None:
        self.folder = folder
        self.profile = profile
        self.habits = habits or HABITS[profile]
        self.files: dict[str, Opened] = {}
        self.heard: list[Json] = []
        """Every notification and request of the server, in order."""
        self.diagnostics: dict[str, list[Json]] = {}
        self.shown: list[Json] = []
        self.choose: Callable[[Json], Json | None] = lambda _: None
        """Answers showMessageRequest."""
        self.permit: Callable[[Json], str | Json | None] | None = None
        """Answers attache/session/request_permission with an option."""
        self.refuses: set[str] = set()
        """Requests of the server that this client answers with an error."""
        self.opens = True
        """Whether it shows the server what it was asked to open."""
        self.encoding = "utf-16"
        self.wrong: list[str] = []
        """What of all that the server sent is not as the protocol defines it."""
        self._asked: dict[int, str] = {}
        self._frames = Frames()
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._frozen = 0
        self._put_off: list[Json] = []
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ the process

    async def start(self, home: Path, *command: str, **more: str) -> None:
        with (home / "stderr.txt").open("wb") as stderr:
            self.process = await asyncio.create_subprocess_exec(
                *(command or SERVER),
                cwd=self.folder,
                env=environment(home, **more),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
            )
        self._spawn(self._read(home / "traffic.txt"))

    async def hello(self, **more: Any) -> Json:
        params: Json = self.params() | more
        answer: Json = await self.request("initialize", params)
        self.encoding = answer["capabilities"]["positionEncoding"]
        await self.notify("initialized", {})
        return answer

    def params(self) -> Json:
        text = (PROFILES / f"{self.profile}.json").read_text("utf-8")
        return json.loads(text.replace("{root}", str(self.folder)).replace("{root_uri}", to_uri(self.folder)))

    async def stop(self) -> int:
        with suppress(ConnectionError, TimeoutError, Refused):
            await self.request("shutdown", None, seconds=10)
            await self.notify("exit", None)
        return await self.ended()

    async def ended(self, seconds: float = 15) -> int:
        try:
            return await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            self.process.kill()
            raise
        finally:
            for task in tuple(self._tasks):
                task.cancel()

    async def write(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def send(self, message: Any) -> None:
        await self.write(frame(json.dumps(message).encode()))

    async def notify(self, method: str, params: Any) -> None:
        await self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def begin(self, method: str, params: Any, number: int | None = None) -> tuple[int, asyncio.Future[Any]]:
        number = next(self._ids) if number is None else number
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._asked[number] = method
        await self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number, answer

    async def request(self, method: str, params: Any, *, seconds: float = 30) -> Any:
        freezes = self.habits.freezes and method == "codeAction/resolve"
        self._frozen += freezes
        try:
            _, answer = await self.begin(method, params)
            return await asyncio.wait_for(answer, seconds)
        finally:
            self._frozen -= freezes
            while self._put_off and not self._frozen:
                self._spawn(self._serve(self._put_off.pop(0)))

    async def until(self, holds: Callable[[], Any], seconds: float = 20) -> Any:
        """Wait until `holds` gives something true, and return it."""
        async with asyncio.timeout(seconds):
            while not (held := holds()):
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.1)
        return held

    def said(self, method: str) -> list[Json]:
        return [message["params"] for message in self.heard if message["method"] == method]

    # ------------------------------------------------------------ files

    def uri(self, path: str) -> str:
        return to_uri(self.folder / path)

    async def open(self, path: str, text: str | None = None, language: str = "python", version: int = 1) -> None:
        await self.open_uri(self.uri(path), text, language, version)

    async def open_uri(self, uri: str, text: str | None = None, language: str = "markdown", version: int = 1) -> None:
        held = to_path(uri).read_bytes().decode() if text is None else text
        self.files[uri] = Opened(Document(uri, held, version=version, language=language))
        item = {"uri": uri, "languageId": language, "version": version, "text": held}
        await self.notify("textDocument/didOpen", {"textDocument": item})

    def text(self, path: str) -> str:
        return self.files[self.uri(path)].document.text

    async def type(self, path: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Replace a piece, as typing does; nothing is saved."""
        uri = self.uri(path)
        span = {"start": self.position(uri, start), "end": self.position(uri, end)}
        await self.change(uri, [{"range": span, "newText": text}])

    async def undo(self, path: str) -> None:
        uri = self.uri(path)
        opened = self.files[uri]
        before = opened.undo.pop()
        opened.document.rewrite(before)
        opened.document.version += 1
        await self._report(uri, [{"text": before}])

    async def change(self, uri: str, edits: list[Json]) -> None:
        """Make edits that all count in the text as it stands, and report them."""
        opened = self.files[uri]
        document = opened.document
        opened.undo.append(document.text)
        reported: list[Json] = []
        places = [(self.place(uri, e["range"]["start"]), self.place(uri, e["range"]["end"]), e) for e in edits]
        for start, end, edit in sorted(places, key=lambda each: each[0], reverse=True):
            document.replace(start, end, edit["newText"])
            reported.append({"range": edit["range"], "text": edit["newText"]})
        document.version += 1
        if self.habits.ends_lines and not document.text.endswith("\n"):
            document.rewrite(f"{document.text}\n")
            reported = [{"text": document.text}]
        await self._report(uri, reported)

    async def _report(self, uri: str, changes: list[Json]) -> None:
        identity = {"uri": uri, "version": self.files[uri].document.version}
        await self.notify("textDocument/didChange", {"textDocument": identity, "contentChanges": changes})

    def position(self, uri: str, place: tuple[int, int]) -> Json:
        line, column = place
        before = self.files[uri].document.line(line)[:column]
        return {"line": line, "character": units(before, self.encoding)}

    def place(self, uri: str, position: Json) -> tuple[int, int]:
        text = self.files[uri].document.line(position["line"])
        columns = (n for n in range(len(text) + 1) if units(text[:n], self.encoding) >= position["character"])
        return position["line"], next(columns, len(text))

    # ------------------------------------------------------------ actions

    async def actions(self, path: str, line: int, diagnostics: list[Json] | None = None, **context: Any) -> list[Json]:
        uri = self.uri(path)
        at = self.position(uri, (line, 0))
        params = {
            "textDocument": {"uri": uri},
            "range": {"start": at, "end": at},
            "context": {"diagnostics": diagnostics or [], **context},
        }
        found: list[Json] = await self.request("textDocument/codeAction", params)
        return [each for each in found if self.habits.shows_disabled or "disabled" not in each]

    async def pick(self, action: Json) -> None:
        """Do what the editor does when the user picks an action."""
        if "data" in action and "edit" not in action and "command" not in action:
            action = await self.request("codeAction/resolve", action)
        if edit := action.get("edit"):
            await self._apply(edit)
        if command := action.get("command"):
            await self.run(command["command"], *command.get("arguments", []))

    async def run(self, command: str, *arguments: Any) -> None:
        await self.request("workspace/executeCommand", {"command": command, "arguments": list(arguments)})

    # ------------------------------------------------------------ what the server says

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, traffic: Path) -> None:
        assert self.process.stdout
        while data := await self.process.stdout.read(65536):
            with traffic.open("ab") as kept:  # where planted secrets are looked for at the end of the run
                kept.write(data)
            for message in self._frames.feed(data):
                self._take(message)
            self._changed.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the server is gone"))

    def _check(self, message: Json) -> None:
        """Read a message with lsprotocol's types, which were made from the protocol's own definition."""
        answers = "method" not in message
        method = self._asked.get(message["id"], "") if answers and message["id"] is not None else message.get("method")
        if method not in types.METHOD_TO_TYPES or "error" in message:
            return
        request, response, *_ = types.METHOD_TO_TYPES[method]
        try:
            CONVERTER.structure(message, response if answers else request)
        except Exception as error:  # noqa: BLE001 - cattrs raises whatever it meets
            self.wrong.append(f"{method}: {error!r}: {message}")

    def _take(self, message: Json) -> None:
        self._check(message)
        if "method" not in message:
            answer = self._answers.get(message["id"]) if message["id"] is not None else None
            if answer is None:
                self.heard.append({"method": "(an answer to nothing)", "params": message})
            elif "error" in message:
                answer.set_exception(Refused(message["error"]))
            else:
                answer.set_result(message["result"])
            return
        self.heard.append(message)
        if message["method"] == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        if "id" in message:
            if self._frozen:
                self._put_off.append(message)
            else:
                self._spawn(self._serve(message))

    async def _serve(self, message: Json) -> None:
        params = message["params"]
        result: Any = None
        if message["method"] in self.refuses:
            problem = {"code": -32603, "message": "not here"}
            await self.send({"jsonrpc": "2.0", "id": message["id"], "error": problem})
            return
        match message["method"]:
            case "workspace/applyEdit":
                result = await self._apply(params["edit"])
            case "window/showDocument":
                self.shown.append(params)
                if self.opens and params["uri"] not in self.files and params["uri"].startswith("file:"):
                    await self.open_uri(params["uri"])
                result = {"success": True}
            case "window/showMessageRequest":
                result = self.choose(params)
            case "attache/session/request_permission":
                chosen = self.permit(params) if self.permit else None
                picked = {"outcome": "selected", "optionId": chosen} if chosen else {"outcome": "cancelled"}
                result = chosen if isinstance(chosen, dict) else {"outcome": picked}
            case _:
                pass
        await self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def _apply(self, edit: Json) -> Json:
        changes = [
            (c["textDocument"]["uri"], c["textDocument"]["version"], c["edits"])
            for c in edit.get("documentChanges", [])
        ]
        changes += [(uri, None, edits) for uri, edits in edit.get("changes", {}).items()]
        for uri, version, edits in changes:
            opened = self.files.get(uri)
            assert opened, f"an edit of {uri}, which is not open"
            if version not in {None, opened.document.version}:
                return {"applied": self.habits.gullible}
            if self.habits.tells_after:
                self._spawn(self._later(uri, edits))
            else:
                await self.change(uri, edits)
        return {"applied": True}

    async def _later(self, uri: str, edits: list[Json]) -> None:
        await asyncio.sleep(0.05)
        await self.change(uri, edits)


def units(text: str, encoding: str) -> int:
    if encoding == "utf-32":
        return len(text)
    return len(text.encode("utf-8" if encoding == "utf-8" else "utf-16-le", "surrogatepass")) // (
        1 + (encoding == "utf-16")
    )
