"""How each provider did when it was last called; in memory, for status lines and `attache doctor`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from attache.providers.model import Emit, Model
from attache.schema.data import Record
from attache.schema.errors import ProviderError
from attache.schema.models import Answer, ModelInfo, Request


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
    """The last call of every provider that was called."""

    _last: dict[str, Checkup] = field(default_factory=dict[str, Checkup])

    def last(self, provider: str) -> Checkup | None:
        """Return how the last call went, None before the first."""
        return self._last.get(provider)

    def record(self, checkup: Checkup) -> None:
        """Keep how a call went."""
        self._last[checkup.provider] = checkup


class Watched:
    """A model whose calls are kept in a Health; what the user did wrong says nothing of the provider."""

    def __init__(self, model: Model, health: Health) -> None:
        self.model = model
        self._health = health

    @property
    def info(self) -> ModelInfo:
        """Return what is known of the model."""
        return self.model.info

    async def answer(self, request: Request, emit: Emit) -> Answer:
        """Answer once; see Model."""
        began = time.time()
        try:
            answer = await self.model.answer(request, emit)
        except ProviderError as error:
            self._keep(began, error)
            raise
        self._keep(began, None)
        return answer

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
