"""Let the index see what the user types: each buffer as it stands after a short pause, the disk's text once closed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from attache.schema.data import Uri
from attache.schema.errors import ToolError
from attache.workspace.documents import BufferChange
from attache.workspace.paths import to_path

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server
    from attache.index.folders import Indexes

PAUSE_SECONDS: Final = 0.3


class IndexReader:
    """Follows the buffers, and hands the index what they hold."""

    def __init__(self, server: Server, index: Indexes) -> None:
        self._server = server
        self._index = index
        self._waiting: dict[Uri, asyncio.TimerHandle] = {}

    def start(self) -> None:
        """Hand over what is open, and follow from there."""
        for document in self._server.buffers:
            self._read(document.uri)
        self._server.buffers.subscribe(self._heard)

    def _heard(self, change: BufferChange) -> None:
        if change.kind == "save":
            return  # the buffer's text is what the index has already
        waiting = self._waiting.pop(change.uri, None)
        if waiting is not None:
            waiting.cancel()
        self._waiting[change.uri] = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._read, change.uri)

    def _read(self, uri: Uri) -> None:
        self._waiting.pop(uri, None)
        document = self._server.buffers.get(uri)
        with suppress(ToolError):
            self._index.update(to_path(uri), document.text if document else None)
