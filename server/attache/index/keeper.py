"""Keep the database of one folder up to date, a few files at a time, so that questions are answered in between.

Of the processes on one folder the one that holds its lock writes; the others look on, and wait for the lock.
"""

from __future__ import annotations

import asyncio
import faulthandler
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Literal

from attache.index.scan import Scan
from attache.index.store import Store, connect
from attache.index.words import forget
from attache.schema.code import IndexStatus
from attache.workspace.lock import locked
from attache.workspace.paths import Root

SLICE_SECONDS = 0.02
BREATH_SECONDS = 0.001
COMMIT_SECONDS = 0.5
LOCK_SECONDS = 0.05
WAIT_SECONDS = 1.0
"""How often one that looks on tries the lock and sees what the other has done; how long to wait after a fault."""
STUCK_SECONDS = 60.0
"""A process that reads one file for so long ends; if the next one does too, the file is left out from then on."""

Tell = Callable[[IndexStatus], None]


class Keeper:
    """The one that writes, or waits to."""

    def __init__(self, root: Root, database: Path, *, max_file_bytes: int, tell: Tell) -> None:
        self._root = root
        self._database = database
        self._max_file_bytes = max_file_bytes
        self._tell = tell
        self._store: Store | None = None
        self._scan: Scan | None = None
        self._wanted: set[str] | None = set()
        """Paths to be looked at again; None for all."""
        self._waiting: list[asyncio.Future[None]] = []
        self._called = asyncio.Event()

    async def run(self) -> None:
        """Wait for the lock, then write until cancelled."""
        async with AsyncExitStack() as held:
            while not await self._locked(held):
                self._look_on()
                await asyncio.sleep(WAIT_SECONDS)
            while True:
                try:
                    with closing(Store(self._database)) as store, closing(self._scanning(store)) as scan:
                        await self._write(store, scan)
                except sqlite3.OperationalError as error:  # a full disk, a lock that another program holds
                    self._tell(IndexStatus(state="failed", error=f"{self._database}: {error}"))
                    await asyncio.sleep(WAIT_SECONDS)
                except sqlite3.DatabaseError:  # damaged: all that was in it can be read again
                    for suffix in ("", "-wal", "-shm"):
                        self._database.with_name(self._database.name + suffix).unlink(missing_ok=True)
                finally:
                    self._store = self._scan = None
                    self._release(self._waiting)

    async def refresh(self, paths: Collection[str] | None) -> None:
        """Look at some files again, or at all, and return when it is committed; at once in one that looks on."""
        if self._scan is None:
            return
        self._wanted = None if paths is None or self._wanted is None else self._wanted | set(paths)
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._called.set()
        await done

    def hurry(self, word: str) -> None:
        """Read the files that hold `word` before the others that are still to be read."""
        if self._scan and self._store and self._scan.pending:
            self._scan.hurry(word)
            self._store.commit()

    async def _locked(self, held: AsyncExitStack) -> bool:
        try:
            await held.enter_async_context(locked(self._database.with_name("index.lock"), LOCK_SECONDS))
        except TimeoutError:
            return False
        return True

    def _look_on(self) -> None:
        try:
            with closing(connect(self._database)) as connection:
                row = connection.execute("SELECT value FROM state WHERE key = 'status'").fetchone()
                self._tell(IndexStatus.model_validate_json(row[0]) if row else IndexStatus(state="starting"))
        except sqlite3.Error:
            self._tell(IndexStatus(state="starting"))

    def _scanning(self, store: Store) -> Scan:
        current = self._database.with_name("current")
        return Scan(self._root, store, max_file_bytes=self._max_file_bytes, current=current)

    async def _write(self, store: Store, scan: Scan) -> None:
        self._store, self._scan, self._wanted = store, scan, None
        while True:
            wanted, self._wanted = self._wanted, set()
            waiting = tuple(self._waiting)
            self._called.clear()
            await self._drive(store, scan, scan.refresh(wanted))
            if store.mostly_dead:
                await self._drive(store, scan, scan.rebuild(), commit=False)
            self._report(store, scan, "ready")
            forget()
            self._release(waiting)
            await self._called.wait()

    def _release(self, waiting: Sequence[asyncio.Future[None]]) -> None:
        for done in waiting:
            if not done.done():
                done.set_result(None)
        self._waiting = [done for done in self._waiting if not done.done()]

    async def _drive(self, store: Store, scan: Scan, steps: Iterator[None], *, commit: bool = True) -> None:
        """Go through the steps, breathing between slices; a step that never ends ends the process."""
        faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
        slice_end = time.monotonic() + SLICE_SECONDS
        commit_at = time.monotonic() + COMMIT_SECONDS
        try:
            for _ in steps:
                if time.monotonic() < slice_end:
                    continue
                if commit and time.monotonic() > commit_at:
                    self._report(store, scan, "building")
                    commit_at = time.monotonic() + COMMIT_SECONDS
                await asyncio.sleep(BREATH_SECONDS)
                faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
                slice_end = time.monotonic() + SLICE_SECONDS
        finally:
            faulthandler.cancel_dump_traceback_later()

    def _report(self, store: Store, scan: Scan, state: Literal["building", "ready"]) -> None:
        """Commit, and say how far it is."""
        status = store.census(state, pending=scan.pending, skipped=scan.unlisted)
        store.save("status", status.model_dump_json())
        store.commit()
        self._tell(status)
