"""The time a tool call may take: it stands still while a person is asked."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

_LIMIT: ContextVar[asyncio.Timeout | None] = ContextVar("limit of the call under way", default=None)


@asynccontextmanager
async def limited(seconds: float) -> AsyncGenerator[None]:
    """Raise TimeoutError inside once so many seconds are over; infinity sets no limit."""
    async with asyncio.timeout(None if math.isinf(seconds) else seconds) as limit:
        token = _LIMIT.set(limit)
        try:
            yield
        finally:
            _LIMIT.reset(token)


@contextmanager
def waiting() -> Generator[None]:
    """Stop the clock of the call under way, if there is one, and let it go on afterwards."""
    limit = _LIMIT.get()
    until = limit.when() if limit is not None else None
    if limit is None or until is None or limit.expired():
        yield
        return
    clock = asyncio.get_running_loop().time
    left = until - clock()
    limit.reschedule(None)
    try:
        yield
    finally:
        limit.reschedule(clock() + left)
