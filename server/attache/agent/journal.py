"""Events on their way into a session's log: what happens together shares a commit, in the order it came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from attache.schema.events import Event

Write = Callable[[Sequence[Event]], Awaitable[None]]
"""Append events and let them count; returns once they cannot be lost any more."""


class Journal:
    """The events of one session that are not in its log yet.

    One batch is written at a time; what comes meanwhile is the next one. Where a batch fails, so do those behind it,
    since they stand on it, until somebody who waits has heard of it.
    """

    def __init__(self, write: Write) -> None:
        """Hand batches to `write`, never two at once."""
        self._write = write
        self._open: tuple[list[Event], asyncio.Task[None]] | None = None
        self._last: asyncio.Task[None] | None = None

    def note(self, event: Event) -> asyncio.Task[None]:
        """Append an event soon, without waiting, together with what follows in the same breath.

        For what nothing acts on before something that follows is recorded.
        """
        if self._open is None:
            batch: list[Event] = []
            self._last = asyncio.create_task(self._commit(batch, self._last), name="journal")
            self._open = batch, self._last
        events, writing = self._open
        events.append(event)
        return writing

    async def record(self, event: Event) -> None:
        """Append an event; return once it, and all before it, cannot be lost any more. Raises what `write` does."""
        await self._heard(self.note(event))

    async def settled(self) -> None:
        """Return once all that was noted cannot be lost any more. Raises what `write` does."""
        if self._last is not None:
            await self._heard(self._last)

    async def _heard(self, batch: asyncio.Task[None]) -> None:
        try:
            await asyncio.shield(batch)
        except BaseException:
            # Stopped: what is in the log must be in the state, and be told. Failed: it is told now, and what stood on
            # it is over with it, so that the next event is tried anew.
            while (last := self._last) is not None and not (last.done() and _stands(last)):
                await asyncio.wait({last})
                if self._last is last and not _stands(last):
                    self._last = None
            raise

    async def _commit(self, batch: list[Event], before: asyncio.Task[None] | None) -> None:
        """Write what was noted till now, or rather till the batch before is through."""
        if before is not None and not before.done():
            await asyncio.wait({before})
        self._open = None
        if before is not None:
            before.result()
        await self._write(batch)


def _stands(batch: asyncio.Task[None]) -> bool:
    return not batch.cancelled() and batch.exception() is None
