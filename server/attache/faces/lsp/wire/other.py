"""The language server that stands beside us: one process of it, and what its successor has to be told.

Standard library only at the start: `initialize` is answered from here before anything else is imported.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from attache.faces.lsp.wire.merging import Json
from attache.faces.lsp.wire.positions import Encoding, to_column
from attache.faces.lsp.wire.transport import Transport
from attache.workspace.servers.table import TABLE

if TYPE_CHECKING:
    from attache.workspace.documents import Document, Position

PAUSES_SECONDS: Final = (0.5, 5.0, 30.0, 120.0)
"""How long to wait before each new start; the last one for all that follow."""
MOST_STARTS: Final = 6
"""One that has ended so often in a row is left alone."""
HEALTHY_SECONDS: Final = 60.0
"""One that lived so long starts the pauses anew."""
END_SECONDS: Final = 1.0
FATE_SECONDS: Final = 0.5
OF_NO_RESULT: Final = frozenset({
    "client/registerCapability", "client/unregisterCapability", "window/workDoneProgress/create",
    "workspace/diagnostic/refresh", "workspace/semanticTokens/refresh", "workspace/inlayHint/refresh",
    "workspace/codeLens/refresh", "workspace/foldingRange/refresh",
})  # fmt: skip
"""Requests whose failure tells nothing that a server could act on. pyright dies of it, as where eglot fails to watch
the files of a folder that git does not know."""
_PIECE_BYTES: Final = 65536


class Other(Transport):
    """One process of the other server: what it says is handed on at once, by the thread that read it."""

    def __init__(self, command: Sequence[str], hear: Callable[[Other, Any], None]) -> None:
        """Run `command`. Raises OSError where it cannot be."""
        own: dict[str, Any] = {"start_new_session": True} if sys.platform != "win32" else {}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **own)
        self._hear = hear
        super().__init__(self._read_it, self._write_it)

    def end(self) -> None:
        """Let what was queued be written, and end the process with all that it started."""
        self.finish(END_SECONDS)
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

    def fate(self) -> str:
        """Return how it ended, as far as that is known by now."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(FATE_SECONDS)
            return f"exit code {code}" if code >= 0 else f"ended by signal {-code}"
        return "it closed its end"

    def _read_it(self) -> bytes:
        return os.read(cast("Any", self._process.stdout).fileno(), _PIECE_BYTES)

    def _write_it(self, data: bytes) -> None:
        stream = cast("Any", self._process.stdin)
        stream.write(data)
        stream.flush()

    def _deliver(self, message: Any, *, within_limit: bool = True) -> None:
        del within_limit
        self._hear(self, message)


class Told:
    """What the other server was told that still holds, so that one started anew can be told the same.

    The documents are followed by the thread that reads the client: a start anew falls between two of its messages.
    """

    def __init__(self, name: str) -> None:
        """Begin for the server of that name, which says what documents it knows; an unknown one gets all."""
        known = next((row for row in TABLE if row.command[0] == name), None)
        self._suffixes = tuple(known.languages) if known else ()
        self.hello: Json = {}
        """The client's `initialize`."""
        self.settled = False
        """Whether the client has said `initialized`."""
        self._documents: dict[str, Document] = {}
        self._settings: Json | None = None
        self._folders: list[Json] = []

    def concerns(self, params: Any) -> bool:
        """Return whether the other server is meant: by all that names no document, and by documents it knows."""
        document: Any = cast("Json", params).get("textDocument") if isinstance(params, dict) else None
        uri: Any = cast("Json", document).get("uri") if isinstance(document, dict) else None
        if not isinstance(uri, str):
            return True
        name = uri.lower()
        return not name.endswith(".chat.md") and (not self._suffixes or name.endswith(self._suffixes))

    def note(self, method: str, message: Json, encoding: Encoding) -> None:
        """Note a notification that is for the other server. Raises what reading a misshapen one raises."""
        params = cast("Json", message.get("params") or {})
        match method:
            case "initialized":
                self.settled = True
            case "textDocument/didOpen":
                from attache.workspace.documents import Document

                item = params["textDocument"]
                self._documents[item["uri"]] = Document(
                    item["uri"], item["text"], version=item.get("version", 0), language=item.get("languageId", "")
                )
            case "textDocument/didChange":
                identity = params["textDocument"]
                if document := self._documents.get(identity["uri"]):
                    version = identity.get("version")
                    document.version = document.version + 1 if version is None else version
                    for change in params["contentChanges"]:
                        _change(document, change, encoding)
            case "textDocument/didClose":
                self._documents.pop(params["textDocument"]["uri"], None)
            case "workspace/didChangeConfiguration":
                self._settings = message
            case "workspace/didChangeWorkspaceFolders":
                self._folders.append(message)
            case _:
                pass

    def again(self) -> Iterator[Json]:
        """Yield the notifications that bring a new process to where the old one was."""
        if not self.settled:
            return
        yield {"jsonrpc": "2.0", "method": "initialized", "params": {}}
        yield from ([self._settings] if self._settings else [])
        yield from self._folders
        for uri, document in self._documents.items():
            item = {"uri": uri, "languageId": document.language, "version": document.version, "text": document.text}
            yield {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": item}}


def reason_against(before: Json, now: Json) -> str:
    """Return why a server with other capabilities than `before` cannot take the place of that one; empty if it can."""
    if now.get("positionEncoding", "utf-16") != before.get("positionEncoding", "utf-16"):
        return "it counts columns otherwise than before"
    if _sync(now) == 1 and _sync(before) != 1:
        return "it wants whole texts now"
    return ""


def _sync(capabilities: Json) -> Any:
    sync = capabilities.get("textDocumentSync")
    return cast("Json", sync).get("change") if isinstance(sync, dict) else sync


def _change(document: Document, change: Json, encoding: Encoding) -> None:
    from attache.workspace.documents import END

    span = change.get("range")
    if span is None:
        document.replace((0, 0), END, change["text"])
    else:
        start, end = (_place(document, span[edge], encoding) for edge in ("start", "end"))
        document.replace(start, end, change["text"])


def _place(document: Document, position: Json, encoding: Encoding) -> Position:
    line = int(position["line"])
    return line, to_column(document.line(line), int(position["character"]), encoding)
