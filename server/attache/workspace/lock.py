"""A lock file: one holder at a time among all processes, and free again when its holder dies."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

PAUSE_SECONDS = 0.02


@asynccontextmanager
async def locked(file: Path, timeout_seconds: float) -> AsyncGenerator[None]:
    """Hold the lock; raises TimeoutError when another holds it all that time."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        async with asyncio.timeout(timeout_seconds):
            while not _taken(descriptor):  # noqa: ASYNC110 - another process lets go without telling us
                await asyncio.sleep(PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def hold(file: Path) -> int:
    """Take the lock for as long as the descriptor that is returned is open; -1 where another holds it.

    Raises FileNotFoundError where its folder is not there.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    if _taken(descriptor):
        return descriptor
    os.close(descriptor)
    return -1


if sys.platform == "win32":
    import msvcrt

    def _taken(descriptor: int) -> bool:
        """Take the lock, or return that it cannot be had now."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(descriptor: int) -> bool:
        """Take the lock, or return that it cannot be had now."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
