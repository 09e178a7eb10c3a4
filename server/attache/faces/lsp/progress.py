"""Work that goes on in the background, as the editor shows it: what, how far, and a way to stop it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from attache.faces.lsp.features import feature
from attache.faces.lsp.wire.rpc import Refused
from attache.faces.lsp.wire.shapes import ProgressCancelParams

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

_CREATE_SECONDS: Final = 10.0
_numbers = itertools.count(1)


class Work:
    """One piece of work. It can be shown late or not at all: nobody waits for the editor to show it."""

    def __init__(self, server: Server, title: str) -> None:
        self.title = title
        self.token = f"attache-work-{next(_numbers)}"
        self._server = server
        self._task = asyncio.current_task()
        self._message = ""
        self._shown = self._over = False

    def stop(self) -> None:
        """Cancel the work at its next step."""
        if self._task is not None:
            self._task.cancel()

    def say(self, message: str) -> None:
        """Show what is being done now."""
        self._message = message
        if self._shown:
            self._tell({"kind": "report", "message": message, "cancellable": True}, paint=True)

    async def show(self) -> None:
        """Ask the editor to show the work, and show it."""
        try:
            await self._server.peer.ask(
                "window/workDoneProgress/create", {"token": self.token}, timeout_seconds=_CREATE_SECONDS
            )
        except (Refused, TimeoutError):
            return
        if not self._over:
            self._shown = True
            self._tell({"kind": "begin", "title": self.title, "message": self._message, "cancellable": True})

    def end(self) -> None:
        """Show it no longer."""
        self._over = True
        if self._shown:
            self._tell({"kind": "end"})

    def _tell(self, value: dict[str, Any], *, paint: bool = False) -> None:
        self._server.peer.notify("$/progress", {"token": self.token, "value": value}, paint=paint)


@contextmanager
def shown(server: Server, title: str) -> Generator[Work]:
    """Show what the current task does under `title`, for as long as it lasts."""
    work = Work(server, title)
    server.works[work.token] = work
    if server.client.shows_progress:
        server.peer.begin(work.show(), f"progress of {title}")
    try:
        yield work
    finally:
        del server.works[work.token]
        work.end()


@feature("window/workDoneProgress/cancel", ProgressCancelParams)
def cancelled(server: Server, params: ProgressCancelParams) -> None:
    """Stop the work whose progress the user cancelled."""
    work = server.works.get(params.token)
    if work is not None:
        work.stop()
