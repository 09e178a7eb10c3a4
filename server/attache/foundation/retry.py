"""Ask a provider again where that can help: a few times, ever later, and never beyond a limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from attache.schema.errors import ProviderError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")
OnWait = Callable[[ProviderError, float], None]
"""Told what failed and how many seconds pass before the next attempt, so that a face can say so."""


async def retry(
    call: Callable[[], Awaitable[T]],
    *,
    attempts: int = 4,
    first_wait_seconds: float = 1,
    longest_wait_seconds: float = 60,
    on_wait: OnWait | None = None,
) -> T:
    """Return what `call` returns, asking again after a retryable ProviderError; the last error is raised as it is.

    A wait is drawn at random below `first_wait_seconds`, doubled for each further attempt. The wait that a provider
    asks for is kept in full; where it is above `longest_wait_seconds`, the error is raised at once.
    """
    from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    drawn = wait_random_exponential(multiplier=first_wait_seconds, max=longest_wait_seconds)

    def worthwhile(error: BaseException) -> bool:
        return isinstance(error, ProviderError) and error.retryable and (_asked(error) or 0) <= longest_wait_seconds

    def wait(state: RetryCallState) -> float:
        asked = _asked(_failure(state))
        return drawn(state) if asked is None else asked

    def tell(state: RetryCallState) -> None:
        error = _failure(state)
        if on_wait is not None and isinstance(error, ProviderError):
            on_wait(error, state.upcoming_sleep)

    return await AsyncRetrying(
        stop=stop_after_attempt(attempts),
        wait=wait,
        retry=retry_if_exception(worthwhile),
        before_sleep=tell,
        reraise=True,
    )(call)


def _asked(error: BaseException | None) -> float | None:
    """Return the wait that the provider asked for, never below zero: its clock may differ from ours."""
    seconds = error.retry_after_seconds if isinstance(error, ProviderError) else None
    return None if seconds is None else max(0.0, seconds)


def _failure(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()
