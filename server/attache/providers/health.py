"""How each provider did when it was last called, and whether to call it now."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from attache.providers.breaker import Breaker
from attache.providers.model import Emit, Model, counted
from attache.providers.pace import Pace
from attache.schema.data import Record
from attache.schema.errors import ProviderError
from attache.schema.models import Answer, ModelInfo, Request, WaitDelta

_KEPT = "health.json"


class Checkup(Record):
    """The last call of one provider."""

    provider: str
    ok: bool
    at: float
    """Seconds since the epoch."""
    seconds: float
    """How long it took."""
    message: str = ""
    hint: str = ""


@dataclass(slots=True)
class Health:
    """The last call of every provider that was called, and its breaker."""

    sent: dict[str, Request] = field(default_factory=dict[str, Request])
    """The last request to each model, by its `provider/name`, for whoever wants to see what was sent."""
    _last: dict[str, Checkup] = field(default_factory=dict[str, Checkup])
    _breakers: dict[str, Breaker] = field(default_factory=dict[str, Breaker])

    def last(self, provider: str) -> Checkup | None:
        """Return how the last call went, None before the first."""
        return self._last.get(provider)

    def record(self, checkup: Checkup) -> None:
        """Keep how a call went."""
        self._last[checkup.provider] = checkup

    def all(self) -> tuple[Checkup, ...]:
        """Return the last call of each provider."""
        return tuple(self._last.values())

    def breaker(self, provider: str) -> Breaker:
        """Return the provider's breaker, which all its models share."""
        return self._breakers.setdefault(provider, Breaker())


class Watched:
    """A model whose calls keep its provider's pace and breaker; what the user did wrong says nothing of it."""

    def __init__(self, model: Model, health: Health, pace: Pace | None = None) -> None:
        self.model = model
        self._health = health
        self._pace = pace or Pace()

    @property
    def info(self) -> ModelInfo:
        """Return what is known of the model."""
        return self.model.info

    async def answer(self, request: Request, emit: Emit) -> Answer:
        """Answer once; see Model. Raises ProviderResting where the provider keeps failing."""
        self._health.sent[self.info.ref] = request
        name = self.info.provider
        breaker = self._health.breaker(name)
        breaker.enter(name)
        began, failed = time.time(), None
        try:
            place = await self._pace.enter(request, lambda seconds: emit(_waits(name, seconds)))
            began = time.time()
            answer = await self.model.answer(request, emit)
            if place is not None:
                place.tokens = answer.usage.input_tokens + answer.usage.output_tokens
        except BaseException as error:
            failed = error
            if isinstance(error, ProviderError):
                self._keep(began, error)
            raise
        finally:
            breaker.leave(failed)
        self._keep(began, None)
        return answer

    async def count(self, request: Request) -> int | None:
        """Return how many tokens the request takes, see Counting; a provider that is left alone is not asked."""
        resting = self._health.breaker(self.info.provider).resting_seconds
        return None if resting else await counted(self.model, request)

    def _keep(self, began: float, error: ProviderError | None) -> None:
        self._health.record(
            Checkup(
                provider=self.info.provider,
                ok=error is None,
                at=began,
                seconds=time.time() - began,
                message=error.message if error else "",
                hint=error.hint if error else "",
            )
        )


def save(home: Path, health: Health) -> None:
    """Keep the last calls for the next process; a disk that is full is no reason to fail."""
    if not (made := health.all()):
        return
    kept = {each.provider: each for each in (*saved(home), *made)}
    with suppress(OSError):
        (home / _KEPT).write_text(json.dumps([each.model_dump() for each in kept.values()]), "utf-8")


def saved(home: Path) -> tuple[Checkup, ...]:
    """Return the last calls that any process made, none where there is no note of them."""
    try:
        noted = json.loads((home / _KEPT).read_text("utf-8"))
        return tuple(Checkup.model_validate(each) for each in noted)
    except (OSError, ValueError, TypeError):
        return ()


def _waits(provider: str, seconds: float) -> WaitDelta:
    return WaitDelta(reason=f"{provider}: waiting {seconds:.0f} s to keep to your limit a minute", seconds=seconds)
