"""The index of one folder, as the server asks it: reading here, in a thread; all computing in another process.

That process may die at any time: it is started again, ever later, and questions are answered from what it has stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePath
from typing import Any, TypeVar

import msgspec

from attache.foundation.files import private_dir
from attache.foundation.jsonrpc import Disconnected, RpcError
from attache.index import references, scan, search, symbols
from attache.index.parse import split
from attache.index.parsed import Found
from attache.index.reader import Cover, Reader
from attache.index.store import Content, database_of, fingerprint
from attache.index.worker import Worker
from attache.schema.code import Hit, IndexStatus, Reference, SearchKind, Symbol
from attache.schema.errors import PathRefused
from attache.workspace.paths import Root

FAILURES_BORNE = 3
"""After so many starts in a row that failed, the index is called failed; it is still tried."""
READ_SECONDS = 5.0
FIND_SECONDS = 10.0
FIRST_SECONDS = 1.0
"""How long the very first question about a name waits for the process to be there."""
FILES_READ = 400
"""A name that may stand in more files is answered from what is stored: calls, imports and types, not every use."""

_UNHEARD = (Disconnected, RpcError, TimeoutError)
_Placed = TypeVar("_Placed", Hit, Symbol)
_T = TypeVar("_T")


class Index:
    """Symbols, references and search over one folder and the buffers open on it."""

    def __init__(self, root: Path, *, home: Path, max_file_bytes: int = 1_000_000) -> None:
        self._folder = root.resolve()
        self._database = database_of(self._folder, home)
        self._max_file_bytes = max_file_bytes
        self._root: Root | None = None
        self._reader: Reader | None = None
        self._thread = ThreadPoolExecutor(1, "attache-index")
        self._buffers: dict[str, str] = {}
        self._changed: set[str] = set()
        self._covering = asyncio.Lock()
        self._status = IndexStatus(state="off")
        self._begun = False
        self._settled = asyncio.Event()
        arguments = (str(self._folder), str(home), str(max_file_bytes))
        self._worker = Worker(arguments, self._database.parent, hear=self._hear, ended=self._ended)

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Start the process that keeps the index, without waiting for it; what hinders it stands in `status`.

        Whoever asks first starts it too: who needs no index pays for none.
        """
        if self._begun:
            return
        self._begun = True
        try:
            self._root = Root(self._folder)
            private_dir(self._database.parent)
        except (PathRefused, OSError) as error:
            self._tell(IndexStatus(state="failed", error=str(error)))
            return
        self._reader = Reader(self._root, self._database, max_file_bytes=self._max_file_bytes)
        self._tell(IndexStatus(state="starting"))
        self._worker.start()

    async def close(self) -> None:
        """End the process; what it has stored stays."""
        await self._worker.close()
        if self._reader:
            await self._read(self._reader.close)
        self._thread.shutdown()
        if self._root:
            self._root.close()
        self._reader = self._root = None
        self._tell(IndexStatus(state="off"))

    def status(self) -> IndexStatus:
        """Return how far the index is."""
        return self._status

    async def ready(self, timeout_seconds: float | None = None) -> bool:
        """Wait until all files have been looked at; return whether they have."""
        await self.start()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), timeout_seconds)
        return self._status.state == "ready"

    # ------------------------------------------------------------ changes

    def update(self, path: str, text: str | None) -> None:
        """Take a buffer's text for the file's, from the next question on; None goes back to the disk."""
        if PurePath(path).is_absolute():
            return  # outside of the folder
        if text is None:
            self._buffers.pop(path, None)
        else:
            self._buffers[path] = text
        self._changed.add(path)

    async def refresh(self, paths: Collection[str] | None = None) -> None:
        """Look at files again that changed on disk, or at all, and return when the index knows them."""
        await self.start()
        with suppress(*_UNHEARD):
            await self._worker.request("refresh", {"paths": None if paths is None else list(paths)}, None)

    def look_at(self, files: Iterable[Path]) -> None:
        """Look again at files, named in full, that changed on disk; returns at once. Others than ours are left out."""
        paths: list[str] = []
        for file in files:
            with suppress(PathRefused):
                paths += [self._root.relative(file)] if self._root else []
        if paths:
            self._worker.send("refresh", {"paths": paths})

    # ------------------------------------------------------------ questions

    async def search(self, query: str, *, k: int = 10, kind: SearchKind = "hybrid") -> tuple[Hit, ...]:
        """Return the places that answer a question, the best first."""
        await self.start()
        return await self._fresh(lambda reader: search.search(reader, query, k, kind))

    async def pieces(self, most: int) -> tuple[Hit, ...]:
        """Return pieces of code with their text, for who compares them itself: at most so many."""
        await self.start()
        return await self._fresh(lambda reader: search.pieces(reader, most))

    async def symbols(self, name: str = "", *, path: str = "", k: int = 50) -> tuple[Symbol, ...]:
        """Return definitions: of that name, then beginning so, then holding its parts; without one, all of `path`."""
        await self.start()
        if name and self._status.state in {"starting", "building"} and await self._worker.connected(FIRST_SECONDS):
            with suppress(*_UNHEARD):
                await self._worker.request("hurry", {"word": name.rpartition(".")[2]}, READ_SECONDS)
        return await self._fresh(lambda reader: symbols.symbols(reader, name, path, k))

    async def outline(self, path: str) -> tuple[Symbol, ...]:
        """Return the definitions of one file in the order of its text."""
        await self.start()
        return await self._fresh(lambda reader: symbols.outline(reader, path))

    async def references(self, name: str, *, path: str = "") -> tuple[Reference, ...]:
        """Return where a name is defined and used, below `path` if it is given, definitions first."""
        await self.start()
        if not self._reader:
            return ()
        reader = self._reader
        await self._cover_buffers(reader)
        paths = await self._read(references.candidates, reader, name, path)
        found = await self._everywhere(reader, name, paths) if len(paths) <= FILES_READ else None
        if found is None:
            found = await self._read(references.stored, reader, name, path)
        return tuple(await self._read(references.told, reader, name, found))

    async def references_at(self, path: str, line: int, column: int) -> tuple[Reference, ...]:
        """Return where the name at a place is defined and used; lines and columns (of code points) count from 1."""
        name = await self.name_at(path, line, column)
        return await self.references(name) if name else ()

    async def name_at(self, path: str, line: int, column: int) -> str:
        """Return the name at a place; empty where there is none."""
        await self.start()
        if not self._reader:
            return ""
        await self._cover_buffers(self._reader)
        return await self._read(references.name_at, self._reader, path, line, column)

    async def _everywhere(self, reader: Reader, name: str, paths: Sequence[str]) -> dict[str, list[Found]] | None:
        texts = await self._read(reader.covering_texts, paths)
        try:
            found = await self._worker.request("everywhere", {"name": name, "texts": texts}, FIND_SECONDS)
        except _UNHEARD:
            return None
        return msgspec.convert(found, dict[str, list[Found]])

    async def _fresh(self, ask: Callable[[Reader], Sequence[_Placed]]) -> tuple[_Placed, ...]:
        """Ask, and ask again where the answer lies in files that have changed since they were stored."""
        if not self._reader:
            return ()
        reader = self._reader
        await self._cover_buffers(reader)
        answer = await self._read(ask, reader)
        if stale := await self._read(reader.stale, {one.path for one in answer}):
            for path in stale:
                await self._cover(reader, path, await self._read(reader.read, path), buffer=False)
            self._worker.send("refresh", {"paths": stale})
            answer = await self._read(ask, reader)
        return tuple(answer)

    # ------------------------------------------------------------ covers

    async def _cover_buffers(self, reader: Reader) -> None:
        """Read the buffers that changed since the last question."""
        async with self._covering:
            await self._read(reader.uncover_stored)
            while self._changed:
                path = self._changed.pop()
                if (text := self._buffers.get(path)) is None:
                    await self._read(reader.uncover, path)
                else:
                    await self._cover(reader, path, text.encode("utf-8", "replace"), buffer=True)

    async def _cover(self, reader: Reader, path: str, data: bytes | None, *, buffer: bool) -> None:
        """Put a text over what is stored of a file; None where the file is gone."""
        content = scan.NOTHING if data is None else await self._content(path, data)
        hash_ = b"" if data is None else fingerprint(data)
        await self._read(reader.cover, path, Cover(split(data or b""), hash_, content, buffer))

    async def _content(self, path: str, data: bytes) -> Content:
        """Return what a text holds: read in the other process, or here while there is none."""
        if len(data) > self._max_file_bytes:
            return scan.NOTHING
        try:
            params = {"path": path, "text": data.decode("utf-8", "replace")}
            return msgspec.convert(await self._worker.request("read", params, READ_SECONDS), Content)
        except _UNHEARD:
            return await self._read(scan.read, path, data)

    async def _read(self, call: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *arguments))

    # ------------------------------------------------------------ status

    def _hear(self, method: str, params: Any) -> None:
        if method == "status":
            self._tell(IndexStatus.model_validate(params))

    def _ended(self, reason: str, failures: int) -> None:
        state = "failed" if failures > FAILURES_BORNE else "starting"
        self._tell(self._status.model_copy(update={"state": state, "error": reason}))

    def _tell(self, status: IndexStatus) -> None:
        self._status = status
        if status.state in {"ready", "failed", "off"}:
            self._settled.set()
        else:
            self._settled.clear()
