"""Background tasks under one roof: none is lost, none fails unheard, and all have ended when `close` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

OnError = Callable[[str, BaseException], None]
"""Told the task's name and what it raised."""


class Tasks:
    """Tasks that run beside the one that started them; errors go to `on_error`, never out."""

    def __init__(self, on_error: OnError) -> None:
        self._on_error = on_error
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> asyncio.Task[None]:
        """Start `work` and return its task, which ends with None or by being cancelled."""
        if self._closed:
            work.close()
            raise RuntimeError(f"{name}: started after close")
        task = asyncio.create_task(self._supervise(work, name), name=name)
        self._running.add(task)  # the loop itself holds its tasks only weakly
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: work.close())  # a task that is cancelled before its first step never awaits it
        return task

    async def close(self, timeout_seconds: float = 5) -> None:
        """Cancel what still runs and wait for it; what will not stop in time is reported and left."""
        self._closed = True
        rest = self._running - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        if not rest:
            return
        _, stuck = await asyncio.wait(rest, timeout=timeout_seconds)
        for task in stuck:
            self._on_error(task.get_name(), TimeoutError(f"did not stop within {timeout_seconds} s"))

    async def _supervise(self, work: Coroutine[Any, Any, object], name: str) -> None:
        try:
            await work
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of background work; a library's exit ends the task, not us
            self._on_error(name, error)

    def __len__(self) -> int:
        return len(self._running)
