"""The database: one writer that commits in groups, and answers only when the commit is on disk."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attache.schema.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from attache.storage.connections import Connections

T = TypeVar("T")
GROUP_LIMIT = 256
"""Writes that share a commit at most, so that the first of them never waits long."""


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    """A write that waits for its commit."""

    work: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


Outcome = tuple[_Write, Any, BaseException | None]


class Database:
    """SQLite at a path, shared with other processes; any number of readers, one writer in this one."""

    def __init__(self, connections: Connections) -> None:
        """Take connections to a database whose schema is at HEAD; see `open`."""
        self._connections = connections
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._open = True
        self._writer = threading.Thread(target=self._commit_groups, name="attache database", daemon=True)
        self._writer.start()

    @classmethod
    async def open(cls, path: Path | None) -> Self:
        """Open the database, migrating it where it is older. None: in memory, gone when closed.

        Raises:
            StorageError: the file is no database, is damaged, comes from a newer version, or cannot be opened.
        """
        return cls(await asyncio.to_thread(_connect, path))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction and return its result once the commit is on disk.

        Others' writes may share the commit. An error in `work` undoes only what it did itself and is raised here; the
        others are then run again, so `work` must not act on anything but its connection. A caller that is cancelled
        does not know whether the write was made.

        Raises:
            StorageError: the database cannot be written.
        """
        if not self._open:
            raise StorageError(f"{self._connections.name}: closed already", hint="this is a fault of the program")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Write(work, loop, done))
        return await done

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads, beside all writes, and return its result.

        Raises:
            StorageError: the database cannot be read.
        """
        if self._connections.single:
            return await self.write(work)  # the one connection is the writer's
        return await asyncio.to_thread(self._read, work)

    async def close(self) -> None:
        """Finish what is queued, then close. Closing twice does no harm."""
        if self._open:
            self._open = False
            self._queue.put(None)
            await asyncio.to_thread(self._writer.join)
            self._connections.close()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._connections.reading() as connection:
            return work(connection)

    # ------------------------------------------------------------ the writer's thread

    def _commit_groups(self) -> None:
        while first := self._queue.get():
            group, last = self._with_those_waiting(first)
            _tell(self._commit([write for write in group if not write.done.cancelled()]))
            if last:
                return

    def _with_those_waiting(self, first: _Write) -> tuple[list[_Write], bool]:
        """Return the next group, and whether it is the last one."""
        group = [first]
        while len(group) < GROUP_LIMIT:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return group, True
            group.append(following)
        return group, False

    def _commit(self, group: list[_Write]) -> list[Outcome]:
        """Commit all writes at once; where one of them fails, each by itself."""
        at_work: _Write | None = None
        outcomes: list[Outcome] = []
        try:
            with self._connections.writing() as connection:
                for at_work in group:
                    outcomes.append((at_work, at_work.work(connection), None))  # noqa: PERF401 - it names who failed
                at_work = None
        except BaseException as error:  # noqa: BLE001 - the edge of the writer's thread: whoever waits hears of it
            if at_work is None or len(group) == 1:
                return [(write, None, error) for write in group]
            return [outcome for write in group for outcome in self._commit([write])]
        return outcomes


def _connect(path: Path | None) -> Connections:
    from attache.storage.connections import connect

    return connect(path)


def _tell(outcomes: list[Outcome]) -> None:
    """Wake those who wait, each loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_loop[outcome[0].loop].append(outcome)
    for loop, theirs in by_loop.items():
        with suppress(RuntimeError):  # a loop that was closed meanwhile has nobody waiting
            loop.call_soon_threadsafe(_settle, theirs)


def _settle(outcomes: list[Outcome]) -> None:
    for write, result, error in outcomes:
        if write.done.done():
            continue
        if error is None:
            write.done.set_result(result)
        else:
            write.done.set_exception(error)
