"""Leave a provider that keeps failing alone for a while: no call is made, till one that tries it is answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from attache.schema.errors import ProviderError, ProviderResting, ProviderUnavailable

FAILURES = 5
"""Failures in a row after which a provider is left alone."""
REST_SECONDS = 30.0


@dataclass(slots=True)
class Breaker:
    """How one provider does. Only failures of its own count: not limits, not keys, not requests that were wrong."""

    clock: Callable[[], float] = time.monotonic
    _failed: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)
    _trying: bool = field(default=False, init=False)

    @property
    def resting_seconds(self) -> float:
        """Return for how long no call is let through; 0 where one is."""
        return max(0.0, self._until - self.clock())

    def enter(self, provider: str) -> None:
        """Let a call through, or raise ProviderResting; after the rest one call is let through to try."""
        if self._failed < FAILURES:
            return
        left = self.resting_seconds
        if left or self._trying:
            raise ProviderResting(
                f"{provider} failed {self._failed} times in a row and is left alone"
                + (f" for {left:.0f} s more" if left else " while one call tries it"),
                hint="wait a little, or take another model: --model PROVIDER/NAME",
                provider=provider,
            )
        self._trying = True

    def leave(self, error: BaseException | None) -> None:
        """Take note of how a call ended; None where it was answered."""
        self._trying = False
        if isinstance(error, ProviderUnavailable):
            self._failed += 1
            if self._failed >= FAILURES:
                self._until = self.clock() + REST_SECONDS
        elif error is None or isinstance(error, ProviderError):
            self._failed = 0  # it is there, whatever it said
