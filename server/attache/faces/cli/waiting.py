"""One line at the terminal that says what takes long, how far it is and since when; the next event takes it away."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable

from attache.faces.cli.render import visible
from attache.schema.code import IndexStatus
from attache.schema.events import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Entry,
    RunFinished,
    ToolFinished,
    ToolStarted,
)

AFTER_SECONDS = 1.0
EVERY_SECONDS = 0.5
ASKING = frozenset({"ask_user"})
"""Tools that wait for the person who reads the line."""


class Line:
    """A line of stderr that is painted over."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._said = False

    def say(self, text: str) -> None:
        """Paint the line anew; nothing to say takes it away."""
        if not text:
            self.erase()
            return
        sys.stderr.write(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()
        self._said = True

    def erase(self) -> None:
        """Take the line away, if it stands there."""
        if self._said:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._said = False


class Waiting:
    """What is under way, from the events of a run."""

    def __init__(self, status: Callable[[], IndexStatus], line: Line) -> None:
        """Ask `status` how far the index is; take `line` away at each event."""
        self._status = status
        self._line = line
        self._calls: dict[str, tuple[str, float]] = {}
        self._is_asking = False

    def __call__(self, entry: Entry) -> None:
        """Take in one event."""
        self._line.erase()
        match entry.event:
            case ToolStarted(call_id=call, name=name, title=title) if name not in ASKING:
                self._calls[call] = (f"{name} {title}".strip(), time.monotonic())
            case ToolFinished(call_id=call):
                self._calls.pop(call, None)
            case ApprovalAsked():
                self._is_asking = True
            case ApprovalAnswered() | ApprovalWithdrawn():
                self._is_asking = False
            case RunFinished():
                self._calls.clear()
            case _:
                pass

    def text(self) -> str:
        """Return what to say now, empty while nothing takes long."""
        if self._is_asking or not self._calls:
            return ""
        what, since = next(iter(self._calls.values()))
        seconds = time.monotonic() - since
        parts = (visible(what), progress(self._status()), f"{seconds:.0f} s")
        return "… " + " · ".join(part for part in parts if part) if seconds >= AFTER_SECONDS else ""


def progress(status: IndexStatus) -> str:
    """Return how far an index is, empty where it is whole."""
    if status.state not in {"starting", "building"} and not status.pending:
        return ""
    whole = f" of {status.files + status.pending:,}" if status.pending else ""
    return f"reading the code: {status.files:,}{whole} files"


@contextlib.asynccontextmanager
async def painted(line: Line, text: Callable[[], str]) -> AsyncGenerator[None]:
    """Paint twice a second while something goes on, where a person reads stderr."""
    if not sys.stderr.isatty():
        yield
        return

    async def paint() -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            line.say(text())

    task = asyncio.create_task(paint())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        line.erase()
