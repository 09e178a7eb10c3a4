"""One message a frame: however fast pieces come, they are shown at most 60 times a second, and none waits longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

FRAME_SECONDS = 1 / 60


class Frames:
    """Joins pieces of text of one kind until the next frame; another kind, or the end, flushes."""

    def __init__(self, show: Callable[[str, str], None]) -> None:
        """Hand each frame's (kind, text) to `show`."""
        self._show = show
        self._kind = ""
        self._pieces: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, kind: str, text: str) -> None:
        """Take a piece."""
        if kind != self._kind:
            self.flush()
            self._kind = kind
        self._pieces.append(text)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FRAME_SECONDS, self.flush)

    def flush(self) -> None:
        """Show what is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pieces:
            text = "".join(self._pieces)
            self._pieces.clear()
            self._show(self._kind, text)

    def drop(self) -> None:
        """Forget what is there."""
        self._pieces.clear()
        self.flush()
