"""One answer on its way to the person: shown in frames, asked for again where it is lost, the waits between told."""

from __future__ import annotations

from attache.agent.discretion import discreet
from attache.agent.frames import Frames
from attache.agent.run import Run
from attache.foundation.redact import redact
from attache.foundation.retry import retry
from attache.schema.errors import ProviderError
from attache.schema.events import StreamRestarted, TextStreamed, ThinkingStreamed
from attache.schema.models import Answer, Delta, Request, TextDelta, ThinkingDelta, WaitDelta
from attache.security.veil import Unveiling


async def stream(run: Run, request: Request) -> Answer:
    """Stream one answer; an attempt that fails in passing is made again, and what it showed is withdrawn.

    Personal data goes out as the user allows, and what comes back in its place is restored.
    Raises ProviderError where no attempt brings a whole answer.
    """
    request = await discreet(run, request)
    shown = False
    attempts = 0

    def show(kind: str, text: str) -> None:
        nonlocal shown
        shown = True
        happening = TextStreamed if kind == "text" else ThinkingStreamed
        run.paint(happening(run_id=run.id, text=redact(text)))

    frames = Frames(show)
    pieces = Unveiling(run.veil, frames.add)

    def withdraw(reason: str) -> None:
        nonlocal shown
        pieces.drop()
        frames.drop()
        shown = False
        run.paint(StreamRestarted(run_id=run.id, reason=reason))

    def emit(delta: Delta) -> None:
        if isinstance(delta, TextDelta | ThinkingDelta):  # a call is shown once it is whole
            pieces.add(delta.type, delta.text)
        elif isinstance(delta, WaitDelta):
            withdraw(delta.reason)

    def waits(error: ProviderError, seconds: float) -> None:
        """Say what failed and when it is tried again, whether a word was shown or not: silence looks like a hang."""
        withdraw(f"{error.message}; asking again in {seconds:.1f} s ({attempts} of {run.settings.model_attempts})")

    async def attempt() -> Answer:
        nonlocal attempts
        attempts += 1
        answer = await run.model.answer(request, emit)
        pieces.flush()
        frames.flush()
        return run.veil.restored(answer)

    settings = run.settings
    try:
        return await retry(
            attempt, attempts=settings.model_attempts, first_wait_seconds=settings.model_wait_seconds, on_wait=waits
        )
    except ProviderError as error:
        if shown:
            withdraw(f"{error.message}; the answer could not be completed")
        frames.drop()
        raise
