"""A small editor without a screen: it drives a real language server as any editor does, and keeps undo per file."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attache.foundation.jsonrpc import Connection
from attache.foundation.tasks import Tasks
from attache.workspace.documents import Document
from attache.workspace.paths import to_uri

Json = dict[str, Any]
ANSWER_SECONDS = 60.0
ABILITIES: Json = {
    "general": {"positionEncodings": ["utf-32"]},
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True},
        "workspaceFolders": True,
        "executeCommand": {},
    },
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor", "source"]}},
            "dataSupport": True,
            "isPreferredSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
        "publishDiagnostics": {"versionSupport": True, "relatedInformation": True},
        "synchronization": {"didSave": True},
    },
    "window": {"workDoneProgress": True, "showMessage": {}},
    "experimental": {"attache": {"session": {"requestPermission": True}}},
}


@dataclass(slots=True)
class Opened:
    """A file as the editor holds it."""

    document: Document
    undo: list[str] = field(default_factory=list[str])
    diagnostics: list[Json] = field(default_factory=list[Json])


class Editor:
    """One server, some open files. Positions are (line, column) from 0, columns in code points."""

    def __init__(self, folder: Path) -> None:
        """Work in `folder`."""
        self.folder = folder
        self.files: dict[str, Opened] = {}
        self.on_update: Callable[[Json], None] = lambda _update: None
        self.on_permission: Callable[[Json], str] = lambda _request: ""
        self.changed = asyncio.Event()
        self._tasks = Tasks(_complain)

    async def start(self, *command: str) -> Json:
        """Start the server, say hello, and return its capabilities."""
        argv = command or (sys.executable, "-P", "-m", "attache", "lsp")
        self._process = await asyncio.create_subprocess_exec(
            *argv, cwd=self.folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the server was started without pipes")
        self._server = Connection(
            self._process.stdout,
            self._process.stdin,
            on_error=_complain,
            on_request=self._serve,
            on_notification=self._hear,
        )
        self._tasks.spawn(self._server.run(), "server")
        uri = to_uri(self.folder)
        hello = {
            "processId": None,
            "clientInfo": {"name": "attache-demo"},
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": self.folder.name}],
            "capabilities": ABILITIES,
        }
        answer: Json = await self.ask("initialize", hello)
        await self._server.notify("initialized", {})
        return answer["capabilities"]

    async def stop(self) -> None:
        """Say goodbye and wait until the server has gone."""
        with suppress(ConnectionError, TimeoutError):
            await self.ask("shutdown", None)
            await self._server.notify("exit")
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            self._process.kill()
        await self._server.close()
        await self._tasks.close()

    async def ask(self, method: str, params: Any) -> Any:
        """Send a request and return its result."""
        return await self._server.request(method, params, ANSWER_SECONDS)

    # ------------------------------------------------------------ files

    async def open(self, path: str, language: str = "python") -> Opened:
        """Open a file."""
        uri = to_uri(self.folder / path)
        text = (self.folder / path).read_text("utf-8")
        opened = self.files[uri] = Opened(Document(uri, text, version=1, language=language))
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        await self._server.notify("textDocument/didOpen", {"textDocument": item})
        return opened

    def file(self, path: str) -> Opened:
        """Return an open file."""
        return self.files[to_uri(self.folder / path)]

    async def type(self, path: str, line: int, text: str) -> None:
        """Insert text before a line, as typing does; nothing is saved."""
        at = {"line": line, "character": 0}
        await self._change(to_uri(self.folder / path), [{"range": {"start": at, "end": at}, "newText": text}])

    async def undo(self, path: str) -> bool:
        """Take the last change of a file back; False where there is none."""
        uri = to_uri(self.folder / path)
        opened = self.files[uri]
        if not opened.undo:
            return False
        before = opened.undo.pop()
        whole = {
            "start": {"line": 0, "character": 0},
            "end": {"line": opened.document.line_count, "character": 0},
        }
        await self._change(uri, [{"range": whole, "newText": before}], remember=False)
        return True

    async def save(self, path: str) -> None:
        """Write an open file to disk."""
        uri = to_uri(self.folder / path)
        (self.folder / path).write_text(self.files[uri].document.text, "utf-8")
        await self._server.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    async def _change(self, uri: str, edits: list[Json], *, remember: bool = True) -> None:
        opened = self.files[uri]
        document = opened.document
        if remember:
            opened.undo.append(document.text)
        changes: list[Json] = []
        for edit in sorted(edits, key=lambda each: _start(each["range"]), reverse=True):
            document.replace(_start(edit["range"]), _end(edit["range"]), edit["newText"])
            changes.append({"range": edit["range"], "text": edit["newText"]})
        document.version += 1
        identity = {"uri": uri, "version": document.version}
        await self._server.notify("textDocument/didChange", {"textDocument": identity, "contentChanges": changes})

    # ------------------------------------------------------------ what the server wants

    async def _serve(self, method: str, params: Any) -> Any:
        match method:
            case "workspace/applyEdit":
                return await self.apply(params["edit"])
            case "attache/session/request_permission":
                chosen = await asyncio.to_thread(self.on_permission, params)
                return {"outcome": {"outcome": "selected", "optionId": chosen}}
            case _:
                return None

    async def apply(self, edit: Json) -> Json:
        """Make the edits of a WorkspaceEdit, each file one step of undo; refuse a version that has moved on."""
        for change in edit.get("documentChanges", ()):
            identity = change["textDocument"]
            opened = self.files.get(identity["uri"])
            if opened is None or identity["version"] not in {None, opened.document.version}:
                return {"applied": False, "failureReason": f"{identity['uri']} has moved on"}
            await self._change(identity["uri"], change["edits"])
        return {"applied": True}

    def _hear(self, method: str, params: Any) -> None:
        match method:
            case "textDocument/publishDiagnostics":
                if opened := self.files.get(params["uri"]):
                    opened.diagnostics = params["diagnostics"]
                self.changed.set()
            case "attache/session/update":
                self.on_update(params)
            case _:
                pass

    async def settled(self, holds: Callable[[], bool], seconds: float = 20.0) -> bool:
        """Wait until `holds`, looking again at whatever the server publishes; False when it never does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not holds():
                    self.changed.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.changed.wait(), 0.2)
                return True
        return holds()


def _start(span: Json) -> tuple[int, int]:
    return span["start"]["line"], span["start"]["character"]


def _end(span: Json) -> tuple[int, int]:
    return span["end"]["line"], span["end"]["character"]


def _complain(where: str, error: BaseException) -> None:
    sys.stderr.write(f"attache demo: {where}: {error}\n")
