"""Keep to a limit of calls and tokens a minute, so that a provider need not refuse."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from attache.schema.models import Request

MINUTE_SECONDS = 60.0
_CHARS_A_TOKEN = 4
_PICTURE_TOKENS = 1_500


@dataclass(slots=True)
class Spent:
    """One call of the last minute."""

    at: float
    tokens: int


@dataclass(slots=True)
class Pace:
    """The calls of the last minute, held against what may be made; None is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    clock: Callable[[], float] = time.monotonic
    _last: deque[Spent] = field(default_factory=deque[Spent], init=False)
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def enter(self, request: Request, tell: Callable[[float], None]) -> Spent | None:
        """Wait for a place; `tell` hears of each wait in seconds. Return the place, None where there is no limit."""
        if self.requests_per_minute is None and self.tokens_per_minute is None:
            return None
        tokens = _estimated(request) if self.tokens_per_minute is not None else 0
        async with self._gate:  # first come, first served
            while seconds := self._wait_seconds(tokens):
                tell(seconds)
                await asyncio.sleep(seconds)
            place = Spent(self.clock(), tokens)
            self._last.append(place)
            return place

    def _wait_seconds(self, tokens: int) -> float:
        now = self.clock()
        while self._last and self._last[0].at <= now - MINUTE_SECONDS:
            self._last.popleft()
        if not self._last:
            return 0.0  # what is larger than the limit by itself has to go some time
        full = self.requests_per_minute is not None and len(self._last) >= self.requests_per_minute
        used = sum(spent.tokens for spent in self._last)
        full = full or (self.tokens_per_minute is not None and used + tokens > self.tokens_per_minute)
        return max(self._last[0].at + MINUTE_SECONDS - now, 0.001) if full else 0.0


def _estimated(request: Request) -> int:
    """Return about how many tokens a call takes, its answer included; corrected by what is counted."""
    words = len(request.system) + sum(len(tool.model_dump_json()) for tool in request.tools)
    pictures = 0
    for message in request.messages:
        for part in message.parts:
            if part.type == "image":
                pictures += 1
            else:
                words += len(part.model_dump_json())
    return words // _CHARS_A_TOKEN + pictures * _PICTURE_TOKENS
